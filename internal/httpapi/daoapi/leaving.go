package daoapi

import (
	"net/http"
	"time"

	"github.com/google/uuid"
	"github.com/labstack/echo/v4"

	"github.com/hello-world-co-op/handoff/internal/httpapi"
	"github.com/hello-world-co-op/handoff/internal/leaving"
)

// listedHandoff is a hand-off as its member sees it in the list.
type listedHandoff struct {
	HandoffID    uuid.UUID     `json:"handoff_id"`
	EntryProduct string        `json:"entry_product"`
	TargetDomain string        `json:"target_domain"`
	MintedAt     int64         `json:"minted_at"`
	RedeemedAt   *int64        `json:"redeemed_at"`
	EndedAt      *int64        `json:"ended_at"`
	State        leaving.State `json:"state"`
}

type handoffsAnswer struct {
	Handoffs []listedHandoff `json:"handoffs"`
}

func (a *API) listHandoffs(c echo.Context) error {
	cookie, err := a.cookie(c)
	if err != nil {
		return err
	}
	all, err := a.Leaving.Journeys(c.Request().Context(), cookie)
	if err != nil {
		return err
	}
	list := make([]listedHandoff, 0, len(all))
	for _, j := range all {
		list = append(list, listedHandoff{
			HandoffID: j.HandoffID, EntryProduct: j.EntryProduct, TargetDomain: j.Target, MintedAt: j.MintedAt.UnixMilli(),
			RedeemedAt: millis(j.RedeemedAt), EndedAt: millis(j.EndedAt), State: j.State,
		})
	}
	return httpapi.JSON(c, http.StatusOK, handoffsAnswer{list})
}

func millis(at *time.Time) *int64 {
	if at == nil {
		return nil
	}
	ms := at.UnixMilli()
	return &ms
}

func (a *API) endHandoff(c echo.Context) error {
	if err := httpapi.DecodeNothing(c); err != nil {
		return err
	}
	cookie, err := a.cookie(c)
	if err != nil {
		return err
	}
	id, ok := httpapi.ParseID(c.Param("id"))
	if !ok {
		return leaving.ErrNotYours // nobody's: no hand-off has such an id
	}
	err = a.Leaving.End(c.Request().Context(), leaving.EndOwn{
		Cookie: cookie, SessionID: sessionIDOf(c), HandoffID: id, Origin: a.Edge.Origin(c),
	})
	if err != nil {
		return err
	}
	httpapi.SetJourney(c, id)
	return c.NoContent(http.StatusNoContent)
}

// handoffsEnded is how the other half says that sessions have ended there.
func (a *API) handoffsEnded(c echo.Context) error {
	ids, err := httpapi.DecodeHandoffIDs(c)
	if err != nil {
		return err
	}
	err = a.Leaving.Ended(c.Request().Context(), leaving.News{HandoffIDs: ids, Targets: a.ServiceTokenTargets, Origin: a.Edge.Origin(c)})
	if err != nil {
		return err
	}
	return c.NoContent(http.StatusNoContent)
}
