-- +goose Up
-- Rather fail than make everybody wait behind a long transaction.
SET LOCAL lock_timeout = '3s';

-- The cookie before the last rotation stays good for 30 s. What its successor is,
-- is computed from it, the nonce and a key that is not in this database, so that
-- every replica finds the same one and a dump of the table finds none.
-- The constraint is checked for the rows that were there in the next migration.
ALTER TABLE public.sessions
    ADD COLUMN previous_digest bytea,
    ADD COLUMN rotated_at      timestamptz,
    ADD COLUMN rotation_nonce  bytea,
    ADD CONSTRAINT sessions_rotation CHECK (
        (previous_digest IS NULL) = (rotated_at IS NULL) AND (previous_digest IS NULL) = (rotation_nonce IS NULL)
        AND octet_length(previous_digest) = 32 AND octet_length(rotation_nonce) = 16) NOT VALID;

-- When each service token was last accepted, by key id and whichever replica
-- it was: an old one may go when its time stands still.
CREATE TABLE public.service_token_use (
    key_id       text        PRIMARY KEY CHECK (octet_length(key_id) BETWEEN 1 AND 64),
    last_used_at timestamptz NOT NULL
);

-- +goose Down
SET LOCAL lock_timeout = '3s';
DROP TABLE public.service_token_use;
ALTER TABLE public.sessions DROP COLUMN previous_digest, DROP COLUMN rotated_at, DROP COLUMN rotation_nonce;
