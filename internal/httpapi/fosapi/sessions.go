package fosapi

import (
	"net/http"

	"github.com/google/uuid"
	"github.com/labstack/echo/v4"

	"github.com/hello-world-co-op/handoff/internal/httpapi"
	"github.com/hello-world-co-op/handoff/internal/privacy"
	"github.com/hello-world-co-op/handoff/internal/session"
	"github.com/hello-world-co-op/handoff/internal/signin"
)

// login answers what cross-domain-login answers, without a journey.
func (a *API) login(c echo.Context) error {
	body, err := httpapi.DecodeLogin(c)
	if err != nil {
		return err
	}
	var entered signin.Entered
	err = a.Logins.Limited(c, a.Edge, body, func() (err error) {
		entered, err = a.Sessions.Login(c.Request().Context(), body.Email, privacy.NewSecret(body.Password), a.Edge.Origin(c))
		return err
	})
	if err != nil {
		return err
	}
	a.setPair(c, entered.Pair)
	return httpapi.JSON(c, http.StatusOK, loginAnswer{
		User: userOf(entered.User, entered.ActingRole), Session: sessionOf(entered.Session, entered.Pair.AccessExpiresAt),
	})
}

type refreshAnswer struct {
	Session sessionBody `json:"session"`
}

func (a *API) refresh(c echo.Context) error {
	if err := httpapi.DecodeIgnored(c); err != nil {
		return err
	}
	entered, err := a.Sessions.Refresh(c.Request().Context(), a.shown(c), a.Edge.Origin(c))
	if err != nil {
		return err
	}
	a.setPair(c, entered.Pair)
	return httpapi.JSON(c, http.StatusOK, refreshAnswer{sessionOf(entered.Session, entered.Pair.AccessExpiresAt)})
}

func (a *API) logout(c echo.Context) error {
	if err := httpapi.DecodeNothing(c); err != nil {
		return err
	}
	if err := a.Sessions.Logout(c.Request().Context(), a.shown(c), a.Edge.Origin(c)); err != nil {
		return err
	}
	a.clearPair(c)
	return c.NoContent(http.StatusNoContent)
}

func (a *API) logoutAll(c echo.Context) error {
	if err := httpapi.DecodeNothing(c); err != nil {
		return err
	}
	if err := a.Sessions.LogoutAll(c.Request().Context(), a.access(c), a.Edge.Origin(c)); err != nil {
		return err
	}
	a.clearPair(c)
	return c.NoContent(http.StatusNoContent)
}

// listedSession is a session as its user sees it in the list.
type listedSession struct {
	ID           uuid.UUID      `json:"id"`
	Current      bool           `json:"current"`
	Origin       session.Origin `json:"origin"`
	HandoffID    *uuid.UUID     `json:"handoff_id"`
	EntryProduct *string        `json:"entry_product"`
	CreatedAt    int64          `json:"created_at"`
	LastUsedAt   int64          `json:"last_used_at"`
}

// endedSession is one that was ended in the last days, and how.
type endedSession struct {
	listedSession
	EndedAt int64  `json:"ended_at"`
	EndedAs string `json:"ended_as"`
}

type sessionsAnswer struct {
	Sessions []listedSession `json:"sessions"`
	Ended    []endedSession  `json:"ended"`
}

func (a *API) listSessions(c echo.Context) error {
	all, err := a.Sessions.Sessions(c.Request().Context(), a.access(c))
	if err != nil {
		return err
	}
	list, ended := make([]listedSession, 0, len(all.Live)), make([]endedSession, 0, len(all.Ended))
	for _, s := range all.Live {
		list = append(list, listed(s, all.Current))
	}
	for _, s := range all.Ended {
		ended = append(ended, endedSession{listed(s.Session, all.Current), s.EndedAt.UnixMilli(), s.EndedAs})
	}
	return httpapi.JSON(c, http.StatusOK, sessionsAnswer{list, ended})
}

func listed(s session.Session, current uuid.UUID) listedSession {
	return listedSession{
		ID: s.ID, Current: s.ID == current, Origin: s.Origin, HandoffID: s.HandoffID, EntryProduct: s.EntryProduct,
		CreatedAt: s.CreatedAt.UnixMilli(), LastUsedAt: s.LastUsedAt.UnixMilli(),
	}
}

func (a *API) endSession(c echo.Context) error {
	if err := httpapi.DecodeNothing(c); err != nil {
		return err
	}
	id, ok := httpapi.ParseID(c.Param("id"))
	if !ok {
		return signin.ErrNotYours // nobody's: no session has such an id
	}
	itself, err := a.Sessions.EndSession(c.Request().Context(), a.access(c), id, a.Edge.Origin(c))
	if err != nil {
		return err
	}
	if itself {
		a.clearPair(c)
	}
	return c.NoContent(http.StatusNoContent)
}
