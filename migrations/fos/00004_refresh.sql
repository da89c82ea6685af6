-- +goose Up
-- What refreshing needs to know of the generation that is current: since when,
-- and whether anything that was issued with it has been shown. A program of the
-- version before writes neither, and reads as never rotated.
ALTER TABLE public.sessions
    ADD COLUMN rotated_at      timestamptz,
    ADD COLUMN generation_used boolean NOT NULL DEFAULT false;

-- Finds the costliest bcrypt hash that is left, at every login: no account is
-- checked with less work than that one. It is empty once all are replaced.
CREATE INDEX users_bcrypt_cost ON public.users (substring(password_hash FROM 5 FOR 2)) WHERE password_hash LIKE '$2%';

-- +goose Down
DROP INDEX public.users_bcrypt_cost;
ALTER TABLE public.sessions DROP COLUMN generation_used, DROP COLUMN rotated_at;
