package httpapi_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/hello-world-co-op/handoff/internal/httpapi"
	"github.com/hello-world-co-op/handoff/internal/httpapi/daoapi"
	"github.com/hello-world-co-op/handoff/internal/httpapi/fosapi"
	"github.com/hello-world-co-op/handoff/internal/member"
	"github.com/hello-world-co-op/handoff/internal/privacy"
	"github.com/hello-world-co-op/handoff/internal/testkit"
	"github.com/hello-world-co-op/handoff/internal/user"
)

// What each route reads of a body.
const (
	noBody  = iota
	object  // a JSON object, whose fields are not read or not all known
	precise // a JSON object with fields of these names and types only
)

// What each route demands of whoever calls.
const (
	anybody = iota
	daoPage // an allowed Origin, the session's cookie and a CSRF value
	daoRead
	service // the service token
	fosPage // an allowed Origin and X-Requested-With
	fosUser // and an access token
	fosRead
	fosOpen // an allowed Origin
	daoForm
)

// endpoint is one route with a request that is good, everything in it.
type endpoint struct {
	wire

	reads, demands int
	says           int // what the good request is answered with
	carriesToken   bool
}

func (e endpoint) String() string { return e.method + " " + e.path }

// besieged is a service with people in it.
type besieged struct {
	*testkit.Service
	endpoints []endpoint
}

