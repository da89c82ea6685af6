package fosapi

import (
	"net/http"

	"github.com/labstack/echo/v4"

	"github.com/hello-world-co-op/handoff/internal/httpapi"
	"github.com/hello-world-co-op/handoff/internal/leaving"
)

// leaves says that sessions may have ended, when handle went well.
func (a *API) leaves(handle echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		err := handle(c)
		if err == nil {
			a.Left()
		}
		return err
	}
}

// endHandoffs is how the DAO half says that hand-offs are over.
func (a *API) endHandoffs(c echo.Context) error {
	ids, err := httpapi.DecodeHandoffIDs(c)
	if err != nil {
		return err
	}
	if err := a.Leaving.End(c.Request().Context(), leaving.News{HandoffIDs: ids, Origin: a.Edge.Origin(c)}); err != nil {
		return err
	}
	return c.NoContent(http.StatusNoContent)
}
