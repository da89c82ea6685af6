package apidoc_test

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/hello-world-co-op/handoff/internal/testkit"
	"github.com/hello-world-co-op/handoff/internal/user"
)

// unseen are published and cannot be brought about here. internal is what we do not know
// of. Two need no store, and are refused in an overload only, which is others' story.
func unseen(o *testkit.Operation, answer string) bool {
	needsNone := o.ID == "start" || o.Half+" "+o.ID == "dao details"
	return strings.HasSuffix(answer, " internal") || (needsNone && answer == "503 dependency_unavailable")
}

// Nothing is published that is not so: each operation gives each of its answers. That each
// answer is described is looked at by every browser of every test.
func TestEveryPublishedAnswerIsGiven(t *testing.T) {
	t.Parallel()
	st := newStage(t)
	st.good()
	st.spoilt()
	st.refusedTokens()
	st.refusedMembers()
	st.refusedUsers()
	st.refusedArrivals()
	st.questions()
	st.ended()
	for _, o := range testkit.Operations() {
		for _, answer := range o.Documented() {
			if !unseen(o, answer) && !o.Seen(answer) {
				t.Errorf("%s: %s %s does not answer %s", o.Half, o.Method, o.Path, answer)
			}
		}
	}
}

// split is "400 token_used" in its parts.
func split(answer string) (status int, code string) {
	first, code, _ := strings.Cut(answer, " ")
	status, _ = strconv.Atoi(first) // they are numbers
	return status, code
}

// stage is a service in four conditions, on one set of stores.
type stage struct {
	t                 *testing.T
	s                 *testkit.Service
	fay               user.User        // of the FOS half
	off, busy, broken *testkit.Service // no service token; limits of one; no stores
}

func newStage(t *testing.T) *stage {
	t.Helper()
	s := testkit.Start(t, testkit.Options{})
	limits := map[string]string{}
	for _, name := range []string{"LOGIN_ADDRESS", "MINT", "ARRIVAL", "EXCHANGE_FAILURES"} {
		limits["RATE_LIMIT_"+name+"_PER_MINUTE"] = "1"
	}
	broken := s.Linked(t, nil)
	broken.DAOPostgres.Cut()
	broken.FOSPostgres.Cut()
	broken.RedisLink.Cut()
	fay := s.UserWithPassword(t, "fay@example.org")
	return &stage{t, s, fay, s.Process(t, map[string]string{"CROSS_DOMAIN_SERVICE_TOKEN": ""}), s.Process(t, limits), broken.Service}
}

// call is a request that goes well; spoiling it says what becomes of it.
type call struct {
	by      *testkit.Browser
	path    string // in place of the operation's
	body    any
	headers map[string]string
}

// at sends the call to one of the stage's services.
func (st *stage) at(s *testkit.Service, o *testkit.Operation, c call) testkit.Answer {
	url := map[string]string{"dao": s.DAOURL, "fos": s.FOSURL}[o.Half] + c.path
	headers := []testkit.Header{}
	for _, name := range slices.Sorted(maps.Keys(c.headers)) {
		headers = append(headers, testkit.Header{Name: name, Value: c.headers[name]})
	}
	return c.by.Do(o.Method, url, c.body, headers...)
}

// call is a good one of the operation, by somebody new who is signed in where that needs it.
func (st *stage) call(o *testkit.Operation) call {
	c := call{path: o.Path, headers: map[string]string{}}
	ways, _ := o.Document["security"].([]any)
	switch {
	case len(ways) > 0 && lookUp(ways[len(ways)-1], "serviceToken") != nil:
		c.by, c.headers["Authorization"] = st.s.Browser(st.t), "Bearer "+testkit.ServiceToken
	case o.Half == "dao":
		c.by = st.s.SignIn(st.t, st.s.Member(st.t, o.ID+"@example.org"))
		if o.Method != http.MethodGet {
			c.headers["X-CSRF-Token"] = c.by.CSRF
		}
	default:
		c.by = st.inside(o)
		c.by.SetCookie(st.s.FOSURL, "handoff_pending", strings.Repeat("a", 64))
		if o.Method != http.MethodGet {
			c.headers["X-Requested-With"] = "test"
		}
	}
	st.fill(o, &c)
	return c
}

// inside is a browser in which Fay is signed in, unless it is one to arrive in. It has a
// refresh token where that counts: a sign-in by password takes its time.
func (st *stage) inside(o *testkit.Operation) *testkit.Browser {
	switch o.ID {
	case "crossDomainLogin", "login":
		return st.s.Browser(st.t)
	case "refresh":
		b := st.s.Browser(st.t)
		st.enter(b)
		return b
	}
	return st.s.SignInAtFOS(st.t, st.fay)
}

func (st *stage) enter(b *testkit.Browser) {
	st.t.Helper()
	if answer := b.FOSLogin("fay@example.org", testkit.Password); answer.Status != http.StatusOK {
		st.t.Fatal(answer.Raw)
	}
}

