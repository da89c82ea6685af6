package session

import (
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"time"

	"github.com/google/uuid"
)

// Origin is how a session began.
type Origin string

// The origins.
const (
	Password Origin = "password"
	Handoff  Origin = "handoff"
)

// Session is a row of sessions. Times are UTC, to the microsecond.
type Session struct {
	ID           uuid.UUID
	UserID       uuid.UUID
	Origin       Origin
	HandoffID    *uuid.UUID // of sessions by hand-off, and only of those
	EntryProduct *string
	// Generation counts refreshes, from 1; the refresh token that carries it is the
	// current one.
	Generation int
	// GenerationUsed: something that was issued with the current generation has been
	// shown to this service.
	GenerationUsed bool
	// Elevated: the person has proved a password or second factor on this half.
	Elevated bool
	// AuthTime and AMR (RFC 8176) are when and how the person signed in; after a
	// hand-off, on the DAO half, until they prove themselves on this one.
	AuthTime   time.Time
	AMR        []string
	CreatedAt  time.Time
	LastUsedAt time.Time
	ExpiresAt  time.Time // absolute
	EndedAt    *time.Time
}

// Live reports whether the session is neither ended nor expired at now.
func (s Session) Live(now time.Time) bool { return s.EndedAt == nil && now.Before(s.ExpiresAt) }

// ActingRole is the role that a user of role acts with in s: what goes into the
// access token, and what every permission is decided by (invariant I10).
//
// A hand-off proves that somebody held a DAO session. The attack is to steal one
// and arrive as the founder of this half: until they have proved themselves here,
// a founder's or admin's session by hand-off acts as "member". elevatedRolesAllowed
// is HANDOFF_ELEVATED_ROLES=allow. Roles and origins that this program does not
// know are treated as the ones that need proof.
func ActingRole(role string, s Session, elevatedRolesAllowed bool) string {
	const member, guest = "member", "guest"
	if role == member || role == guest || s.Origin == Password || s.Elevated || elevatedRolesAllowed {
		return role
	}
	return member
}

// ProvedAt is the session as it is for a credential that says that the person proved
// themselves at authTime, in the ways amr. When they proved themselves again since, on
// this half ([ElevateSQL]), that counts for the pair that was made then and for its
// successors, and for nothing older.
//
// The attack: to take a copy of a session's tokens, or of the hand-off that opened it,
// and wait until its founder steps up (ASVS 5.0, 7.2.4). What the copy leads to then
// still acts as member, however often it is refreshed (I10). Tokens say whole seconds.
func (s Session) ProvedAt(authTime time.Time, amr []string) Session {
	if authTime.Before(s.AuthTime.Truncate(time.Second)) {
		s.AuthTime, s.AMR, s.Elevated = authTime, amr, false
	}
	return s
}

// Mark is the digest of something that one browser has. The zero Mark is none.
type Mark [sha256.Size]byte

func markOf(kind, secret string) Mark {
	if secret == "" {
		return Mark{}
	}
	return sha256.Sum256([]byte(kind + secret))
}

// Bytes is the form for the database; nil for none.
func (m Mark) Bytes() []byte {
	if m == (Mark{}) {
		return nil
	}
	return m[:]
}

// is reports whether stored is this mark, in constant time. None is nobody's, not even
// another none's: the attack is to repeat somebody's hand-off without a key, from a URL in
// a log, and be given their session (I8, I12).
func (m Mark) is(stored []byte) bool {
	return m != (Mark{}) && subtle.ConstantTimeCompare(m[:], stored) == 1
}

// Arrival is what a browser is known again by: the key that it made for this arrival,
// and the verifier that it has of a journey which it began here. One that is the same
// shows the same browser. One that differs shows another one, unless the other is the
// same. The zero Arrival shows nothing.
type Arrival struct{ Key, Nonce Mark }

// NewArrival makes the marks of a key (the Idempotency-Key of cross-domain-login) and of
// a verifier, "" for none. They are as random as the browser, or this half, makes them;
// they open nothing without the hand-off.
func NewArrival(key, verifier string) Arrival {
	return Arrival{markOf("", key), markOf("journey ", verifier)}
}

// IsNone reports whether the browser showed nothing.
func (a Arrival) IsNone() bool { return a == Arrival{} }

func (a Arrival) is(key, nonce []byte) bool {
	sameKey, sameNonce := a.Key.is(key), a.Nonce.is(nonce)
	return sameKey || sameNonce
}

// New is a session to be opened.
type New struct {
	ID     uuid.UUID
	UserID uuid.UUID
	// Origin, and with [Handoff] the hand-off's id. A session by password starts
	// elevated, one by hand-off never does (I10).
	Origin       Origin
	HandoffID    *uuid.UUID
	EntryProduct *string
	Arrival      Arrival
	AuthTime     time.Time
	AMR          []string
	Now          time.Time
	ExpiresAt    time.Time // see [Signer.SessionExpiry]
}

var errBadNew = errors.New("session: a new session's origin, hand-off id or times do not fit together")

// Complete reports whether the database would take n, and it says what it should.
func (n New) Complete() bool { return n.check() == nil }

// check finds what the database would refuse, and what it would not notice.
func (n New) check() error {
	byHandoff := n.Origin == Handoff && n.HandoffID != nil && *n.HandoffID != uuid.Nil
	byPassword := n.Origin == Password && n.HandoffID == nil && n.Arrival.IsNone()
	if (!byHandoff && !byPassword) || !n.Now.Before(n.ExpiresAt) || n.AuthTime.IsZero() {
		return errBadNew
	}
	return nil
}
