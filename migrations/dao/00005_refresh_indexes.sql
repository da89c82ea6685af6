-- +goose NO TRANSACTION
-- +goose Up
-- Built and checked beside running traffic. An index that was left half built by a
-- failure is dropped first.
ALTER TABLE public.sessions VALIDATE CONSTRAINT sessions_rotation;
DROP INDEX CONCURRENTLY IF EXISTS public.sessions_previous_digest;
CREATE UNIQUE INDEX CONCURRENTLY sessions_previous_digest ON public.sessions (previous_digest);

-- +goose Down
DROP INDEX CONCURRENTLY IF EXISTS public.sessions_previous_digest;
