package fosapi

import (
	"net/http"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/hello-world-co-op/handoff/internal/handoff"
	"github.com/hello-world-co-op/handoff/internal/token"
)

// verifierLife is how long a journey that began here may take.
const verifierLife = 10 * time.Minute

// verifierCookie carries "__Host-" over HTTPS: who controls a sibling subdomain could
// plant their own verifier, and with it their own journey.
func (a *API) verifierCookie() string {
	if a.CookieSecure {
		return "__Host-handoff_nonce"
	}
	return "handoff_nonce"
}

// verifier is the one of a journey that this browser began, none if it began none.
func (a *API) verifier(c echo.Context) token.Verifier {
	sent, err := c.Cookie(a.verifierCookie())
	if err != nil {
		return token.Verifier{}
	}
	return token.ParseVerifier(sent.Value)
}

// start sends the browser to the DAO half's front end. It is a GET that anybody's page
// may link to: it changes nothing but the browser's own cookie, and whose account the
// journey ends in is decided by who is signed in over there.
func (a *API) start(c echo.Context) error {
	query := c.QueryParams()
	request := handoff.StartRequest{EntryProduct: query.Get("entry_product"), Held: a.verifier(c)}
	for _, field := range []string{"entry_product", "return_path"} {
		if len(query[field]) > 1 {
			return &handoff.FieldError{Field: field, Reason: "is there twice"}
		}
	}
	if query.Has("return_path") {
		path := query.Get("return_path")
		request.ReturnPath = &path
	}
	started, err := a.Starter.Start(request)
	if err != nil {
		return err
	}
	c.SetCookie(a.newCookie(a.verifierCookie(), started.Verifier.Reveal(), a.Edge.Now().Add(verifierLife)))
	header := c.Response().Header()
	header.Set(echo.HeaderCacheControl, "no-store")
	// The address that is left may say where the person was going.
	header.Set("Referrer-Policy", "no-referrer")
	return c.Redirect(http.StatusSeeOther, started.Location)
}
