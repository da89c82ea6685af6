package httpapi

import (
	"errors"
	"net/http"
	"slices"
	"strings"

	"github.com/hello-world-co-op/handoff/internal/handoff"
	"github.com/hello-world-co-op/handoff/internal/ratelimit"
)

// Code is one row of the protocol's section 3, as a client's author needs it.
type Code struct {
	Code   string `json:"code"`
	Status int    `json:"status"`
	Title  string `json:"title"`
	// Details are the texts that come with the code. They may change; the code does not.
	Details []string `json:"details"`
	// Reasons are those of handoff_invalid.
	Reasons []string `json:"reasons,omitempty"`
	// RetryAfter: the answer has that header, and the same request may do better later.
	RetryAfter bool `json:"retry_after"`
}

// Codes are all codes that this service answers with, by name. They come out of
// problemOf, which makes the answers, so that neither can know one more than the other.
func Codes() []Code {
	errs := []error{errors.New("anything else"), &ratelimit.Exceeded{}}
	for reason := range handoffInvalid {
		errs = append(errs, &handoff.InvalidError{Reason: reason})
	}
	for _, row := range table {
		errs = append(errs, row.is)
	}
	byName := map[string]*Code{}
	for _, err := range errs {
		p, _ := problemOf(err)
		c := byName[p.Code]
		if c == nil {
			c = &Code{Code: p.Code, Status: p.Status, Title: http.StatusText(p.Status)}
			byName[p.Code] = c
		}
		c.RetryAfter = c.RetryAfter || p.retryAfter != ""
		c.Details = added(c.Details, p.Detail)
		c.Reasons = added(c.Reasons, p.Reason)
	}
	all := make([]Code, 0, len(byName))
	for _, c := range byName {
		all = append(all, *c)
	}
	slices.SortFunc(all, func(a, b Code) int { return strings.Compare(a.Code, b.Code) })
	return all
}

// added is the sorted list with text in it once.
func added(list []string, text string) []string {
	at, there := slices.BinarySearch(list, text)
	if there || text == "" {
		return list
	}
	return slices.Insert(list, at, text)
}
