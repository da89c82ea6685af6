-- +goose Up
-- Rather fail than make everybody wait behind a long transaction.
SET LOCAL lock_timeout = '3s';

-- Since when each service token has been accepted: its age. Of one that is there already
-- only its last use is known, and it is at least as old. The default is for the program that
-- is being replaced, which does not name the column.
ALTER TABLE public.service_token_use ADD COLUMN first_used_at timestamptz;
UPDATE public.service_token_use SET first_used_at = last_used_at;
ALTER TABLE public.service_token_use ALTER COLUMN first_used_at SET DEFAULT clock_timestamp(), ALTER COLUMN first_used_at SET NOT NULL;

-- +goose Down
SET LOCAL lock_timeout = '3s';
ALTER TABLE public.service_token_use DROP COLUMN first_used_at;
