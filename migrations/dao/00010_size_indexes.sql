-- +goose NO TRANSACTION
-- +goose Up
-- handoffs_member_minted begins with member_id too, and each index of the ledger is one
-- more page that a mint writes.
DROP INDEX CONCURRENTLY IF EXISTS public.handoffs_member_id;

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
DROP INDEX CONCURRENTLY IF EXISTS public.handoffs_member_id;
CREATE INDEX CONCURRENTLY handoffs_member_id ON public.handoffs (member_id);