// fill says what a good request of the operation has in it.
func (st *stage) fill(o *testkit.Operation, c *call) {
	minted := func() string { return st.s.SignIn(st.t, st.s.Member(st.t, "ada@example.org")).MintToken() }
	switch strings.TrimSuffix(o.ID, "Alias") {
	case "start":
		c.path += "?entry_product=think-tank"
	case "mint":
		c.body = map[string]any{"entry_product": "think-tank"}
	case "exchange", "crossDomainLogin":
		c.body = map[string]any{"token": minted()}
	case "login":
		c.body = map[string]any{"email": "fay@example.org", "password": testkit.Password}
		if o.Half == "dao" {
			c.body = map[string]any{"email": st.memberWithPassword(), "password": testkit.Password}
		}
	case "stepUp":
		c.body = map[string]any{"password": testkit.Password}
	case "confirm", "decline":
		c.body = map[string]any{"handoff_id": "019aa6d0-7b4c-7d5e-8f60-123456789abc"}
	case "handoffsEnded", "endHandoffs":
		c.body = map[string]any{"handoff_ids": []string{"019aa6d0-7b4c-7d5e-8f60-123456789abc"}}
	case "endHandoff":
		c.path = "/api/auth/handoffs/" + c.by.Mint(nil).Text("handoff_id")
	case "endSession":
		c.path = fmt.Sprint("/api/v1/auth/sessions/", lookUp(c.by.Me().Body, "session", "id"))
	}
}

func (st *stage) memberWithPassword() string {
	who := st.s.Member(st.t, "pat@example.org")
	testkit.Exec(st.t, st.s.DAO, `UPDATE members SET password_hash = $2 WHERE id = $1`, who.ID, testkit.PasswordHash())
	return "pat@example.org"
}

// good is that everything goes well once.
func (st *stage) good() {
	for _, o := range testkit.Operations() {
		answer := st.at(st.s, o, st.call(o))
		if answer.Status >= http.StatusBadRequest && o.ID != "confirm" && o.Path != "/health/detailed" {
			st.t.Errorf("%s %s: %d %s", o.Half, o.ID, answer.Status, answer.Raw)
		}
	}
	st.at(st.broken, operation(st.t, "dao", "ready"), call{by: st.s.Browser(st.t), path: "/health"})
	st.at(st.broken, operation(st.t, "fos", "ready"), call{by: st.s.Browser(st.t), path: "/health"})
	// Nobody is signed in at the DAO half, and an operator looks at the FOS half's details.
	st.s.Browser(st.t).Get(st.s.DAOURL + "/api/auth/session")
	testkit.Exec(st.t, st.s.FOS, `UPDATE users SET role = 'founder' WHERE email = 'fay@example.org'`)
	founder := st.fay
	founder.Role = user.Founder
	st.s.SignInAtFOS(st.t, founder).Get(st.s.FOSURL + "/health/detailed")
	testkit.Exec(st.t, st.s.FOS, `UPDATE users SET role = 'member' WHERE email = 'fay@example.org'`)
}

func operation(t *testing.T, half, id string) *testkit.Operation {
	t.Helper()
	for _, o := range testkit.Operations() {
		if o.Half == half && o.ID == id {
			return o
		}
	}
	t.Fatalf("there is no %s at the %s half", id, half)
	return nil
}

// spoilt is what becomes of a good request when one thing is wrong with it.
func (st *stage) spoilt() {
	spoil := map[string]func(c *call){
		"origin_not_allowed":     func(c *call) { c.headers["Origin"] = "null" },
		"headers_too_large":      func(c *call) { c.headers["X-Padding"] = strings.Repeat("x", 17<<10) },
		"unsupported_media_type": func(c *call) { c.headers["Content-Type"], c.body = "text/plain", "{}" },
		"body_too_large":         func(c *call) { c.body = `"` + strings.Repeat("x", 9<<10) + `"` },
		"invalid_service_token":  func(c *call) { c.headers["Authorization"] = "Bearer x" },
		"session_required":       func(c *call) { c.by = st.s.Browser(st.t) },
		"invalid_request": func(c *call) {
			c.path, _, _ = strings.Cut(c.path, "?")
			c.body = "{"
		},
		"csrf_failed": func(c *call) {
			if c.headers["X-CSRF-Token"] != "" {
				c.headers["X-CSRF-Token"] = "x"
			}
			c.headers["X-Requested-With"] = ""
		},
		"token_malformed": func(c *call) { c.body = map[string]any{"token": "x"} },
		"invalid_credentials": func(c *call) {
			c.body = map[string]any{"email": "fay@example.org", "password": "wrong"}
			if c.path == "/api/v1/auth/step-up" {
				c.body = map[string]any{"password": "wrong"}
			}
		},
	}
	for _, o := range testkit.Operations() {
		for _, answer := range o.Documented() {
			_, code := split(answer)
			switch {
			case code == "exchange_disabled":
				st.want(st.at(st.off, o, st.call(o)), code)
			case code == "dependency_unavailable" && !unseen(o, answer):
				st.want(st.at(st.broken, o, st.call(o)), code)
			case code == "rate_limited":
				st.limited(o)
			case spoil[code] != nil:
				c := st.call(o)
				spoil[code](&c)
				st.want(st.at(st.s, o, c), code)
			}
		}
	}
}

// limited asks twice where one is the limit. Of those who have the service token, only
// they are limited who show a wrong one.
func (st *stage) limited(o *testkit.Operation) {
	c := st.call(o)
	if c.headers["Authorization"] != "" {
		c.headers["Authorization"] = "Bearer x"
	}
	st.at(st.busy, o, c)
	st.want(st.at(st.busy, o, c), "rate_limited")
}

func (st *stage) want(answer testkit.Answer, code string) {
	st.t.Helper()
	if answer.Code() != code {
		st.t.Errorf("want %s: %d %s", code, answer.Status, answer.Raw)
	}
}

// later is when nothing is fresh any more.
func (st *stage) later(d time.Duration) { st.s.Clock.Advance(d) }
