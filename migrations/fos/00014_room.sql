-- +goose Up
-- A session changes with each refresh, none of it in an index. With room for that in its own
-- page it needs no new entries in them (PostgreSQL, "Heap-Only Tuples"). Rows that are there
-- already stay as they are.
ALTER TABLE public.sessions SET (fillfactor = 80);

-- +goose Down
ALTER TABLE public.sessions RESET (fillfactor);
