package fosapi

import (
	"errors"
	"net/http"

	"github.com/google/uuid"
	"github.com/labstack/echo/v4"

	"github.com/hello-world-co-op/handoff/internal/handoff"
	"github.com/hello-world-co-op/handoff/internal/httpapi"
	"github.com/hello-world-co-op/handoff/internal/token"
)

// askedCookie is the secret of a browser that has an open question. "__Host-" over HTTPS:
// the attack is to plant the question that one's own hand-off led to.
func (a *API) askedCookie() string {
	if a.CookieSecure {
		return "__Host-handoff_pending"
	}
	return "handoff_pending"
}

// asked is the secret that this browser sent, the zero Token if it sent none.
func (a *API) asked(c echo.Context) token.Token {
	sent, err := c.Cookie(a.askedCookie())
	if err != nil {
		return token.Token{}
	}
	secret, err := token.Parse(sent.Value)
	if err != nil {
		return token.Token{}
	}
	return secret
}

type personBody struct {
	DisplayName *string `json:"display_name"`
	Email       string  `json:"email"`
}

func personOf(p handoff.Person) personBody { return personBody{p.DisplayName, p.Email.Reveal()} }

type questionBody struct {
	Pending   bool        `json:"pending"`
	As        personBody  `json:"as"`
	Current   *personBody `json:"current"`
	Links     bool        `json:"links"`
	HandoffID uuid.UUID   `json:"handoff_id"`
	ExpiresAt int64       `json:"expires_at"`
}

// noQuestionBody is what pending says to a browser that is asked nothing.
type noQuestionBody struct {
	Pending bool        `json:"pending"`
	Current *personBody `json:"current"`
}

func questionOf(q handoff.Question) questionBody {
	body := questionBody{Pending: true, As: personOf(q.As), Links: q.Links, HandoffID: q.HandoffID, ExpiresAt: q.ExpiresAt.UnixMilli()}
	if q.Current != nil {
		current := personOf(*q.Current)
		body.Current = &current
	}
	return body
}

// question asks the person, 202: nobody is signed in yet.
func (a *API) question(c echo.Context, q handoff.Question) error {
	httpapi.SetJourney(c, q.HandoffID)
	c.SetCookie(a.newCookie(a.askedCookie(), q.Secret.Reveal(), q.ExpiresAt))
	return httpapi.JSON(c, http.StatusAccepted, questionOf(q))
}

// pending says what this browser is being asked.
func (a *API) pending(c echo.Context) error {
	inside, err := a.inside(c)
	if err != nil {
		return err
	}
	q, err := a.Login.Asked(c.Request().Context(), a.asked(c), inside)
	switch {
	case errors.Is(err, handoff.ErrNotAsked):
		return httpapi.JSON(c, http.StatusOK, noQuestionBody{})
	case err != nil:
		return err
	}
	return httpapi.JSON(c, http.StatusOK, questionOf(*q))
}

type answerBody struct {
	HandoffID string `json:"handoff_id"`
}

// answer reads to which question the person answers in this browser.
func (a *API) answer(c echo.Context) (handoff.Answer, error) {
	var body answerBody
	if err := httpapi.Decode(c, &body); err != nil {
		return handoff.Answer{}, err
	}
	id, ok := httpapi.ParseID(body.HandoffID)
	if !ok {
		return handoff.Answer{}, &handoff.FieldError{Field: "handoff_id", Reason: "is not a UUID"}
	}
	return handoff.Answer{Secret: a.asked(c), HandoffID: id, Origin: a.Edge.Origin(c)}, nil
}

// confirm is "yes". The guards are those of every unsafe method, and the cookie is this
// browser's alone: nobody else's page can say it.
func (a *API) confirm(c echo.Context) error {
	answer, err := a.answer(c)
	if err != nil {
		return err
	}
	if err := a.takeArrival(c); err != nil {
		return err
	}
	if answer.Inside, err = a.inside(c); err != nil {
		return err
	}
	landed, err := a.Login.Confirm(c.Request().Context(), answer)
	if err != nil {
		return err
	}
	return a.landed(c, landed)
}

// decline is "no". To say it to a question that is over, or was asked in another tab
// since, changes nothing.
func (a *API) decline(c echo.Context) error {
	answer, err := a.answer(c)
	if err != nil {
		return err
	}
	switch err := a.Login.Decline(c.Request().Context(), answer); {
	case err == nil:
		a.clear(c, a.askedCookie())
	case !errors.Is(err, handoff.ErrNotAsked):
		return err
	}
	return c.NoContent(http.StatusNoContent)
}
