package fosapi

import (
	"net/http"

	"github.com/labstack/echo/v4"

	"github.com/hello-world-co-op/handoff/internal/httpapi"
	"github.com/hello-world-co-op/handoff/internal/leaving"
)

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
