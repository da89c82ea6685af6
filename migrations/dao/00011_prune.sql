-- +goose Up
SET LOCAL lock_timeout = '3s';

-- Deletes the rows of a table that are older than that, the oldest first, a few in each
-- transaction, and says how long the longest one took. It waits for nobody's lock and holds
-- its own for as long as one batch takes. It goes along the primary key, which grows with
-- time (bigserial, UUIDv7), and stops at the first batch in which nothing is old: no index on
-- the time is needed, and none of a table's rest is read.
--
-- It has its caller's rights: on audit_log only audit_retention's suffice. The attack: a
-- function of somebody else's in the caller's path that fits better than the built-in one,
-- and runs with those rights. So the path is fixed, in each transaction anew.
-- +goose StatementBegin
CREATE PROCEDURE public.prune(what regclass, older_than interval, batch integer DEFAULT 1000, pause interval DEFAULT '50 milliseconds')
LANGUAGE plpgsql AS $$
DECLARE
    before  timestamptz := clock_timestamp() - older_than;
    key     text;        -- the primary key, its type, and what it begins behind
    kind    text;
    behind  text;
    age     text;        -- the column that says how old a row is
    holding text := '';
    upto    text;
    old     bigint;
    gone    bigint;
    begun   timestamptz;
    total   bigint := 0;
    batches bigint := 0;
    longest interval := '0';
BEGIN
    PERFORM pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true);
    CASE what
        WHEN 'public.audit_log'::regclass THEN
            key := 'id'; kind := 'bigint'; behind := '0'; age := 'at';
        WHEN 'public.handoffs'::regclass THEN
            key := 'handoff_id'; kind := 'uuid'; age := 'expires_at';
        WHEN 'public.sessions'::regclass THEN -- and their hand-offs with them
            key := 'id'; kind := 'uuid'; age := 'expires_at';
        ELSE
            RAISE EXCEPTION 'nothing is known of how old rows of % are', what USING ERRCODE = 'invalid_parameter_value';
    END CASE;
    -- A second use must be recognised for a day (invariant I8).
    IF (older_than >= interval '1 day' AND batch >= 1) IS NOT TRUE THEN -- NULL is no bound
        RAISE EXCEPTION 'rows of the last day stay, and a batch has a row at least' USING ERRCODE = 'invalid_parameter_value';
    END IF;
    IF kind = 'uuid' THEN
        behind := '00000000-0000-0000-0000-000000000000';
        holding := 'FOR UPDATE SKIP LOCKED'; -- nobody ever locks an audit row
    END IF;
    LOOP
        EXECUTE format('SELECT count(*) FILTER (WHERE %1$I < $2), (array_agg(%2$I ORDER BY %2$I DESC))[1]::text
                        FROM (SELECT %2$I, %1$I FROM %3$s WHERE %2$I > $1::%4$s ORDER BY %2$I LIMIT $3) next', age, key, what, kind)
            INTO old, upto USING behind, before, batch;
        EXIT WHEN old = 0;
        begun := clock_timestamp();
        EXECUTE format('WITH old AS (SELECT %2$I FROM %3$s WHERE %2$I > $1::%4$s AND %2$I <= $2::%4$s AND %1$I < $3 ORDER BY %2$I %5$s)
                        DELETE FROM %3$s d USING old WHERE d.%2$I = old.%2$I', age, key, what, kind, holding)
            USING behind, upto, before;
        GET DIAGNOSTICS gone = ROW_COUNT;
        COMMIT;
        PERFORM pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true);
        longest := greatest(longest, clock_timestamp() - begun);
        behind := upto; total := total + gone; batches := batches + 1;
        PERFORM pg_sleep_for(pause);
    END LOOP;
    RAISE NOTICE '%: % rows in % batches, the longest took %', what, total, batches, longest;
END
$$;
-- +goose StatementEnd

-- +goose Down
SET LOCAL lock_timeout = '3s';
DROP PROCEDURE public.prune(regclass, interval, integer, interval);
