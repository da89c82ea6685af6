-- +goose Up
CREATE TABLE public.members (
    id                uuid        PRIMARY KEY,
    email             text        NOT NULL,
    -- ASCII-folded in Go (privacy.Email.Canonical): lower() would fold Unicode.
    email_canonical   text        NOT NULL UNIQUE,
    email_verified    boolean     NOT NULL,
    display_name      text,
    ic_principal      text        UNIQUE CHECK (octet_length(ic_principal) BETWEEN 1 AND 255),
    roles             text[]      NOT NULL DEFAULT '{}',
    membership_status text        NOT NULL CHECK (membership_status IN ('active', 'pending', 'suspended', 'ended')),
    password_hash     text,
    created_at        timestamptz NOT NULL,
    updated_at        timestamptz NOT NULL
);

CREATE TABLE public.sessions (
    -- Never changes, also when the cookie's value is rotated: the CSRF value and
    -- the hand-offs refer to it.
    id              uuid        PRIMARY KEY,
    member_id       uuid        NOT NULL REFERENCES public.members (id) ON DELETE CASCADE,
    -- SHA-256 of the cookie's 32 bytes; the cookie's value itself is nowhere.
    digest          bytea       NOT NULL UNIQUE CHECK (octet_length(digest) = 32),
    auth_time       timestamptz NOT NULL,
    amr             text[]      NOT NULL,
    created_at      timestamptz NOT NULL,
    idle_expires_at timestamptz NOT NULL,
    expires_at      timestamptz NOT NULL,
    ended_at        timestamptz,
    ended_as        text        CHECK ((ended_at IS NULL) = (ended_as IS NULL))
);
CREATE INDEX sessions_member_id ON public.sessions (member_id);

-- +goose Down
DROP TABLE public.sessions;
DROP TABLE public.members;
