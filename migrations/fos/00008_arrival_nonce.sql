-- +goose Up
-- Rather fail than make everybody wait behind a long transaction.
SET LOCAL lock_timeout = '3s';

-- Beside the arrival key, the other thing by which a browser is known again: the digest of
-- the verifier that it has of a journey which it began (invariant I8). New rows are held
-- to the constraints; the ones that were there have none.
ALTER TABLE public.sessions
    ADD COLUMN nonce bytea,
    ADD CONSTRAINT sessions_nonce CHECK (octet_length(nonce) = 32) NOT VALID;
-- Where both are NULL the hand-off has ended for every arrival.
ALTER TABLE public.handoffs_ended
    ADD COLUMN shown_nonce bytea,
    ADD CONSTRAINT handoffs_ended_shown_nonce CHECK (octet_length(shown_nonce) = 32) NOT VALID;

-- +goose Down
SET LOCAL lock_timeout = '3s';
ALTER TABLE public.handoffs_ended DROP COLUMN shown_nonce;
ALTER TABLE public.sessions DROP COLUMN nonce;
