-- +goose Up
-- Each hand-off is redeemed once, and longer then by its attempt. With room for that in its
-- own page the new row needs no new entries in the ledger's four indexes (PostgreSQL,
-- "Heap-Only Tuples"). Rows that are there already stay as they are.
ALTER TABLE public.handoffs SET (fillfactor = 70);

-- +goose Down
ALTER TABLE public.handoffs RESET (fillfactor);
