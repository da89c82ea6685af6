-- +goose Up
-- What happened, who, when, in a closed vocabulary (package audit). No free
-- text, no address, no user agent: origin is a pseudonym that ages with its key.
CREATE TABLE public.audit_log (
    id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at            timestamptz NOT NULL,
    event         text        NOT NULL,
    outcome       text        NOT NULL CHECK (outcome IN ('success', 'failure')),
    reason        text,
    actor_id      uuid,
    handoff_id    uuid,
    entry_product text,
    target_domain text,
    origin        text,
    origin_key    text,
    request_id    text
);
CREATE INDEX audit_log_handoff_id ON public.audit_log (handoff_id) WHERE handoff_id IS NOT NULL;
CREATE INDEX audit_log_actor_id ON public.audit_log (actor_id, at) WHERE actor_id IS NOT NULL;
CREATE INDEX audit_log_at ON public.audit_log (at);

-- The attack: somebody with the service's own database rights hides what they
-- did. Old rows may be deleted only under a role made for that alone, which the
-- service's role must not be a member of.
-- +goose StatementBegin
CREATE FUNCTION public.audit_log_append_only() RETURNS trigger LANGUAGE plpgsql
-- Fixed, or a caller with an "=" of their own in front would decide who they are.
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF TG_OP = 'DELETE' AND current_user = 'audit_retention' THEN
        RETURN NULL;
    END IF;
    RAISE EXCEPTION 'audit_log is append-only: % refused', TG_OP USING ERRCODE = 'insufficient_privilege';
END
$$;
-- +goose StatementEnd
CREATE TRIGGER audit_log_append_only
    BEFORE UPDATE OR DELETE OR TRUNCATE ON public.audit_log
    FOR EACH STATEMENT EXECUTE FUNCTION public.audit_log_append_only();

-- +goose Down
DROP TABLE public.audit_log;
DROP FUNCTION public.audit_log_append_only();
