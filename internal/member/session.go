package member

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"io"
	"strconv"
	"time"

	"github.com/google/uuid"

	"github.com/hello-world-co-op/handoff/internal/privacy"
)

const (
	// IdleTTL is how long a session lives without being refreshed.
	IdleTTL = 30 * time.Minute
	// AbsoluteTTL is how long a session lives at all (ASVS 5.0, 7.3.2).
	AbsoluteTTL = 7 * 24 * time.Hour

	cookieBytes = 32
)

// Cookie is the value of a session cookie: 32 random bytes, base64url. It cannot
// be printed.
type Cookie struct {
	text   privacy.Secret
	digest [sha256.Size]byte
}

// NewCookie makes a value from random, which must be a cryptographic source.
func NewCookie(random io.Reader) (Cookie, error) {
	raw := make([]byte, cookieBytes)
	if _, err := io.ReadFull(random, raw); err != nil {
		return Cookie{}, fmt.Errorf("member: read random bytes: %w", err)
	}
	return Cookie{privacy.NewSecret(base64.RawURLEncoding.EncodeToString(raw)), sha256.Sum256(raw)}, nil
}

// ParseCookie reads a value that a browser sent, or returns [ErrNoSession]: a
// cookie that was never ours is as good as none.
//
// One spelling only, hence both lengths: Go's decoder skips line breaks.
func ParseCookie(text string) (Cookie, error) {
	raw, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if err != nil || len(raw) != cookieBytes || len(text) != base64.RawURLEncoding.EncodedLen(cookieBytes) {
		return Cookie{}, ErrNoSession
	}
	return Cookie{privacy.NewSecret(text), sha256.Sum256(raw)}, nil
}

// raw are the 32 bytes.
func (c Cookie) raw() []byte {
	raw, _ := base64.RawURLEncoding.DecodeString(c.text.Reveal()) // made or checked by us
	return raw
}

// Reveal returns the value for the Set-Cookie header.
func (c Cookie) Reveal() string { return c.text.Reveal() }

// Digest returns the form that is stored.
func (c Cookie) Digest() []byte { return c.digest[:] }

// Session is one browser signed in as one member.
type Session struct {
	ID            uuid.UUID // never changes; the CSRF value is bound to it
	MemberID      uuid.UUID
	AuthTime      time.Time // when the member last proved who they are
	AMR           []string  // how: RFC 8176 values
	CreatedAt     time.Time
	IdleExpiresAt time.Time
	ExpiresAt     time.Time
	EndedAt       *time.Time
}

// NewSession begins a session by password at now.
func NewSession(id, memberID uuid.UUID, now time.Time) Session {
	return Session{
		ID: id, MemberID: memberID, AuthTime: now, AMR: []string{"pwd"}, CreatedAt: now,
		IdleExpiresAt: now.Add(IdleTTL), ExpiresAt: now.Add(AbsoluteTTL),
	}
}

// Check returns nil while the session lives, else [ErrSessionRevoked] or
// [ErrNoSession].
func (s Session) Check(now time.Time) error {
	switch {
	case s.EndedAt != nil:
		return ErrSessionRevoked
	case !now.Before(s.IdleExpiresAt), !now.Before(s.ExpiresAt):
		return ErrNoSession
	}
	return nil
}

// CheckRefreshable is [Session.Check] without the idle time: refreshing begins it
// anew.
func (s Session) CheckRefreshable(now time.Time) error {
	s.IdleExpiresAt = s.ExpiresAt
	return s.Check(now)
}

// MatchSQL finds the session of the cookie whose digest is @cookie, over the alias
// s and the argument @now: by its cookie or, for [PreviousTTL], by the one before.
var MatchSQL = `(s.digest = @cookie OR (s.previous_digest = @cookie AND s.rotated_at > @now::timestamptz - ` + previousInterval + `))`

var previousInterval = "interval '" + strconv.Itoa(int(PreviousTTL/time.Second)) + " seconds'"

// LeaveSQL finds the session that @cookie may leave, over the alias s, beside the id
// in its CSRF value: by its cookie or any before it. A browser whose answer was lost,
// or whose session a thief has refreshed since, has no newer one, and wants out. A
// cookie that is another session's does not count: a CSRF value that a neighbour
// planted would have the wrong session ended, and the person believe they are out.
const LeaveSQL = `(s.digest = @cookie OR s.previous_digest = @cookie
	OR NOT EXISTS (SELECT FROM sessions o WHERE o.digest = @cookie OR o.previous_digest = @cookie))`

// RotatableSQL says whether the cookie of the session s may have a successor at
// @now: not while the one before it is good. A second rotation would shut out the
// tabs that still send that one, or be overtaken by their answers.
var RotatableSQL = `coalesce(s.rotated_at <= @now::timestamptz - ` + previousInterval + `, true)`

// LiveSQL is [Session.Check] in SQL, over the alias s and the argument @now.
const LiveSQL = `s.ended_at IS NULL AND s.idle_expires_at > @now AND s.expires_at > @now`
