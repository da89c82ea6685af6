-- +goose Up
-- Rather fail than make everybody wait behind a long transaction.
SET LOCAL lock_timeout = '3s';

-- When the session's budget for mints is full again (GCRA: package ratelimit). It is in the
-- row that a mint locks anyway, so that counting is no question of its own.
ALTER TABLE public.sessions ADD COLUMN mints_full_at timestamptz;
-- Each mint moves it. With room for that in its own page the new row needs no new entries in
-- the table's indexes (PostgreSQL, "Heap-Only Tuples"). Rows that are there stay as they are.
ALTER TABLE public.sessions SET (fillfactor = 70);

-- +goose Down
SET LOCAL lock_timeout = '3s';
ALTER TABLE public.sessions RESET (fillfactor);
ALTER TABLE public.sessions DROP COLUMN mints_full_at;
