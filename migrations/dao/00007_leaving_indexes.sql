-- +goose NO TRANSACTION
-- +goose Up
-- Built and checked beside running traffic. An index that was left half built by a
-- failure is dropped first.
ALTER TABLE public.handoffs VALIDATE CONSTRAINT handoffs_ended;

-- A member's newest hand-offs, however many there are.
DROP INDEX CONCURRENTLY IF EXISTS public.handoffs_member_minted;
CREATE INDEX CONCURRENTLY handoffs_member_minted ON public.handoffs (member_id, minted_at);

-- +goose Down
DROP INDEX CONCURRENTLY IF EXISTS public.handoffs_member_minted;
