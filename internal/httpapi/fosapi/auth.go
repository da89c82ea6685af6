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
	if err := a.takeArrival(c); err != nil {
		return err
	}
	inside, err := a.inside(c)
	if err != nil {
		return err
	}
	landed, err := a.Login.Login(c.Request().Context(), handoff.LoginRequest{
		Token: presented, ArrivalKey: key, Verifier: a.verifier(c), Asked: a.asked(c), Inside: inside, Origin: a.Edge.Origin(c),
	})
	if err != nil {
		return err
	}
	return a.landed(c, landed)
}

// takeArrival takes one arrival from the budget of the address.
func (a *API) takeArrival(c echo.Context) error {
	return a.Limiter.Take(c.Request().Context(), a.ArrivalLimit, a.Edge.Origin(c).Address.Value)
}

// landed answers with the session, or with the question.
func (a *API) landed(c echo.Context, landed handoff.Landed) error {
	if landed.Question != nil {
		return a.question(c, *landed.Question)
	}
	httpapi.SetJourney(c, landed.Claims.HandoffID)
	a.setPair(c, landed.Pair)
	if !a.asked(c).IsNone() {
		a.clear(c, a.askedCookie())
	}
	return httpapi.JSON(c, http.StatusOK, loginAnswer{
		User:         userOf(landed.User, landed.ActingRole),
		EntryProduct: &landed.Claims.EntryProduct, ReturnPath: landed.Claims.ReturnPath,
		HandoffID: &landed.Claims.HandoffID,
		Session:   sessionOf(landed.Session, landed.Pair.AccessExpiresAt),
	})
}

// inside is who this browser is signed in as already. Without the database nobody
// arrives: somebody could be replaced who cannot be seen.
func (a *API) inside(c echo.Context) (handoff.Inside, error) {
	if a.access(c) == "" {
		return handoff.Inside{}, nil
	}
	current, proven, ok, err := a.Sessions.Inside(c.Request().Context(), a.access(c))
	if err != nil || !ok {
		return handoff.Inside{}, err
	}
	return handoff.Inside{User: current.User, Session: current.Session.ID, Proven: proven}, nil
}

func (a *API) current(c echo.Context) (signin.Current, error) {
	return a.Sessions.Current(c.Request().Context(), a.access(c))
}

type meAnswer struct {
	User    userBody    `json:"user"`
	Session sessionBody `json:"session"`
}

func (a *API) me(c echo.Context) error {
	current, err := a.current(c)
	if err != nil {
		return err
	}
	return httpapi.JSON(c, http.StatusOK, meAnswer{
		User: userOf(current.User, current.ActingRole), Session: sessionOf(current.Session, current.AccessExpiresAt),
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
