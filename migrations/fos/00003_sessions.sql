-- +goose Up
CREATE TABLE public.sessions (
    id             uuid        PRIMARY KEY,
    user_id        uuid        NOT NULL REFERENCES public.users (id) ON DELETE CASCADE,
    origin         text        NOT NULL CHECK (origin IN ('password', 'handoff')),
    -- Unique: whatever the exchange allowed, one hand-off opens one session (I1).
    handoff_id     uuid        UNIQUE,
    entry_product  text,
    -- SHA-256 of the arrival key, the browser's own mark on this hand-off: only
    -- who holds it is given the session again when an answer was lost (I8).
    arrival        bytea       CHECK (octet_length(arrival) = 32),
    -- The generation of the refresh token that is current.
    generation     integer     NOT NULL CHECK (generation > 0),
    -- Whether a founder or admin has proved themselves on this side (I10).
    elevated       boolean     NOT NULL,
    auth_time      timestamptz NOT NULL,
    amr            text[]      NOT NULL,
    created_at     timestamptz NOT NULL,
    last_used_at   timestamptz NOT NULL,
    expires_at     timestamptz NOT NULL,
    ended_at       timestamptz,
    ended_as       text,
    CHECK ((origin = 'handoff') = (handoff_id IS NOT NULL)),
    CHECK ((ended_at IS NULL) = (ended_as IS NULL))
);
CREATE INDEX sessions_user_id ON public.sessions (user_id);

-- +goose Down
DROP TABLE public.sessions;
