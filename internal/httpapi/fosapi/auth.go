package fosapi

import (
	"net/http"
	"time"

	"github.com/google/uuid"
	"github.com/labstack/echo/v4"

	"github.com/hello-world-co-op/handoff/internal/handoff"
	"github.com/hello-world-co-op/handoff/internal/httpapi"
	"github.com/hello-world-co-op/handoff/internal/session"
	"github.com/hello-world-co-op/handoff/internal/signin"
	"github.com/hello-world-co-op/handoff/internal/token"
	"github.com/hello-world-co-op/handoff/internal/user"
)

type crossDomainLoginBody struct {
	Token string `json:"token"`
}

// userBody is a user as the front ends know them. Role is what the session may
// act as, so that a page does not offer what the service will refuse.
type userBody struct {
	ID            uuid.UUID   `json:"id"`
	Email         string      `json:"email"`
	DisplayName   *string     `json:"display_name"`
	Role          string      `json:"role"`
	Status        user.Status `json:"status"`
	EmailVerified bool        `json:"email_verified"`
	CreatedAt     int64       `json:"created_at"`
}

type sessionBody struct {
	ID               uuid.UUID `json:"id"`
	AccessExpiresAt  int64     `json:"access_expires_at"`
	RefreshExpiresAt int64     `json:"refresh_expires_at"`
}

type loginAnswer struct {
	User         userBody    `json:"user"`
	EntryProduct *string     `json:"entry_product"`
	ReturnPath   *string     `json:"return_path"`
	HandoffID    *uuid.UUID  `json:"handoff_id"`
	Session      sessionBody `json:"session"`
}

func (a *API) crossDomainLogin(c echo.Context) error {
	var body crossDomainLoginBody
	if err := httpapi.Decode(c, &body); err != nil {
		return err
	}
	key, err := httpapi.IdempotencyKey(c)
	if err != nil {
		return err
	}
	presented, err := token.Parse(body.Token)
	if err != nil {
		return err
	}
	origin := a.Edge.Origin(c)
	if err := a.Limiter.Take(c.Request().Context(), a.ArrivalLimit, origin.Address.Value); err != nil {
		return err
	}
	loggedIn, err := a.Login.Login(c.Request().Context(), handoff.LoginRequest{
		Token: presented, ArrivalKey: key, Verifier: a.verifier(c), SignedInAs: a.signedInAs(c), Origin: origin,
	})
	if err != nil {
		return err
	}
	httpapi.SetJourney(c, loggedIn.Claims.HandoffID)
	a.setPair(c, loggedIn.Pair)
	return httpapi.JSON(c, http.StatusOK, loginAnswer{
		User:         userOf(loggedIn.User, loggedIn.ActingRole),
		EntryProduct: &loggedIn.Claims.EntryProduct, ReturnPath: loggedIn.Claims.ReturnPath,
		HandoffID: &loggedIn.Claims.HandoffID,
		Session:   sessionOf(loggedIn.Session, loggedIn.Pair.AccessExpiresAt),
	})
}

// signedInAs is who this browser is signed in as already, and has proved to be on
// this half; anything less is nobody, which can only cost an arrival a link, never
// give one.
func (a *API) signedInAs(c echo.Context) uuid.UUID {
	if a.access(c) == "" {
		return uuid.Nil
	}
	current, err := a.current(c)
	if err != nil || !current.Session.Elevated {
		return uuid.Nil
	}
	return current.User.ID
}

func (a *API) current(c echo.Context) (signin.Current, error) {
	return a.Sessions.Current(c.Request().Context(), a.access(c))
}

func (a *API) me(c echo.Context) error {
	current, err := a.current(c)
	if err != nil {
		return err
	}
	return httpapi.JSON(c, http.StatusOK, map[string]any{
		"user":    userOf(current.User, current.ActingRole),
		"session": sessionOf(current.Session, current.AccessExpiresAt),
	})
}

func userOf(u user.User, actingRole string) userBody {
	return userBody{
		ID: u.ID, Email: u.Email.Reveal(), DisplayName: u.DisplayName, Role: actingRole, Status: u.Status,
		EmailVerified: u.EmailVerified, CreatedAt: u.CreatedAt.UnixMilli(),
	}
}

func sessionOf(s session.Session, accessExpires time.Time) sessionBody {
	return sessionBody{ID: s.ID, AccessExpiresAt: accessExpires.UnixMilli(), RefreshExpiresAt: s.ExpiresAt.UnixMilli()}
}
