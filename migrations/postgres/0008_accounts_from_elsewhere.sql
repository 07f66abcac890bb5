-- Who signs in with an identity provider: issuer and subject of their ID tokens, which stay when a name changes. Empty for
-- accounts with a password.
ALTER TABLE accounts ADD COLUMN issuer TEXT COLLATE "C" NOT NULL DEFAULT '';
ALTER TABLE accounts ADD COLUMN subject TEXT COLLATE "C" NOT NULL DEFAULT '';
CREATE UNIQUE INDEX accounts_by_subject ON accounts (issuer, subject) WHERE issuer <> '';
