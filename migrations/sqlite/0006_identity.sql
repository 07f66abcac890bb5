-- Who was seen before: faces of sessions and of references, their sealed templates, and what people said of pairs of them.

-- What became of a finished session's templates: '' = nobody looked yet, 'kept', 'no_consent', 'no_face', 'expired'.
ALTER TABLE sessions ADD COLUMN template_state TEXT NOT NULL DEFAULT '';
CREATE INDEX sessions_to_template ON sessions (end_time) WHERE end_time IS NOT NULL AND template_state = '';

-- A candidate with references; whoever has sessions alone stands in `sessions`. The key seals the templates of the
-- references; it is wrapped by the master key that key_id names.
CREATE TABLE candidates (
    key INTEGER PRIMARY KEY AUTOINCREMENT,
    tenant TEXT NOT NULL,
    id TEXT NOT NULL,
    display_name TEXT NOT NULL,
    key_id TEXT NOT NULL,
    wrapped BLOB NOT NULL,
    UNIQUE (tenant, id)
) STRICT;

CREATE TABLE candidate_references (
    key INTEGER PRIMARY KEY AUTOINCREMENT,
    candidate_key INTEGER NOT NULL REFERENCES candidates (key) ON DELETE CASCADE,
    id TEXT NOT NULL,
    purpose TEXT NOT NULL,
    -- The session that it was taken from; empty for a picture.
    source_session TEXT NOT NULL,
    consent_reference TEXT NOT NULL,
    create_time TEXT NOT NULL,
    created_by TEXT NOT NULL,
    expire_time TEXT,
    UNIQUE (candidate_key, id)
) STRICT;
CREATE INDEX candidate_references_by_expiry ON candidate_references (expire_time) WHERE expire_time IS NOT NULL;

-- One person behind one participant's camera, or of one reference. What people say of faces outlives their templates.
CREATE TABLE faces (
    key INTEGER PRIMARY KEY AUTOINCREMENT,
    tenant TEXT NOT NULL,
    session_key INTEGER REFERENCES sessions (key) ON DELETE CASCADE,
    reference_key INTEGER REFERENCES candidate_references (key) ON DELETE CASCADE,
    -- Empty for a reference.
    participant_id TEXT NOT NULL,
    -- 0 = whom the participant began with.
    person INTEGER NOT NULL,
    CHECK ((session_key IS NULL) <> (reference_key IS NULL)),
    UNIQUE (session_key, participant_id, person),
    UNIQUE (reference_key)
) STRICT;

CREATE TABLE templates (
    key INTEGER PRIMARY KEY AUTOINCREMENT,
    tenant TEXT NOT NULL,
    face_key INTEGER NOT NULL REFERENCES faces (key) ON DELETE CASCADE,
    -- 'face' or 'scene'.
    kind TEXT NOT NULL,
    -- What made it: 64 hexadecimal digits.
    model TEXT NOT NULL,
    create_time TEXT NOT NULL,
    expire_time TEXT,
    sealed BLOB NOT NULL,
    UNIQUE (face_key, kind)
) STRICT;
CREATE INDEX templates_by_tenant ON templates (tenant, kind, key);
CREATE INDEX templates_by_expiry ON templates (expire_time) WHERE expire_time IS NOT NULL;

-- Which templates came, changed and went, counted by tenant, so that searches in memory keep up with every server's writes.
CREATE TABLE template_counters (
    tenant TEXT PRIMARY KEY,
    n_changes INTEGER NOT NULL
) STRICT;
CREATE TABLE template_changes (
    tenant TEXT NOT NULL,
    number INTEGER NOT NULL,
    template_key INTEGER NOT NULL,
    PRIMARY KEY (tenant, number)
) STRICT, WITHOUT ROWID;
CREATE TRIGGER templates_came AFTER INSERT ON templates BEGIN
    INSERT INTO template_counters (tenant, n_changes) VALUES (new.tenant, 1)
        ON CONFLICT (tenant) DO UPDATE SET n_changes = n_changes + 1;
    INSERT INTO template_changes (tenant, number, template_key)
        SELECT tenant, n_changes, new.key FROM template_counters WHERE tenant = new.tenant;
END;
CREATE TRIGGER templates_changed AFTER UPDATE ON templates BEGIN
    UPDATE template_counters SET n_changes = n_changes + 1 WHERE tenant = new.tenant;
    INSERT INTO template_changes (tenant, number, template_key)
        SELECT tenant, n_changes, new.key FROM template_counters WHERE tenant = new.tenant;
END;
CREATE TRIGGER templates_went AFTER DELETE ON templates BEGIN
    UPDATE template_counters SET n_changes = n_changes + 1 WHERE tenant = old.tenant;
    INSERT INTO template_changes (tenant, number, template_key)
        SELECT tenant, n_changes, old.key FROM template_counters WHERE tenant = old.tenant;
END;

-- Pairs of faces: what the machine proposes, and what a person says. first_face < second_face.
CREATE TABLE face_matches (
    key INTEGER PRIMARY KEY AUTOINCREMENT,
    tenant TEXT NOT NULL,
    first_face INTEGER NOT NULL REFERENCES faces (key) ON DELETE CASCADE,
    second_face INTEGER NOT NULL REFERENCES faces (key) ON DELETE CASCADE,
    -- Why the machine proposed it; empty when it did not.
    proposal TEXT NOT NULL,
    similarity REAL,
    llr REAL,
    propose_time TEXT,
    -- 'same', 'different', or empty while no person said anything.
    verdict TEXT NOT NULL,
    note TEXT NOT NULL,
    decided_by TEXT NOT NULL,
    decide_time TEXT,
    UNIQUE (first_face, second_face)
) STRICT;
CREATE INDEX face_matches_by_second ON face_matches (second_face);
CREATE INDEX face_matches_by_verdict ON face_matches (tenant, verdict, key);

CREATE TABLE watched_faces (
    face_key INTEGER PRIMARY KEY REFERENCES faces (key) ON DELETE CASCADE,
    tenant TEXT NOT NULL,
    note TEXT NOT NULL,
    watched_by TEXT NOT NULL,
    watch_time TEXT NOT NULL
) STRICT;
CREATE INDEX watched_faces_by_tenant ON watched_faces (tenant, face_key);
