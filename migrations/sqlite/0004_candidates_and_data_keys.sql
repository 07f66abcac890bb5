-- Who is interviewed, what is kept besides measurements, and the key of each session's stills and templates.
-- Empty = nobody said.
ALTER TABLE sessions ADD COLUMN candidate TEXT NOT NULL DEFAULT '';
ALTER TABLE sessions ADD COLUMN evidence TEXT NOT NULL DEFAULT 'stills';
CREATE INDEX sessions_by_candidate ON sessions (tenant, candidate, create_time, id) WHERE candidate <> '';

-- Wrapped by the master key that key_id names; see src/keys/sealing.rs.
CREATE TABLE data_keys (
    session_key INTEGER PRIMARY KEY REFERENCES sessions (key) ON DELETE CASCADE,
    key_id TEXT NOT NULL,
    wrapped BLOB NOT NULL
) STRICT;
