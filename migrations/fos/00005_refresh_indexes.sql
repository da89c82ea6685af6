-- +goose NO TRANSACTION
-- +goose Up
-- Built beside running traffic. One that was left half built by a failure is dropped
-- first.

-- Finds the costliest bcrypt hash that is left, at every login: no account is
-- checked with less work than that one. It is empty once all are replaced.
DROP INDEX CONCURRENTLY IF EXISTS public.users_bcrypt_cost;
CREATE INDEX CONCURRENTLY users_bcrypt_cost ON public.users (substring(password_hash FROM 5 FOR 2))
    WHERE password_hash LIKE '$2%';

-- A user's sessions that may be live, however many have ended.
DROP INDEX CONCURRENTLY IF EXISTS public.sessions_open;
CREATE INDEX CONCURRENTLY sessions_open ON public.sessions (user_id) WHERE ended_at IS NULL;

-- +goose Down
DROP INDEX CONCURRENTLY IF EXISTS public.sessions_open;
DROP INDEX CONCURRENTLY IF EXISTS public.users_bcrypt_cost;
