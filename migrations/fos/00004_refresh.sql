-- +goose Up
-- Rather fail than make everybody wait behind a long transaction.
SET LOCAL lock_timeout = '3s';

-- What refreshing needs to know of the generation that is current: since when,
-- and whether anything that was issued with it has been shown. A program of the
-- version before writes neither, and reads as never rotated.
ALTER TABLE public.sessions
    ADD COLUMN rotated_at      timestamptz,
    ADD COLUMN generation_used boolean NOT NULL DEFAULT false;

-- +goose Down
SET LOCAL lock_timeout = '3s';
ALTER TABLE public.sessions DROP COLUMN generation_used, DROP COLUMN rotated_at;
