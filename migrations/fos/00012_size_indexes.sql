-- +goose NO TRANSACTION
-- +goose Up
-- audit_log is written in the order of its times, so that a summary of each stretch of it
-- finds a day as a whole tree does. An index that was left half built by a failure is
-- dropped first.
DROP INDEX CONCURRENTLY IF EXISTS public.audit_log_at_range;
CREATE INDEX CONCURRENTLY audit_log_at_range ON public.audit_log USING brin (at) WITH (autosummarize = on);
DROP INDEX CONCURRENTLY IF EXISTS public.audit_log_at;

-- +goose Down
DROP INDEX CONCURRENTLY IF EXISTS public.audit_log_at;
CREATE INDEX CONCURRENTLY audit_log_at ON public.audit_log (at);
DROP INDEX CONCURRENTLY IF EXISTS public.audit_log_at_range;
