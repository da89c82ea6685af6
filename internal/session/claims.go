package session

import (
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
type AccessClaims struct{ Claims }

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

// The methods by which the JWT library validates the registered claims.

func (w wire) GetExpirationTime() (*jwt.NumericDate, error) { return w.ExpiresAt, nil }
func (w wire) GetIssuedAt() (*jwt.NumericDate, error)       { return w.IssuedAt, nil }
func (w wire) GetNotBefore() (*jwt.NumericDate, error)      { return w.NotBefore, nil }
func (w wire) GetIssuer() (string, error)                   { return w.Issuer, nil }
func (w wire) GetSubject() (string, error)                  { return w.Subject, nil }
func (w wire) GetAudience() (jwt.ClaimStrings, error) {
	if w.Audience == nil {
		return nil, nil
	}
	return jwt.ClaimStrings{*w.Audience}, nil
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
