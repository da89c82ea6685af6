-- +goose Up
CREATE TABLE public.users (
    id              uuid        PRIMARY KEY,
    email           text        NOT NULL,
    -- ASCII-folded in Go (privacy.Email.Canonical): lower() would fold Unicode.
    email_canonical text        NOT NULL UNIQUE,
    email_verified  boolean     NOT NULL,
    password_hash   text,
    display_name    text,
    role            text        NOT NULL CHECK (role IN ('founder', 'admin', 'member', 'guest')),
    status          text        NOT NULL CHECK (status IN ('ACTIVE', 'PENDING', 'SUSPENDED', 'DEACTIVATED')),
    -- The second factor's shared secret; NULL is no second factor.
    totp_secret     text,
    created_at      timestamptz NOT NULL,
    updated_at      timestamptz NOT NULL
);

-- Who this user is at another authority. A user has at most one subject at each
-- provider, a subject at most one user: the two constraints hold section 5's
-- table under any number of concurrent arrivals.
CREATE TABLE public.identity_link (
    provider   text        NOT NULL CHECK (provider IN ('dao')),
    subject    text        NOT NULL,
    user_id    uuid        NOT NULL REFERENCES public.users (id) ON DELETE CASCADE,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (provider, subject),
    UNIQUE (user_id, provider)
);

CREATE TABLE public.ic_identity_link (
    principal  text        PRIMARY KEY,
    user_id    uuid        NOT NULL REFERENCES public.users (id) ON DELETE CASCADE,
    created_at timestamptz NOT NULL
);
CREATE INDEX ic_identity_link_user_id ON public.ic_identity_link (user_id);

-- The rest of what an account can be entered by. This service does not fill
-- these tables, but reclaiming an account (section 5, row 3) must empty them for
-- that user: whoever made the unproven account may have left a door open.
CREATE TABLE public.oauth_credential (
    provider   text        NOT NULL,
    subject    text        NOT NULL,
    user_id    uuid        NOT NULL REFERENCES public.users (id) ON DELETE CASCADE,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (provider, subject)
);
CREATE INDEX oauth_credential_user_id ON public.oauth_credential (user_id);

CREATE TABLE public.api_token (
    id         uuid        PRIMARY KEY,
    user_id    uuid        NOT NULL REFERENCES public.users (id) ON DELETE CASCADE,
    digest     bytea       NOT NULL UNIQUE CHECK (octet_length(digest) = 32),
    created_at timestamptz NOT NULL
);
CREATE INDEX api_token_user_id ON public.api_token (user_id);

CREATE TABLE public.password_reset (
    digest     bytea       PRIMARY KEY CHECK (octet_length(digest) = 32),
    user_id    uuid        NOT NULL REFERENCES public.users (id) ON DELETE CASCADE,
    expires_at timestamptz NOT NULL
);
CREATE INDEX password_reset_user_id ON public.password_reset (user_id);

-- A pending proof of an address: the present one, or a change not yet confirmed.
CREATE TABLE public.email_verification (
    digest     bytea       PRIMARY KEY CHECK (octet_length(digest) = 32),
    user_id    uuid        NOT NULL REFERENCES public.users (id) ON DELETE CASCADE,
    email      text        NOT NULL,
    expires_at timestamptz NOT NULL
);
CREATE INDEX email_verification_user_id ON public.email_verification (user_id);

-- +goose Down
DROP TABLE public.email_verification;
DROP TABLE public.password_reset;
DROP TABLE public.api_token;
DROP TABLE public.oauth_credential;
DROP TABLE public.ic_identity_link;
DROP TABLE public.identity_link;
DROP TABLE public.users;
