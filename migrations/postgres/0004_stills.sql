-- Stills: which there are, of what, and the sealed file of each. What a still shows of a person is in facts and in the file, sealed
-- under still_key, which the session's key wraps; see src/service/evidence/sealing.rs.
CREATE TABLE stills (
    session_key BIGINT NOT NULL REFERENCES sessions (key) ON DELETE CASCADE,
    ordinal BIGINT NOT NULL,
    participant_id TEXT NOT NULL,
    -- The segment's ordinal; 0 = the participant at the beginning.
    segment BIGINT NOT NULL,
    media_nanos BIGINT NOT NULL,
    keep_time TEXT COLLATE "C" NOT NULL,
    still_key BYTEA NOT NULL,
    facts BYTEA NOT NULL,
    file TEXT NOT NULL UNIQUE,
    n_bytes BIGINT NOT NULL,
    PRIMARY KEY (session_key, ordinal)
);
CREATE INDEX stills_by_keep_time ON stills (keep_time);

-- Participants and segments that have no still, and why.
CREATE TABLE still_gaps (
    session_key BIGINT NOT NULL REFERENCES sessions (key) ON DELETE CASCADE,
    participant_id TEXT NOT NULL,
    segment BIGINT NOT NULL,
    cause TEXT NOT NULL,
    PRIMARY KEY (session_key, participant_id, segment)
);

-- Files whose rows were deleted, until they are removed.
CREATE TABLE erased_files (file TEXT NOT NULL PRIMARY KEY);

-- What the folder of stills is marked with, lest two databases share one.
CREATE TABLE database_id (
    only_one BIGINT NOT NULL PRIMARY KEY CHECK (only_one = 1),
    id TEXT NOT NULL
);
