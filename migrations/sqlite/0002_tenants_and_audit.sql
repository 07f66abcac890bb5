-- Sessions belong to tenants. SQLite cannot change a UNIQUE constraint, so the table is made anew; this runs with foreign keys
-- switched off (src/store/open.rs), and what refers to sessions by name goes on doing so.
CREATE TABLE sessions_of_tenants (
    key INTEGER PRIMARY KEY AUTOINCREMENT,
    tenant TEXT NOT NULL,
    id TEXT NOT NULL,
    display_name TEXT NOT NULL,
    external_ref TEXT NOT NULL,
    consent_reference TEXT NOT NULL,
    policy TEXT NOT NULL,
    create_time TEXT NOT NULL,
    end_time TEXT,
    expire_time TEXT,
    revision INTEGER NOT NULL,
    resume_secret TEXT NOT NULL,
    request_id TEXT,
    journal_len INTEGER NOT NULL,
    -- The worst level of any participant.
    level TEXT NOT NULL,
    UNIQUE (tenant, id),
    UNIQUE (tenant, request_id)
) STRICT;
INSERT INTO sessions_of_tenants (key, tenant, id, display_name, external_ref, consent_reference, policy, create_time, end_time,
    expire_time, revision, resume_secret, request_id, journal_len, level)
SELECT key, 'default', id, display_name, external_ref, consent_reference, policy, create_time, end_time, expire_time, revision,
    resume_secret, request_id, journal_len, level
FROM sessions;
DROP TABLE sessions;
ALTER TABLE sessions_of_tenants RENAME TO sessions;
CREATE INDEX sessions_by_time ON sessions (tenant, create_time, id);
CREATE INDEX sessions_by_level ON sessions (tenant, level, create_time, id);
CREATE INDEX sessions_by_external_ref ON sessions (tenant, external_ref, create_time, id) WHERE external_ref <> '';
CREATE INDEX sessions_by_expiry ON sessions (expire_time) WHERE expire_time IS NOT NULL;

-- The audit log: canonical JSON and its digest; tenant and object are copies to search by. See src/audit.
CREATE TABLE audit (
    sequence INTEGER PRIMARY KEY,
    event TEXT NOT NULL,
    hash BLOB NOT NULL,
    tenant TEXT NOT NULL,
    object TEXT NOT NULL
) STRICT;
CREATE INDEX audit_by_object ON audit (tenant, object, sequence);

CREATE TABLE audit_checkpoints (
    kind TEXT NOT NULL,
    sequence INTEGER NOT NULL,
    hash BLOB NOT NULL,
    time TEXT NOT NULL,
    key_id TEXT NOT NULL,
    signature BLOB NOT NULL,
    PRIMARY KEY (kind, sequence)
) STRICT, WITHOUT ROWID;
