-- Pairs are of faces or of the backgrounds behind them: a person may say that two faces are two people's and that both sat in
-- one room.
ALTER TABLE face_matches ADD COLUMN kind TEXT COLLATE "C" NOT NULL DEFAULT 'face';
ALTER TABLE face_matches ALTER COLUMN kind DROP DEFAULT;
ALTER TABLE face_matches DROP CONSTRAINT face_matches_first_face_second_face_key;
ALTER TABLE face_matches ADD UNIQUE (first_face, second_face, kind);
