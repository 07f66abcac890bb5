-- Times are RFC 3339 in UTC with nine decimals, so that they sort as text. Levels are their short names.
-- JSON columns carry a version; see src/store/score_json.rs.

CREATE TABLE sessions (
    key INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    display_name TEXT NOT NULL,
    external_ref TEXT NOT NULL,
    consent_reference TEXT NOT NULL,
    policy TEXT NOT NULL,
    create_time TEXT NOT NULL,
    end_time TEXT,
    expire_time TEXT,
    revision INTEGER NOT NULL,
    resume_secret TEXT NOT NULL,
    request_id TEXT UNIQUE,
    journal_len INTEGER NOT NULL,
    -- The worst level of any participant.
    level TEXT NOT NULL
) STRICT;
CREATE INDEX sessions_by_time ON sessions (create_time, id);
CREATE INDEX sessions_by_level ON sessions (level, create_time, id);
CREATE INDEX sessions_by_external_ref ON sessions (external_ref, create_time, id) WHERE external_ref <> '';
CREATE INDEX sessions_by_expiry ON sessions (expire_time) WHERE expire_time IS NOT NULL;

CREATE TABLE labels (
    session_key INTEGER NOT NULL REFERENCES sessions (key) ON DELETE CASCADE,
    name TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (session_key, name)
) STRICT, WITHOUT ROWID;
CREATE INDEX labels_by_value ON labels (name, value, session_key);

-- The latest score of each participant.
CREATE TABLE participants (
    session_key INTEGER NOT NULL REFERENCES sessions (key) ON DELETE CASCADE,
    participant_id TEXT NOT NULL,
    level TEXT NOT NULL,
    n_windows INTEGER NOT NULL,
    score TEXT NOT NULL,
    PRIMARY KEY (session_key, participant_id)
) STRICT;

CREATE TABLE score_windows (
    session_key INTEGER NOT NULL REFERENCES sessions (key) ON DELETE CASCADE,
    participant_id TEXT NOT NULL,
    ordinal INTEGER NOT NULL,
    score TEXT NOT NULL,
    PRIMARY KEY (session_key, participant_id, ordinal)
) STRICT;

CREATE TABLE segments (
    session_key INTEGER NOT NULL REFERENCES sessions (key) ON DELETE CASCADE,
    ordinal INTEGER NOT NULL,
    participant_id TEXT NOT NULL,
    start_nanos INTEGER NOT NULL,
    end_nanos INTEGER NOT NULL,
    level TEXT NOT NULL,
    is_open INTEGER NOT NULL,
    signals TEXT NOT NULL,
    PRIMARY KEY (session_key, ordinal)
) STRICT;

-- Raw measurements; see src/store/journal.rs for the chunk format.
CREATE TABLE journal (
    session_key INTEGER NOT NULL REFERENCES sessions (key) ON DELETE CASCADE,
    first_entry INTEGER NOT NULL,
    n_entries INTEGER NOT NULL,
    chunk BLOB NOT NULL,
    PRIMARY KEY (session_key, first_entry)
) STRICT;

-- One row, counted up by every ping: shows that the store can write.
CREATE TABLE pings (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    n_pings INTEGER NOT NULL
) STRICT;
INSERT INTO pings (id, n_pings) VALUES (1, 0);
