package bench

import (
	"net/http"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/google/uuid"
	"github.com/labstack/echo/v4"
)

// The names and lives of the FOS half's cookies and tokens.
const (
	accessCookie  = "__Host-access_token"
	refreshCookie = "__Secure-refresh_token"
	accessLife    = 30 * time.Minute
	sessionLife   = 7 * 24 * time.Hour
)

// floorClaims are the claims of both tokens, as one writes them with this library.
type floorClaims struct {
	jwt.RegisteredClaims

	SessionID  string           `json:"sid"`
	Role       string           `json:"role"`
	Type       string           `json:"type"`
	Generation int              `json:"gen,omitempty"`
	AMR        []string         `json:"amr"`
	AuthTime   *jwt.NumericDate `json:"auth_time"`
}

// floorSession is what the tokens are made of, and what is answered.
type floorSession struct {
	ID, UserID   uuid.UUID
	Generation   int
	Role         string
	AMR          []string
	AuthTime     time.Time
	Expires      time.Time
	Now          time.Time
	AccessExpire time.Time
}

// setPair signs both tokens and sets them as cookies.
func (b *bare) setPair(c echo.Context, s *floorSession) error {
	s.AccessExpire = s.Now.Add(accessLife)
	for _, of := range []struct {
		kind, audience, cookie, path string
		generation                   int
		ends                         time.Time
	}{
		{"access", "founderyos-api", accessCookie, "/", 0, s.AccessExpire},
		{"refresh", "founderyos-refresh", refreshCookie, "/api/v1/auth", s.Generation, s.Expires},
	} {
		signed, err := jwt.NewWithClaims(jwt.SigningMethodHS256, floorClaims{
			RegisteredClaims: jwt.RegisteredClaims{
				Issuer: "founderyos", Subject: s.UserID.String(), Audience: jwt.ClaimStrings{of.audience}, ID: uuid.NewString(),
				IssuedAt: jwt.NewNumericDate(s.Now), NotBefore: jwt.NewNumericDate(s.Now), ExpiresAt: jwt.NewNumericDate(of.ends),
			},
			SessionID: s.ID.String(), Role: s.Role, Type: of.kind, Generation: of.generation, AMR: s.AMR, AuthTime: jwt.NewNumericDate(s.AuthTime),
		}).SignedString(b.key)
		if err != nil {
			return err
		}
		c.SetCookie(&http.Cookie{
			Name: of.cookie, Value: signed, Path: of.path, Expires: s.Expires, HttpOnly: true, Secure: true, SameSite: http.SameSiteLaxMode,
		})
	}
	return nil
}

// verify reads the token of a cookie.
func (b *bare) verify(c echo.Context, cookie string) (*floorClaims, error) {
	sent, err := c.Cookie(cookie)
	if err != nil {
		return nil, echo.ErrUnauthorized
	}
	var claims floorClaims
	_, err = jwt.ParseWithClaims(sent.Value, &claims, func(*jwt.Token) (any, error) { return b.key, nil },
		jwt.WithValidMethods([]string{jwt.SigningMethodHS256.Alg()}))
	if err != nil {
		return nil, echo.ErrUnauthorized
	}
	return &claims, nil
}
