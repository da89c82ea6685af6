-- +goose Up
-- The ledger: one row for every token ever minted. It decides whether a token
-- is still good; Redis only carries what the token stands for.
CREATE TABLE public.handoffs (
    handoff_id    uuid        PRIMARY KEY,
    -- SHA-256 of the token's 32 bytes. Kept for at least a day after expiry, so
    -- that a second use is recognised as a replay (invariant I8).
    digest        bytea       NOT NULL UNIQUE CHECK (octet_length(digest) = 32),
    member_id     uuid        NOT NULL REFERENCES public.members (id) ON DELETE CASCADE,
    session_id    uuid        NOT NULL REFERENCES public.sessions (id) ON DELETE CASCADE,
    entry_product text        NOT NULL,
    target_domain text        NOT NULL,
    minted_at     timestamptz NOT NULL,
    expires_at    timestamptz NOT NULL,
    -- Set once, by whoever wins: exchanged, or burnt by a wrong target (I7).
    redeemed_at   timestamptz,
    redeemed_as   text        CHECK (redeemed_as IN ('exchanged', 'wrong_target')),
    -- SHA-256 of the caller's Idempotency-Key, or of a random value: tells a
    -- caller who repeats a lost answer from somebody else.
    attempt       bytea       CHECK (octet_length(attempt) = 32),
    -- Key id of the service token that it was redeemed under.
    redeemed_by   text,
    CHECK ((redeemed_at IS NULL) = (redeemed_as IS NULL)),
    CHECK ((redeemed_at IS NULL) = (attempt IS NULL)),
    CHECK ((redeemed_at IS NULL) = (redeemed_by IS NULL))
);
CREATE INDEX handoffs_member_id ON public.handoffs (member_id);
CREATE INDEX handoffs_session_id ON public.handoffs (session_id);

-- +goose Down
DROP TABLE public.handoffs;
