package fosapi

import (
	"net/http"

	"github.com/labstack/echo/v4"

	"github.com/hello-world-co-op/handoff/internal/httpapi"
	"github.com/hello-world-co-op/handoff/internal/privacy"
	"github.com/hello-world-co-op/handoff/internal/signin"
)

type stepUpBody struct {
	Password string `json:"password"`
}

// stepUp answers what me answers, as it is from then on. It is password work like a
// login, and takes from the same budgets: whoever holds somebody's session by hand-off
// may not guess their password any faster than anybody else. The session comes before
// the limits, since it says whose account they are of; who has none is told so for the
// price of one signature.
func (a *API) stepUp(c echo.Context) error {
	var body stepUpBody
	if err := httpapi.Decode(c, &body); err != nil {
		return err
	}
	if body.Password == "" {
		return &httpapi.InvalidRequest{Faults: []httpapi.FieldFault{{Field: "password", Reason: "is missing"}}}
	}
	current, err := a.current(c)
	if err != nil {
		return err
	}
	var entered signin.Entered
	login := httpapi.PasswordLogin{Email: current.User.Email.Reveal(), Password: body.Password}
	err = a.Logins.Limited(c, a.Edge, login, func() (err error) {
		entered, err = a.Sessions.StepUp(c.Request().Context(), current, privacy.NewSecret(body.Password), a.Edge.Origin(c))
		return err
	})
	if err != nil {
		return err
	}
	a.setPair(c, entered.Pair)
	return httpapi.JSON(c, http.StatusOK, meAnswer{
		User: userOf(entered.User, entered.ActingRole), Session: sessionOf(entered.Session, entered.Pair.AccessExpiresAt),
	})
}
