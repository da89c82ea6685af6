-- +goose Up
-- Rather fail than make everybody wait behind a long transaction.
SET LOCAL lock_timeout = '3s';

-- A hand-off whose source has ended is over for every arrival: no arrival key is good.
ALTER TABLE public.handoffs_ended ALTER COLUMN shown_as DROP NOT NULL;

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

-- When each service token was last accepted on this half, by key id and whichever replica
-- it was: an old one may go when its time stands still.
CREATE TABLE public.service_token_use (
    key_id       text        PRIMARY KEY CHECK (octet_length(key_id) BETWEEN 1 AND 64),
    last_used_at timestamptz NOT NULL
);

-- A trigger, because other programs end sessions too, by SQL. They need no right on what
-- it writes (SECURITY DEFINER); the search_path is fixed, or a caller with an "=" of their
-- own in front would be the definer.
-- +goose StatementBegin
CREATE FUNCTION public.handoff_left() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    INSERT INTO public.handoff_endings (handoff_id) VALUES (OLD.handoff_id) ON CONFLICT DO NOTHING;
    RETURN NULL;
END
$$;
-- +goose StatementEnd
-- What the other half said is not said back to it.
CREATE TRIGGER handoff_left AFTER UPDATE ON public.sessions FOR EACH ROW
    WHEN (OLD.handoff_id IS NOT NULL AND OLD.ended_at IS NULL AND NEW.ended_at IS NOT NULL AND NEW.ended_as <> 'source_ended')
    EXECUTE FUNCTION public.handoff_left();
-- Sweeping out what is over ends nothing.
CREATE TRIGGER handoff_left_by_deletion AFTER DELETE ON public.sessions FOR EACH ROW
    WHEN (OLD.handoff_id IS NOT NULL AND OLD.ended_at IS NULL AND OLD.expires_at > clock_timestamp())
    EXECUTE FUNCTION public.handoff_left();

-- Else anybody could put it on a table of their own, and tell what they like.
REVOKE ALL ON FUNCTION public.handoff_left() FROM PUBLIC;

-- +goose Down
SET LOCAL lock_timeout = '3s';
DROP TRIGGER handoff_left_by_deletion ON public.sessions;
DROP TRIGGER handoff_left ON public.sessions;
DROP FUNCTION public.handoff_left();
DROP TABLE public.service_token_use;
DROP TABLE public.handoff_endings;
DELETE FROM public.handoffs_ended WHERE shown_as IS NULL;
ALTER TABLE public.handoffs_ended ALTER COLUMN shown_as SET NOT NULL;
