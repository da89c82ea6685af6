-- +goose Up
SET LOCAL lock_timeout = '3s';

-- Who shuts a member out takes the locks in everybody's order: the member, all the
-- sessions, then all the hand-offs by their ids. Session by session, each with its own
-- hand-offs, it and the other half's news of several ends could wait for each other.
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION public.handoffs_leave_with_member() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    at timestamptz := clock_timestamp();
BEGIN
    PERFORM 1 FROM public.sessions s WHERE s.member_id = OLD.id AND s.ended_at IS NULL ORDER BY s.id FOR NO KEY UPDATE;
    -- Also those of sessions that are over by themselves.
    PERFORM public.end_handoffs(NULL, OLD.id, at, 'account_inactive');
    IF TG_OP = 'DELETE' THEN
        RETURN OLD;
    END IF;
    IF NEW.membership_status <> 'pending' THEN
        WITH ended AS (
            UPDATE public.sessions s SET ended_at = at, ended_as = 'account_inactive' WHERE s.member_id = NEW.id AND s.ended_at IS NULL RETURNING s.member_id
        )
        INSERT INTO public.audit_log (at, event, outcome, reason, actor_id)
        SELECT at, 'session.ended', 'success', 'account_inactive', member_id FROM ended;
    END IF;
    RETURN NULL;
END
$$;
-- +goose StatementEnd

-- +goose Down
-- The function as it is above does the same, in a better order.
SELECT 1;
