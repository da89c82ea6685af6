package session

import (
	"encoding/binary"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/google/uuid"
)

// Claims is what both tokens of a pair say. Times are UTC, in whole seconds.
type Claims struct {
	UserID    uuid.UUID
	SessionID uuid.UUID
	TokenID   uuid.UUID
	// Role is the role acted with, not always the user's own ([ActingRole]).
	Role      string
	AMR       []string
	AuthTime  time.Time
	IssuedAt  time.Time
	ExpiresAt time.Time
}

// AccessClaims is what a good access token says. It is a type of its own, so that
// a refresh token cannot stand where an access token is wanted.
type AccessClaims struct {
	Claims
	// Generation of the pair that the token was made in, 0 if it does not say.
	Generation int
}

// RefreshClaims is what a good refresh token says.
type RefreshClaims struct {
	Claims
	// Generation that the token belongs to. Whether that is the current one, the
	// session's row knows.
	Generation int
}

const (
	typeAccess  = "access"
	typeRefresh = "refresh"
	// refreshAudience is fixed: a verifier that is told to expect any other
	// audience refuses refresh tokens even if it forgets to look at the type.
	refreshAudience = "founderyos-refresh"
)

// wire is the claim set as it is signed (protocol, section 2). Pointers tell what
// is absent from what is empty. Audience is one string, the form of RFC 7519,
// 4.1.3 for a single audience; a list is not accepted.
type wire struct {
	Issuer    string           `json:"iss"`
	Audience  *string          `json:"aud,omitempty"`
	Subject   string           `json:"sub"`
	SessionID string           `json:"sid"`
	Role      string           `json:"role"`
	Type      string           `json:"type"`
	Gen       *int             `json:"gen,omitempty"`
	AMR       []string         `json:"amr"`
	AuthTime  *jwt.NumericDate `json:"auth_time"`
	IssuedAt  *jwt.NumericDate `json:"iat"`
	NotBefore *jwt.NumericDate `json:"nbf"`
	ExpiresAt *jwt.NumericDate `json:"exp"`
	TokenID   string           `json:"jti"`
}

// The methods by which the JWT library validates the registered claims. The two
// beginnings are given some seconds, since the replica that made the token may
// have a clock that is ahead; the end is not.

func (w wire) GetExpirationTime() (*jwt.NumericDate, error) { return w.ExpiresAt, nil }
func (w wire) GetIssuedAt() (*jwt.NumericDate, error)       { return earlier(w.IssuedAt), nil }
func (w wire) GetNotBefore() (*jwt.NumericDate, error)      { return earlier(w.NotBefore), nil }
func (w wire) GetIssuer() (string, error)                   { return w.Issuer, nil }
func (w wire) GetSubject() (string, error)                  { return w.Subject, nil }
func (w wire) GetAudience() (jwt.ClaimStrings, error) {
	if w.Audience == nil {
		return nil, nil
	}
	return jwt.ClaimStrings{*w.Audience}, nil
}

// clockSkew is how far another replica's clock may be ahead of this one's.
const clockSkew = 5 * time.Second

func earlier(date *jwt.NumericDate) *jwt.NumericDate {
	if date == nil {
		return nil
	}
	return jwt.NewNumericDate(date.Add(-clockSkew))
}

// claims checks what the library does not: every claim is there and has its form.
func (w wire) claims() (Claims, bool) {
	c := Claims{Role: w.Role, AMR: slices.Clone(w.AMR)}
	ok := w.Role != "" && w.AMR != nil
	for _, id := range []struct {
		text string
		into *uuid.UUID
	}{{w.Subject, &c.UserID}, {w.SessionID, &c.SessionID}, {w.TokenID, &c.TokenID}} {
		ok = parseID(id.text, id.into) && ok
	}
	for _, at := range []struct {
		date *jwt.NumericDate
		into *time.Time
	}{{w.AuthTime, &c.AuthTime}, {w.IssuedAt, &c.IssuedAt}, {w.ExpiresAt, &c.ExpiresAt}} {
		if at.date == nil {
			return Claims{}, false
		}
		*at.into = at.date.UTC()
	}
	return c, ok
}

// parseID takes the one spelling that [uuid.UUID.String] writes: uuid.Parse also
// takes braces, "urn:uuid:", upper case and no dashes, and one id should not have
// several names in logs.
func parseID(text string, into *uuid.UUID) bool {
	id, err := uuid.Parse(text)
	*into = id
	return err == nil && id != uuid.Nil && id.String() == text
}

// newTokenID makes a "jti": a UUIDv8 (RFC 9562, 5.8) of 90 random bits, and in its
// last four bytes the generation of the pair. An access token has no claim for
// that, and its being shown is what tells that the pair has reached the browser.
func newTokenID(generation int, random io.Reader) (uuid.UUID, error) {
	var id uuid.UUID
	if _, err := io.ReadFull(random, id[:12]); err != nil {
		return uuid.Nil, fmt.Errorf("session: token id: %w", err)
	}
	id[6] = id[6]&0x0f | 0x80
	id[8] = id[8]&0x3f | 0x80
	binary.BigEndian.PutUint32(id[12:], uint32(generation)) //nolint:gosec // positive, and an integer column's
	return id, nil
}

// generationOf reads a token id back, 0 for one that somebody else made.
func generationOf(id uuid.UUID) int {
	if id.Version() != 8 {
		return 0
	}
	return int(binary.BigEndian.Uint32(id[12:]))
}