// besiege signs people in, mints tokens, asks a question and writes down the good request to
// every route of the service.
func besiege(t *testing.T) *besieged {
	t.Helper()
	b := &besieged{Service: testkit.Start(t, testkit.Options{})}
	ada := b.SignIn(t, b.Member(t, "ada@example.org", func(a *member.Account) {
		a.PasswordHash = privacy.NewSecret(testkit.PasswordHash())
	}))
	eve := b.UserWithPassword(t, "eve@example.org", func(u *user.User) { u.Role = user.Founder })
	founder := b.SignInAtFOS(t, eve)
	entered := founder.FOSLogin("eve@example.org", testkit.Password)
	if entered.Status != http.StatusOK {
		t.Fatalf("login: %d %s", entered.Status, entered.Raw)
	}
	founder.Me() // else an arrival would be the first to show the access token, which is noted
	dao, fos := strings.TrimPrefix(b.DAOURL, "http://"), strings.TrimPrefix(b.FOSURL, "http://")
	cookie := "dao_session=" + ada.Cookie(b.DAOURL, "dao_session")
	page := []string{"Origin: https://think-tank.test", "Content-Type: application/json"}
	csrf := append(slices.Clone(page), "Cookie: "+cookie+"; csrf_token="+ada.CSRF, "X-CSRF-Token: "+ada.CSRF)
	bearer := []string{"Authorization: Bearer " + testkit.ServiceToken, "Content-Type: application/json"}
	script := []string{"Origin: https://" + testkit.Target, "Content-Type: application/json", "X-Requested-With: fetch"}
	pair := append(slices.Clone(script), "Cookie: access_token="+entered.Cookie("access_token").Value+"; refresh_token="+entered.Cookie("refresh_token").Value)
	asked := founder.Arrive(ada.MintToken()) // as ada, and eve is signed in
	if asked.Status != http.StatusAccepted {
		t.Fatalf("arrival: %d %s", asked.Status, asked.Raw)
	}
	question := append(slices.Clone(script), "Cookie: handoff_pending="+asked.Cookie("handoff_pending").Value)
	session, _ := entered.Body["session"].(map[string]any)
	own, _ := session["id"].(string)
	post := func(path string, headers []string, body string) wire {
		return wire{dao, http.MethodPost, path, headers, body, 0}
	}
	arrive := func(method, path, body string) wire { return wire{fos, method, "/api/v1" + path, pair, body, 0} }
	answer := func(method, path, body string) wire {
		return wire{fos, method, "/api/v1/auth/cross-domain/" + path, question, body, 0}
	}
	exchange := func(path string) endpoint {
		return endpoint{post(path, bearer, `{"token":"`+ada.MintToken()+`","target_domain":"`+testkit.Target+`"}`), precise, service, 200, true}
	}
	// In the order in which the good requests may follow each other.
	b.endpoints = []endpoint{
		{wire{dao, "GET", "/health", nil, "", 0}, noBody, anybody, 200, false},
		{wire{dao, "GET", "/health/live", nil, "", 0}, noBody, anybody, 200, false},
		{wire{fos, "GET", "/health", nil, "", 0}, noBody, anybody, 200, false},
		{wire{fos, "GET", "/health/live", nil, "", 0}, noBody, anybody, 200, false},
		{wire{fos, "GET", "/api/v1/auth/cross-domain/start?entry_product=think-tank&return_path=/work", nil, "", 0}, noBody, anybody, 303, false},
		{wire{dao, "GET", "/health/detailed", bearer, "", 0}, noBody, service, 200, false},
		{wire{fos, "GET", "/health/detailed", pair, "", 0}, noBody, fosRead, 200, false},
		exchange("/api/staging_token/exchange"), exchange("/api/auth/exchange-token"),
		{post("/api/auth/login", page, `{"email":"ada@example.org","password":"`+testkit.Password+`"}`), object, daoForm, 200, false},
		{post("/api/staging_token/mint", csrf, `{"entry_product":"think-tank"}`), precise, daoPage, 200, false},
		{post("/api/auth/cross-domain-token", csrf, `{"entry_product":"think-tank"}`), precise, daoPage, 200, false},
		{wire{dao, "GET", "/api/auth/session", csrf, "", 0}, noBody, daoRead, 200, false},
		{wire{dao, "GET", "/api/auth/csrf-token", csrf, "", 0}, noBody, daoRead, 200, false},
		{post("/api/auth/refresh", csrf, `{}`), object, daoPage, 200, false},
		{wire{fos, "POST", "/api/v1/auth/cross-domain-login", script, `{"token":"` + ada.MintToken() + `"}`, 0}, precise, fosPage, 200, true},
		{answer("GET", "pending", ""), noBody, fosOpen, 200, false},
		{answer("POST", "confirm", `{"handoff_id":"`+asked.Text("handoff_id")+`"}`), precise, fosPage, 200, false},
		{answer("POST", "decline", `{"handoff_id":"`+asked.Text("handoff_id")+`"}`), precise, fosPage, 204, false},
		{wire{dao, "GET", "/api/auth/handoffs", csrf, "", 0}, noBody, daoRead, 200, false},
		{wire{dao, "DELETE", "/api/auth/handoffs/" + ada.Mint(nil).Text("handoff_id"), csrf, `{}`, 0}, precise, daoPage, 204, false},
		{post("/api/auth/ended-handoffs", bearer, `{"handoff_ids":["`+uuid.NewString()+`"]}`), precise, service, 204, false},
		{wire{fos, "POST", "/api/v1/auth/handoffs/end", bearer, `{"handoff_ids":["` + uuid.NewString() + `"]}`, 0}, precise, service, 204, false},
		{post("/api/auth/logout", csrf, `{}`), precise, daoPage, 200, false},
		{arrive("POST", "/auth/login", `{"email":"eve@example.org","password":"`+testkit.Password+`"}`), object, fosPage, 200, false},
		{arrive("GET", "/auth/me", ""), noBody, fosRead, 200, false},
		{arrive("GET", "/auth/sessions", ""), noBody, fosRead, 200, false},
		{arrive("POST", "/auth/step-up", `{"password":"`+testkit.Password+`"}`), precise, fosUser, 200, false},
		{arrive("POST", "/auth/refresh", `{}`), object, fosPage, 200, false},
		{arrive("DELETE", "/auth/sessions/"+own, `{}`), precise, fosUser, 204, false},
		{arrive("POST", "/auth/logout", `{}`), precise, fosPage, 204, false},
		{arrive("POST", "/auth/logout-all", `{}`), precise, fosUser, 401, false}, // the session has ended in between
	}
	b.keepTokens(t)
	return b
}

// keepTokens gives the claims time in Redis, whose clock goes on while the service's
// stands still.
func (b *besieged) keepTokens(t *testing.T) {
	t.Helper()
	for _, name := range b.carriers(t) {
		if err := b.Redis.PExpire(t.Context(), name, 2*unhurried).Err(); err != nil {
			t.Fatal(err)
		}
	}
}

