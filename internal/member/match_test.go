package member_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/hello-world-co-op/handoff/internal/member"
)

// rotate writes what a refresh at now writes.
func rotate(t testing.TB, db *pgxpool.Pool, old, next member.Cookie, nonce []byte) {
	t.Helper()
	tag, err := db.Exec(context.Background(),
		`UPDATE sessions SET digest = $2, previous_digest = $1, rotated_at = $3, rotation_nonce = $4 WHERE digest = $1`,
		old.Digest(), next.Digest(), noon, nonce)
	if err != nil || tag.RowsAffected() != 1 {
		t.Fatal(tag, err)
	}
}

// A cookie is good while it is the session's, and for 30 s after another took its
// place; the one before that never.
func TestMatchSQL_knowsTheCookieAndTheOneBefore(t *testing.T) {
	t.Parallel()
	db := database(t)
	owner := seed(t, db, account(t, "ada@example.org"))
	rotation := rotationOf(t, "k")
	first := newCookie(t)
	session := member.NewSession(uuid.New(), owner, noon)
	write(t, db, session, first)
	write(t, db, member.NewSession(uuid.New(), owner, noon), newCookie(t)) // somebody else's, beside it
	second, nonce := nextOf(t, rotation, first)
	third, other := nextOf(t, rotation, second)

	want := func(name string, cookie member.Cookie, at time.Time, found bool) {
		t.Helper()
		got, who, err := member.FindSession(t.Context(), db, cookie, at)
		switch {
		case found && (err != nil || got.ID != session.ID || who.ID != owner):
			t.Errorf("%s: %v in the session %v", name, err, got.ID)
		case !found && (!errors.Is(err, member.ErrNoSession) || got.ID != uuid.Nil || who.ID != uuid.Nil):
			t.Errorf("%s: %v in the session %v", name, err, got.ID)
		}
	}
	want("before any rotation", first, noon.Add(time.Hour), true)
	want("before any rotation, the next", second, noon.Add(time.Hour), false)

	rotate(t, db, first, second, nonce)
	for name, row := range map[string]struct {
		after time.Duration
		good  bool
	}{
		"at once": {0, true}, "by a replica whose clock is behind": {-time.Second, true},
		"29.999 s later": {29999 * time.Millisecond, true}, "30 s later to the microsecond": {30*time.Second - time.Microsecond, true},
		"30 s later": {30 * time.Second, false}, "a day later": {24 * time.Hour, false},
	} {
		want(name+", the new one", second, noon.Add(row.after), true)
		want(name+", the old one", first, noon.Add(row.after), row.good)
	}

	rotate(t, db, second, third, other)
	want("rotated twice, the third", third, noon, true)
	want("rotated twice, the second", second, noon, true)
	want("rotated twice, the first", first, noon, false)
	want("rotated twice, nobody's", newCookie(t), noon, false)
}

// A rotation waits until nobody needs the cookie before the last one: the two rules
// leave neither a gap nor an overlap.
func TestRotatableSQL_beginsWhereThePreviousCookieEnds(t *testing.T) {
	t.Parallel()
	db := database(t)
	owner := seed(t, db, account(t, "ada@example.org"))
	first := newCookie(t)
	write(t, db, member.NewSession(uuid.New(), owner, noon), first)
	holds := func(rule string, cookie member.Cookie, at time.Time) (holds bool) {
		t.Helper()
		err := db.QueryRow(t.Context(), `SELECT `+rule+` FROM sessions s`, pgx.NamedArgs{"cookie": cookie.Digest(), "now": at}).Scan(&holds)
		if err != nil {
			t.Fatal(err)
		}
		return holds
	}
	if !holds(member.RotatableSQL, first, noon) {
		t.Error("a session that was never rotated cannot be")
	}
	second, nonce := nextOf(t, rotationOf(t, "k"), first)
	rotate(t, db, first, second, nonce)
	for _, after := range []time.Duration{-time.Minute, 0, time.Second, 30*time.Second - time.Microsecond, 30 * time.Second, time.Hour} {
		at := noon.Add(after)
		if previous, rotatable := holds(member.MatchSQL, first, at), holds(member.RotatableSQL, first, at); previous == rotatable {
			t.Errorf("%v later the previous cookie is good: %v, the session rotatable: %v", after, previous, rotatable)
		}
	}
	if want := 30 * time.Second; member.PreviousTTL != want {
		t.Errorf("the code says %v and the statements %v", member.PreviousTTL, want)
	}
}

// The row says all three things about a rotation or none, and a cookie belongs to
// one session.
func TestSessions_theSchemaKeepsRotationsWhole(t *testing.T) {
	t.Parallel()
	db := database(t)
	owner := seed(t, db, account(t, "ada@example.org"))
	first, second := newCookie(t), newCookie(t)
	for _, cookie := range []member.Cookie{first, second} {
		write(t, db, member.NewSession(uuid.New(), owner, noon), cookie)
	}
	for name, set := range map[string]string{
		"a digest alone":                  `previous_digest = sha256('x')`,
		"a time alone":                    `rotated_at = now()`,
		"a nonce alone":                   `rotation_nonce = substring(sha256('x') FOR 16)`,
		"no nonce":                        `previous_digest = sha256('x'), rotated_at = now()`,
		"a short nonce":                   `previous_digest = sha256('x'), rotated_at = now(), rotation_nonce = 'short'`,
		"a cookie in place of its digest": `previous_digest = 'x', rotated_at = now(), rotation_nonce = substring(sha256('x') FOR 16)`,
		"another session's cookie":        `digest = (SELECT digest FROM sessions WHERE digest <> $1)`,
	} {
		if _, err := db.Exec(t.Context(), `UPDATE sessions SET `+set+` WHERE digest = $1`, first.Digest()); err == nil {
			t.Errorf("the table takes %s", name)
		}
	}
	whole := ` = sha256('x'), rotated_at = now(), rotation_nonce = substring(sha256('x') FOR 16) WHERE digest = $1`
	if _, err := db.Exec(t.Context(), `UPDATE sessions SET previous_digest`+whole, first.Digest()); err != nil {
		t.Error(err)
	}
	if _, err := db.Exec(t.Context(), `UPDATE sessions SET previous_digest`+whole, second.Digest()); err == nil {
		t.Error("one previous cookie belongs to two sessions")
	}
}
