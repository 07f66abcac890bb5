-- What people say about sessions, and who they are.
ALTER TABLE sessions ADD COLUMN review_state TEXT NOT NULL DEFAULT 'unreviewed';
ALTER TABLE sessions ADD COLUMN assignee TEXT NOT NULL DEFAULT '';
-- 1 = may not be deleted.
ALTER TABLE sessions ADD COLUMN is_held INTEGER NOT NULL DEFAULT 0;
-- The order of the inbox: what nobody decided about first, then by level.
ALTER TABLE sessions ADD COLUMN urgency INTEGER NOT NULL GENERATED ALWAYS AS (
    CASE review_state WHEN 'decided' THEN 0 ELSE 4 END
    + CASE level WHEN 'ALERT' THEN 3 WHEN 'SUSPICIOUS' THEN 2 WHEN 'INCONCLUSIVE' THEN 1 ELSE 0 END
) VIRTUAL;
CREATE INDEX sessions_by_urgency ON sessions (tenant, urgency, create_time, id);
CREATE INDEX sessions_by_review ON sessions (tenant, review_state, level);

-- The latest mark of each segment; earlier ones stand in the audit log.
CREATE TABLE review_marks (
    session_key INTEGER NOT NULL REFERENCES sessions (key) ON DELETE CASCADE,
    ordinal INTEGER NOT NULL,
    verdict TEXT NOT NULL,
    note TEXT NOT NULL,
    marked_by TEXT NOT NULL,
    time TEXT NOT NULL,
    PRIMARY KEY (session_key, ordinal)
) STRICT;

CREATE TABLE review_decisions (
    session_key INTEGER NOT NULL REFERENCES sessions (key) ON DELETE CASCADE,
    ordinal INTEGER NOT NULL,
    kind TEXT NOT NULL,
    note TEXT NOT NULL,
    decided_by TEXT NOT NULL,
    time TEXT NOT NULL,
    PRIMARY KEY (session_key, ordinal)
) STRICT;

CREATE TABLE accounts (
    name TEXT PRIMARY KEY,
    tenant TEXT NOT NULL,
    display_name TEXT NOT NULL,
    -- Names of roles, separated by spaces.
    roles TEXT NOT NULL,
    is_active INTEGER NOT NULL,
    -- A PHC string, or empty for whoever has none.
    password_hash TEXT NOT NULL,
    create_time TEXT NOT NULL,
    failed_logins INTEGER NOT NULL DEFAULT 0,
    locked_until TEXT
) STRICT;

CREATE TABLE web_sessions (
    -- SHA-256 of the token in the browser's cookie.
    token_hash BLOB PRIMARY KEY,
    account TEXT NOT NULL REFERENCES accounts (name) ON DELETE CASCADE,
    csrf_token TEXT NOT NULL,
    create_time TEXT NOT NULL,
    expire_time TEXT NOT NULL
) STRICT;
CREATE INDEX web_sessions_by_account ON web_sessions (account);
CREATE INDEX web_sessions_by_expiry ON web_sessions (expire_time);