// carriers are the names of claims in Redis: of tokens on their way, and parked.
func (b *besieged) carriers(t *testing.T) []string {
	return append(b.Redis.Keys(t.Context(), "dao:handoff:*").Val(), b.Redis.Keys(t.Context(), "fos:parked:*").Val()...)
}

// unhurried is more than the test takes, and far more than a token has that is retired.
const unhurried = time.Hour

// carried is what Redis has under a name, and whether it has long to live: a token that
// nobody used must not be on its way out.
func (b *besieged) carried(t *testing.T, name string) string {
	t.Helper()
	left := b.Redis.PTTL(t.Context(), name).Val()
	return fmt.Sprintf("%s %t %s ", name, left > unhurried, b.Redis.Get(t.Context(), name).Val())
}

// state is everything that a request could change but the records of failures.
func (b *besieged) state(t *testing.T) string {
	t.Helper()
	var all strings.Builder
	all.WriteString(testkit.Dump(t, b.DAO, "audit_log", "service_token_use") + testkit.Dump(t, b.FOS, "audit_log", "service_token_use"))
	for _, name := range slices.Sorted(slices.Values(b.carriers(t))) {
		all.WriteString(b.carried(t, name))
	}
	successes := `SELECT count(*) FROM audit_log WHERE outcome = 'success'`
	return fmt.Sprint(all.String(), testkit.Count(t, b.DAO, successes), " ", testkit.Count(t, b.FOS, successes))
}

// I1, I4: whatever is wrong with a request, its answer is a 4xx with the code that
// says what, nothing has changed, no row says that it went well, and every token that
// was in it is still good. Each request is a good one with one thing wrong.
func TestI1_hostileRequestsChangeNothing(t *testing.T) {
	t.Parallel()
	b := besiege(t)
	b.everyRoute(t)
	sent := 0
	for _, to := range b.endpoints {
		before := b.state(t)
		for _, attack := range attacks {
			if !attack.fits(to) {
				continue
			}
			sent++
			got := attack.change(to.wire).send(t)
			if got.code() != attack.code || got.status < 400 || got.status >= 500 {
				t.Errorf("%s, %s: %d %s, want %s", to, attack.name, got.status, got.raw, attack.code)
			}
			if got.header.Get("Content-Type") != "application/problem+json" || len(got.header.Values("Set-Cookie")) > 0 {
				t.Errorf("%s, %s: %v", to, attack.name, got.header)
			}
		}
		if b.state(t) != before {
			t.Errorf("%s: something has changed", to)
		}
	}
	if lines := b.Log.Lines(`"level":"ERROR"`); len(lines) > 0 {
		t.Errorf("%d errors in the log: %s", len(lines), lines[0])
	}
	t.Logf("%d hostile requests to %d routes", sent, len(b.endpoints))
	if sent < 1000 {
		t.Errorf("only %d requests were sent", sent)
	}
	b.allGoWell(t)
}

// allGoWell: the same requests without anything wrong, and with them the tokens.
func (b *besieged) allGoWell(t *testing.T) {
	t.Helper()
	for _, to := range b.endpoints {
		if got := to.send(t); got.status != to.says {
			t.Errorf("%s: the good request is answered %d %s", to, got.status, got.raw)
		}
	}
	if n := testkit.Count(t, b.DAO, `SELECT count(*) FROM handoffs WHERE redeemed_as = 'exchanged'`); n != 4 {
		t.Errorf("%d of 4 tokens were redeemed in the end", n)
	}
}

// everyRoute: one that is new must be added above.
func (b *besieged) everyRoute(t *testing.T) {
	t.Helper()
	known := map[string]bool{}
	for _, to := range b.endpoints {
		path, _, _ := strings.Cut(to.path, "?")
		if at := strings.LastIndex(path, "/"); uuid.Validate(path[at+1:]) == nil {
			path = path[:at] + "/:id"
		}
		known["http://"+to.addr+to.method+path] = true
	}
	for url, routes := range map[string][]httpapi.Route{b.DAOURL: daoapi.Routes(daoapi.Config{}), b.FOSURL: fosapi.Routes(fosapi.Config{})} {
		for _, r := range routes {
			for _, path := range r.Paths {
				if !known[url+r.Method+path] {
					t.Errorf("%s %s is not besieged", r.Method, path)
				}
			}
		}
	}
}
