-- +goose Up
-- Hand-offs that must not open a session any more. What ends a hand-off can overtake
-- its arrival: somebody shows the token under another arrival key while the first one's
-- session is not written yet. Rows are of use for a minute, and may be deleted after a day.
CREATE TABLE public.handoffs_ended (
    handoff_id uuid        PRIMARY KEY,
    ended_at   timestamptz NOT NULL,
    ended_as   text        NOT NULL,
    -- SHA-256 of the arrival key under which the token was shown again: it has ended for
    -- every arrival with another key (invariant I8).
    shown_as   bytea       NOT NULL CHECK (octet_length(shown_as) = 32)
);

-- +goose Down
DROP TABLE public.handoffs_ended;
