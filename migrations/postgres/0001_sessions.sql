-- Times are RFC 3339 in UTC with nine decimals, so that they sort as text. Levels are their short names. Flags are 0 and 1.
-- JSON columns carry a version; see src/store/score_json.rs. Text is compared byte by byte, as SQLite does.

CREATE TABLE sessions (
    key BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tenant TEXT COLLATE "C" NOT NULL,
    id TEXT COLLATE "C" NOT NULL,
    display_name TEXT NOT NULL,
    external_ref TEXT COLLATE "C" NOT NULL,
    consent_reference TEXT NOT NULL,
    policy TEXT NOT NULL,
    create_time TEXT COLLATE "C" NOT NULL,
    end_time TEXT COLLATE "C",
    expire_time TEXT COLLATE "C",
    revision BIGINT NOT NULL,
    resume_secret TEXT NOT NULL,
    request_id TEXT COLLATE "C",
    journal_len BIGINT NOT NULL,
    -- The worst level of any participant.
    level TEXT COLLATE "C" NOT NULL,
    UNIQUE (tenant, id),
    UNIQUE (tenant, request_id)
);
CREATE INDEX sessions_by_time ON sessions (tenant, create_time, id);
CREATE INDEX sessions_by_level ON sessions (tenant, level, create_time, id);
CREATE INDEX sessions_by_external_ref ON sessions (tenant, external_ref, create_time, id) WHERE external_ref <> '';
CREATE INDEX sessions_by_expiry ON sessions (expire_time) WHERE expire_time IS NOT NULL;

CREATE TABLE labels (
    session_key BIGINT NOT NULL REFERENCES sessions (key) ON DELETE CASCADE,
    name TEXT COLLATE "C" NOT NULL,
    value TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (session_key, name)
);
CREATE INDEX labels_by_value ON labels (name, value, session_key);

-- The latest score of each participant.
CREATE TABLE participants (
    session_key BIGINT NOT NULL REFERENCES sessions (key) ON DELETE CASCADE,
    participant_id TEXT COLLATE "C" NOT NULL,
    level TEXT NOT NULL,
    n_windows BIGINT NOT NULL,
    score TEXT NOT NULL,
    PRIMARY KEY (session_key, participant_id)
);

CREATE TABLE score_windows (
    session_key BIGINT NOT NULL REFERENCES sessions (key) ON DELETE CASCADE,
    participant_id TEXT COLLATE "C" NOT NULL,
    ordinal BIGINT NOT NULL,
    score TEXT NOT NULL,
    PRIMARY KEY (session_key, participant_id, ordinal)
);

CREATE TABLE segments (
    session_key BIGINT NOT NULL REFERENCES sessions (key) ON DELETE CASCADE,
    ordinal BIGINT NOT NULL,
    participant_id TEXT NOT NULL,
    start_nanos BIGINT NOT NULL,
    end_nanos BIGINT NOT NULL,
    level TEXT NOT NULL,
    is_open BIGINT NOT NULL,
    signals TEXT NOT NULL,
    PRIMARY KEY (session_key, ordinal)
);

-- Raw measurements; see src/store/journal.rs for the chunk format.
CREATE TABLE journal (
    session_key BIGINT NOT NULL REFERENCES sessions (key) ON DELETE CASCADE,
    first_entry BIGINT NOT NULL,
    n_entries BIGINT NOT NULL,
    chunk BYTEA NOT NULL,
    PRIMARY KEY (session_key, first_entry)
);

-- One row, counted up by every ping: shows that the store can write.
CREATE TABLE pings (
    id BIGINT PRIMARY KEY CHECK (id = 1),
    n_pings BIGINT NOT NULL
);
INSERT INTO pings (id, n_pings) VALUES (1, 0);

-- The audit log: canonical JSON and its digest; tenant and object are copies to search by. See src/audit.
CREATE TABLE audit (
    sequence BIGINT PRIMARY KEY,
    event TEXT NOT NULL,
    hash BYTEA NOT NULL,
    tenant TEXT COLLATE "C" NOT NULL,
    object TEXT COLLATE "C" NOT NULL
);
CREATE INDEX audit_by_object ON audit (tenant, object, sequence);

CREATE TABLE audit_checkpoints (
    kind TEXT COLLATE "C" NOT NULL,
    sequence BIGINT NOT NULL,
    hash BYTEA NOT NULL,
    time TEXT NOT NULL,
    key_id TEXT NOT NULL,
    signature BYTEA NOT NULL,
    PRIMARY KEY (kind, sequence)
);
