-- +goose Up
SET LOCAL lock_timeout = '3s';

-- A row of handoff_endings can be for later: whether the hand-off has opened a session by
-- then is looked at when it is due. A session that ends before does not wait for that.
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION public.handoff_left() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    INSERT INTO public.handoff_endings AS e (handoff_id) VALUES (OLD.handoff_id)
    ON CONFLICT (handoff_id) DO UPDATE SET queued_at = clock_timestamp(), next_try_at = '-infinity' WHERE e.queued_at > clock_timestamp();
    RETURN NULL;
END
$$;
-- +goose StatementEnd

-- +goose Down
-- The courier of before would take what is for later for what is over. The function as it is
-- above does the same for rows that are due.
DELETE FROM public.handoff_endings WHERE queued_at > clock_timestamp();
