-- +goose Up
SET LOCAL lock_timeout = '3s';

-- Takes the lock under which hand-offs open a session or end, if nobody has it, and says
-- whether the hand-off may open one as far as this table knows. Two statements in one
-- function: the second sees what was committed by whoever had the lock before.
-- +goose StatementBegin
CREATE FUNCTION public.hold_clear_handoff(handoff uuid) RETURNS boolean LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF NOT pg_try_advisory_xact_lock(hashtextextended(handoff::text, 0)) THEN
        RETURN false;
    END IF;
    RETURN NOT EXISTS (SELECT FROM public.handoffs_ended e WHERE e.handoff_id = handoff);
END
$$;
-- +goose StatementEnd

-- +goose Down
SET LOCAL lock_timeout = '3s';
DROP FUNCTION public.hold_clear_handoff(uuid);
