-- +goose Up
-- Rather fail than make everybody wait behind a long transaction.
SET LOCAL lock_timeout = '3s';

-- A hand-off ends with its session, with its membership, when its member says so, or
-- when the other half says that its session has ended there (ended_as 'target_ended').
-- The constraint is checked for the rows that were there in the next migration.
ALTER TABLE public.handoffs
    ADD COLUMN ended_at timestamptz,
    ADD COLUMN ended_as text,
    ADD CONSTRAINT handoffs_ended CHECK ((ended_at IS NULL) = (ended_as IS NULL)) NOT VALID;

-- What the other half is still to be told. A row goes when it has been.
CREATE TABLE public.handoff_endings (
    handoff_id  uuid        PRIMARY KEY,
    queued_at   timestamptz NOT NULL DEFAULT clock_timestamp(),
    attempts    integer     NOT NULL DEFAULT 0,
    -- Until then the row is in the hands of one courier. By this server's clock, which
    -- all replicas share.
    next_try_at timestamptz NOT NULL DEFAULT '-infinity'
);
CREATE INDEX handoff_endings_next_try_at ON public.handoff_endings (next_try_at);

-- The rest is triggers because other programs end sessions and memberships too, by SQL.
-- They need no right on what the triggers write (SECURITY DEFINER); the search_path is
-- fixed, or a caller with an "=" of their own in front would be the definer.
--
-- Whoever locks several of these rows locks the member first, then the session, then
-- the hand-offs in the order of their ids, as the gate does (package handoff).

-- +goose StatementBegin
CREATE FUNCTION public.handoff_ended() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    INSERT INTO public.handoff_endings (handoff_id) VALUES (NEW.handoff_id) ON CONFLICT DO NOTHING;
    RETURN NULL;
END
$$;
-- +goose StatementEnd
-- What the other half said is not said back to it.
CREATE TRIGGER handoff_ended AFTER UPDATE ON public.handoffs FOR EACH ROW
    WHEN (OLD.ended_at IS NULL AND NEW.ended_at IS NOT NULL AND NEW.ended_as <> 'target_ended')
    EXECUTE FUNCTION public.handoff_ended();

-- end_handoffs ends those of a session, or of a member. Of those that were never
-- redeemed it takes the ones whose redemption may be on its way; the others are dead, and
-- with 30 mints a minute there may be many.
-- +goose StatementBegin
CREATE FUNCTION public.end_handoffs(of_session uuid, of_member uuid, at timestamptz, reason text) RETURNS void LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    UPDATE public.handoffs h SET ended_at = at, ended_as = reason
    FROM (SELECT o.handoff_id FROM public.handoffs o
          WHERE (o.session_id = of_session OR o.member_id = of_member) AND o.ended_at IS NULL
            AND (o.redeemed_as = 'exchanged' OR o.redeemed_at IS NULL AND o.expires_at > at - interval '5 minutes')
          ORDER BY o.handoff_id FOR NO KEY UPDATE) held
    WHERE h.handoff_id = held.handoff_id AND h.ended_at IS NULL;
END
$$;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE FUNCTION public.handoffs_leave_with_session() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        PERFORM public.end_handoffs(OLD.id, NULL, clock_timestamp(), 'session_ended');
        RETURN OLD;
    END IF;
    PERFORM public.end_handoffs(NEW.id, NULL, NEW.ended_at, 'session_ended');
    RETURN NULL;
END
$$;
-- +goose StatementEnd
CREATE TRIGGER handoffs_leave_with_session AFTER UPDATE ON public.sessions FOR EACH ROW
    WHEN (OLD.ended_at IS NULL AND NEW.ended_at IS NOT NULL)
    EXECUTE FUNCTION public.handoffs_leave_with_session();
-- Before the row goes, and its hand-offs with it. Sweeping out what is over ends nothing.
CREATE TRIGGER handoffs_leave_with_deleted_session BEFORE DELETE ON public.sessions FOR EACH ROW
    WHEN (OLD.ended_at IS NULL AND OLD.expires_at > clock_timestamp())
    EXECUTE FUNCTION public.handoffs_leave_with_session();

-- Who is shut out is signed out too (OWASP ASVS 5.0, 7.4.2): else the sessions of before
-- would live again with the membership. A pending member may be signed in.
-- +goose StatementBegin
CREATE FUNCTION public.handoffs_leave_with_member() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    at timestamptz := clock_timestamp();
BEGIN
    IF TG_OP = 'DELETE' THEN
        PERFORM public.end_handoffs(NULL, OLD.id, at, 'account_inactive');
        RETURN OLD;
    END IF;
    IF NEW.membership_status <> 'pending' THEN
        WITH held AS (
            SELECT s.id FROM public.sessions s WHERE s.member_id = NEW.id AND s.ended_at IS NULL ORDER BY s.id FOR NO KEY UPDATE
        ), ended AS (
            UPDATE public.sessions s SET ended_at = at, ended_as = 'account_inactive' FROM held WHERE s.id = held.id RETURNING s.member_id
        )
        INSERT INTO public.audit_log (at, event, outcome, reason, actor_id)
        SELECT at, 'session.ended', 'success', 'account_inactive', member_id FROM ended;
    END IF;
    -- Also those of sessions that are over by themselves.
    PERFORM public.end_handoffs(NULL, NEW.id, at, 'account_inactive');
    RETURN NULL;
END
$$;
-- +goose StatementEnd
CREATE TRIGGER handoffs_leave_with_member AFTER UPDATE ON public.members FOR EACH ROW
    WHEN (NEW.membership_status <> 'active' AND NEW.membership_status <> OLD.membership_status)
    EXECUTE FUNCTION public.handoffs_leave_with_member();
CREATE TRIGGER handoffs_leave_with_deleted_member BEFORE DELETE ON public.members FOR EACH ROW
    EXECUTE FUNCTION public.handoffs_leave_with_member();

-- The attack: to put such a function on a table of one's own, and end whose hand-offs one
-- likes with its owner's rights. A trigger that is there needs no right of whoever fires it.
REVOKE ALL ON FUNCTION public.handoff_ended(), public.handoffs_leave_with_session(), public.handoffs_leave_with_member(),
    public.end_handoffs(uuid, uuid, timestamptz, text) FROM PUBLIC;

-- +goose Down
SET LOCAL lock_timeout = '3s';
DROP TRIGGER handoffs_leave_with_deleted_member ON public.members;
DROP TRIGGER handoffs_leave_with_member ON public.members;
DROP TRIGGER handoffs_leave_with_deleted_session ON public.sessions;
DROP TRIGGER handoffs_leave_with_session ON public.sessions;
DROP TRIGGER handoff_ended ON public.handoffs;
DROP FUNCTION public.handoffs_leave_with_member();
DROP FUNCTION public.handoffs_leave_with_session();
DROP FUNCTION public.end_handoffs(uuid, uuid, timestamptz, text);
DROP FUNCTION public.handoff_ended();
DROP TABLE public.handoff_endings;
ALTER TABLE public.handoffs DROP COLUMN ended_as, DROP COLUMN ended_at;
