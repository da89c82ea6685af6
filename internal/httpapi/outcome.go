package httpapi

import (
	"net/http"
	"slices"

	"github.com/labstack/echo/v4"
)

// Stages are the stages of a hand-off that requests belong to.
func Stages() []string { return []string{"mint", "exchange", "login"} }

// The outcomes that are no problem's code.
const (
	outcomeOK    = "ok"
	outcomeAsked = "asked" // the person, before they are signed in
	// outcomeOverloaded: turned away before anything was done.
	outcomeOverloaded = "overloaded"
)

// Outcomes are all that a request of a stage can come to: the codes of section 3, with the
// reasons of handoff_invalid in its place.
func Outcomes() []string {
	all := []string{outcomeOK, outcomeAsked, outcomeOverloaded, "internal"}
	for reason := range handoffInvalid {
		all = append(all, invalidAs(reason))
	}
	for _, row := range table {
		all = append(all, row.code)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

func invalidAs(reason string) string { return "handoff_" + reason }

// countOutcome counts what the request came to, if it belongs to a stage.
func (config Config) countOutcome(c echo.Context) {
	i := infoOf(c)
	if config.Outcome == nil || i.stage == "" {
		return
	}
	config.Outcome(i.stage, i.outcome(c.Response().Status))
}

func (i *info) outcome(status int) string {
	switch {
	case i.shed:
		return outcomeOverloaded
	case i.code == "handoff_invalid":
		return invalidAs(i.reason)
	case i.code != "":
		return i.code
	case status == http.StatusAccepted:
		return outcomeAsked
	}
	return outcomeOK
}
