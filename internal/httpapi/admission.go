package httpapi

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"slices"
	"sync/atomic"

	"github.com/go-json-experiment/json"
	"github.com/google/uuid"
	"github.com/labstack/echo/v4"
)

// ErrOverloaded says that there is as much work as can be done (I13).
var ErrOverloaded = errors.New("more requests than are worked on at once")

// Admission bounds how many requests are worked on at once, by all halves that have it.
// Beyond, a request is answered 503 before anything is done for it, not even a line in
// the log: work that is taken on and not finished in time is the dearest of all, and an
// overloaded service that takes on everything finishes nothing. It is safe for
// concurrent use.
type Admission struct {
	most, mostFresh int64
	working         atomic.Int64
	shed            *atomic.Uint64
}

// NewAdmission takes up to most requests at once. Of these only half may be fresh ones,
// with which something begins (a sign-in, a mint): when there is too much to do, the
// journeys that are under way are finished first.
func NewAdmission(most int) *Admission {
	return &Admission{most: int64(most), mostFresh: int64(most) / 2, shed: new(atomic.Uint64)}
}

// Apart has as many places of its own, for requests that mostly wait for somebody else:
// were that one to hang, they would fill the places of all. Who is turned away is
// counted with a's.
func (a *Admission) Apart() *Admission {
	return &Admission{most: a.most, mostFresh: a.mostFresh, shed: a.shed}
}

// Shed is how many requests were turned away.
func (a *Admission) Shed() uint64 { return a.shed.Load() }

// full reports whether one more would be too many. Who then enters all the same may
// still be turned away.
func (a *Admission) full(fresh bool) bool { return a.working.Load() >= a.bound(fresh) }

// enter takes a place, which must be given back by leave, or returns ErrOverloaded.
func (a *Admission) enter(fresh bool) error {
	if a.working.Add(1) > a.bound(fresh) {
		a.working.Add(-1)
		return ErrOverloaded
	}
	return nil
}

func (a *Admission) leave() { a.working.Add(-1) }

func (a *Admission) bound(fresh bool) int64 {
	if fresh {
		return a.mostFresh
	}
	return a.most
}

// admit reads the body, takes a place for the request and calls next. In this order,
// because of who sends a byte a second: such a client holds its own connection, and no
// place that others wait for.
func (a *Admission) admit(c echo.Context, fresh bool, next func() error) error {
	if a.full(fresh) {
		a.shed.Add(1)
		return ErrOverloaded
	}
	readAhead(c)
	if err := a.enter(fresh); err != nil {
		a.shed.Add(1)
		return err
	}
	defer a.leave()
	return next()
}

// readAhead reads the body before anything is held for the request.
func readAhead(c echo.Context) {
	if !fetchBody(c.Request()) {
		// Else net/http would wait, in our place, for a rest that may never come.
		c.Response().Header().Set(echo.HeaderConnection, "close")
	}
}

// fetchBody reads as much of the body as any endpoint takes, and one byte more, puts it
// back, and reports whether that was all. An error is met again by who reads it.
func fetchBody(r *http.Request) (whole bool) {
	if r.Body == nil || r.Body == http.NoBody {
		return true
	}
	there, err := io.ReadAll(io.LimitReader(r.Body, maxBody+1))
	if err == nil && len(there) <= maxBody {
		r.Body = fetched{bytes.NewReader(there), r.Body}
		return true
	}
	rest := io.Reader(r.Body)
	if err != nil {
		rest = failing{err}
	}
	r.Body = fetched{io.MultiReader(bytes.NewReader(there), rest), r.Body}
	return false
}

type fetched struct {
	io.Reader
	io.Closer
}

type failing struct{ err error }

// Read implements io.Reader.
func (f failing) Read([]byte) (int, error) { return 0, f.err }

// turnAway answers ErrOverloaded. In an overload most answers are this one, and what
// they cost is missing where people are served: so its text is made once.
func (config Config) turnAway(c echo.Context, i *info) {
	header := c.Response().Header()
	header[echo.HeaderCacheControl], header[echo.HeaderRetryAfter] = noStore, inASecond
	text, known := away[i.stage]
	if !known {
		text = turnedAway(i.stage)
	}
	_ = c.Blob(http.StatusServiceUnavailable, problemType, slices.Concat(text.before, []byte(i.requestID), text.after)) // else nobody is there to be told
}

var (
	noStore   = []string{"no-store"}
	inASecond = []string{"1"}
)

// away is the problem of ErrOverloaded for the stages of a hand-off and for what is
// none of them, before and after the id of the request.
var away = func() map[string]aroundID {
	all := map[string]aroundID{}
	for _, stage := range []string{"", "mint", "exchange", "login"} {
		all[stage] = turnedAway(stage)
	}
	return all
}()

func turnedAway(stage string) aroundID {
	p, _ := problemOf(ErrOverloaded)
	p.RequestID, p.Stage = uuid.Nil.String(), stage
	text, err := json.Marshal(p)
	before, after, cut := bytes.Cut(text, []byte(p.RequestID))
	if err != nil || !cut {
		panic("httpapi: a problem without its request id")
	}
	return aroundID{before, after}
}

type aroundID struct{ before, after []byte }
