-- Pairs are of faces or of the backgrounds behind them: a person may say that two faces are two people's and that both sat in
-- one room.
CREATE TABLE matches (
    key INTEGER PRIMARY KEY AUTOINCREMENT,
    tenant TEXT NOT NULL,
    first_face INTEGER NOT NULL REFERENCES faces (key) ON DELETE CASCADE,
    second_face INTEGER NOT NULL REFERENCES faces (key) ON DELETE CASCADE,
    -- 'face' or 'scene': what is alike.
    kind TEXT NOT NULL,
    -- Why the machine proposed it; empty when it did not.
    proposal TEXT NOT NULL,
    -- Cosine of two faces, score of two backgrounds.
    similarity REAL,
    llr REAL,
    propose_time TEXT,
    -- 'same', 'different', or empty while no person said anything.
    verdict TEXT NOT NULL,
    note TEXT NOT NULL,
    decided_by TEXT NOT NULL,
    decide_time TEXT,
    UNIQUE (first_face, second_face, kind)
) STRICT;
INSERT INTO matches
    SELECT key, tenant, first_face, second_face, 'face', proposal, similarity, llr, propose_time, verdict, note, decided_by,
        decide_time
    FROM face_matches;
DROP TABLE face_matches;
ALTER TABLE matches RENAME TO face_matches;
CREATE INDEX face_matches_by_second ON face_matches (second_face);
CREATE INDEX face_matches_by_verdict ON face_matches (tenant, verdict, key);
