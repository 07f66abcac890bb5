-- Who was seen before: faces of sessions and of references, their sealed templates, and what people said of pairs of them.

-- What became of a finished session's templates: '' = nobody looked yet, 'kept', 'no_consent', 'no_face', 'expired'.
ALTER TABLE sessions ADD COLUMN template_state TEXT NOT NULL DEFAULT '';
CREATE INDEX sessions_to_template ON sessions (end_time) WHERE end_time IS NOT NULL AND template_state = '';

-- A candidate with references; whoever has sessions alone stands in `sessions`. The key seals the templates of the
-- references; it is wrapped by the master key that key_id names.
CREATE TABLE candidates (
    key BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tenant TEXT COLLATE "C" NOT NULL,
    id TEXT COLLATE "C" NOT NULL,
    display_name TEXT NOT NULL,
    key_id TEXT NOT NULL,
    wrapped BYTEA NOT NULL,
    UNIQUE (tenant, id)
);

CREATE TABLE candidate_references (
    key BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    candidate_key BIGINT NOT NULL REFERENCES candidates (key) ON DELETE CASCADE,
    id TEXT COLLATE "C" NOT NULL,
    purpose TEXT NOT NULL,
    -- The session that it was taken from; empty for a picture.
    source_session TEXT NOT NULL,
    consent_reference TEXT NOT NULL,
    create_time TEXT COLLATE "C" NOT NULL,
    created_by TEXT NOT NULL,
    expire_time TEXT COLLATE "C",
    UNIQUE (candidate_key, id)
);
CREATE INDEX candidate_references_by_expiry ON candidate_references (expire_time) WHERE expire_time IS NOT NULL;

-- One person behind one participant's camera, or of one reference. What people say of faces outlives their templates.
CREATE TABLE faces (
    key BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tenant TEXT COLLATE "C" NOT NULL,
    session_key BIGINT REFERENCES sessions (key) ON DELETE CASCADE,
    reference_key BIGINT REFERENCES candidate_references (key) ON DELETE CASCADE,
    -- Empty for a reference.
    participant_id TEXT COLLATE "C" NOT NULL,
    -- 0 = whom the participant began with.
    person BIGINT NOT NULL,
    CHECK ((session_key IS NULL) <> (reference_key IS NULL)),
    UNIQUE (session_key, participant_id, person),
    UNIQUE (reference_key)
);

CREATE TABLE templates (
    key BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tenant TEXT COLLATE "C" NOT NULL,
    face_key BIGINT NOT NULL REFERENCES faces (key) ON DELETE CASCADE,
    -- 'face' or 'scene'.
    kind TEXT COLLATE "C" NOT NULL,
    -- What made it: 64 hexadecimal digits.
    model TEXT COLLATE "C" NOT NULL,
    create_time TEXT COLLATE "C" NOT NULL,
    expire_time TEXT COLLATE "C",
    sealed BYTEA NOT NULL,
    UNIQUE (face_key, kind)
);
CREATE INDEX templates_by_tenant ON templates (tenant, kind, key);
CREATE INDEX templates_by_expiry ON templates (expire_time) WHERE expire_time IS NOT NULL;

-- Which templates came, changed and went, counted by tenant, so that searches in memory keep up with every server's writes.
CREATE TABLE template_counters (
    tenant TEXT COLLATE "C" PRIMARY KEY,
    n_changes BIGINT NOT NULL
);
CREATE TABLE template_changes (
    tenant TEXT COLLATE "C" NOT NULL,
    number BIGINT NOT NULL,
    template_key BIGINT NOT NULL,
    PRIMARY KEY (tenant, number)
);
CREATE FUNCTION count_template_change() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    changed templates%ROWTYPE;
    counted BIGINT;
BEGIN
    IF TG_OP = 'DELETE' THEN changed := OLD; ELSE changed := NEW; END IF;
    -- The counter's row is held until the transaction ends, so that numbers appear in their order.
    INSERT INTO template_counters AS counter (tenant, n_changes) VALUES (changed.tenant, 1)
        ON CONFLICT (tenant) DO UPDATE SET n_changes = counter.n_changes + 1 RETURNING counter.n_changes INTO counted;
    INSERT INTO template_changes (tenant, number, template_key) VALUES (changed.tenant, counted, changed.key);
    RETURN NULL;
END $$;
CREATE TRIGGER templates_change AFTER INSERT OR UPDATE OR DELETE ON templates
    FOR EACH ROW EXECUTE FUNCTION count_template_change();

-- Pairs of faces: what the machine proposes, and what a person says. first_face < second_face.
CREATE TABLE face_matches (
    key BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tenant TEXT COLLATE "C" NOT NULL,
    first_face BIGINT NOT NULL REFERENCES faces (key) ON DELETE CASCADE,
    second_face BIGINT NOT NULL REFERENCES faces (key) ON DELETE CASCADE,
    -- Why the machine proposed it; empty when it did not.
    proposal TEXT NOT NULL,
    similarity DOUBLE PRECISION,
    llr DOUBLE PRECISION,
    propose_time TEXT,
    -- 'same', 'different', or empty while no person said anything.
    verdict TEXT COLLATE "C" NOT NULL,
    note TEXT NOT NULL,
    decided_by TEXT NOT NULL,
    decide_time TEXT,
    UNIQUE (first_face, second_face)
);
CREATE INDEX face_matches_by_second ON face_matches (second_face);
CREATE INDEX face_matches_by_verdict ON face_matches (tenant, verdict, key);

CREATE TABLE watched_faces (
    face_key BIGINT PRIMARY KEY REFERENCES faces (key) ON DELETE CASCADE,
    tenant TEXT COLLATE "C" NOT NULL,
    note TEXT NOT NULL,
    watched_by TEXT NOT NULL,
    watch_time TEXT NOT NULL
);
CREATE INDEX watched_faces_by_tenant ON watched_faces (tenant, face_key);
