package e2e_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path"
	"strings"
	"testing"
	"time"
)

// suite is a front end of somebody else's on another origin of both sites: it has a page
// that does nothing, client/js, and a landing page as the module's head says to make one
// (landing).
type suite struct {
	*sites

	here, there string // its origins beside Think Tank and beside FounderyOS
}

func openSuite(t *testing.T) *suite {
	t.Helper()
	landing := landingPage(t)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Referrer-Policy", "no-referrer")
		if path.Base(r.URL.Path) == "handoff.js" {
			http.ServeFile(w, r, "client/js/handoff.js")
			return
		}
		w.Header().Set("Content-Type", "text/html")
		if strings.HasPrefix(r.URL.Path, "/landing/") {
			_, _ = fmt.Fprint(w, landing)
			return
		}
		_, _ = fmt.Fprint(w, `<!doctype html><html lang="en"><title>A suite</title><link rel="icon" href="data:,"><main>A suite</main>`)
	}))
	t.Cleanup(server.Close)
	at, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	here, there := origin(usualNames.thinkTank, at.Port()), origin(usualNames.founderyOS, at.Port())
	return &suite{openWith(t, usualNames, map[string]string{"DAO_CORS_ORIGINS": here, "CORS_ORIGINS": there}), here, there}
}

// module runs a script that has the module as m, and returns the text that it promises; a
// HandoffError is its code, and reason.
func (p *person) module(script string) string {
	p.t.Helper()
	return evaluate[string](p, `import("/handoff.js").then(async (m) => {`+script+`}).catch((e) =>
		e.name === "HandoffError" ? [e.code, e.reason].filter(Boolean).join(" ") : String(e))`)
}

// A front end elsewhere sends somebody to FounderyOS: in the address, behind a hash, by a form.
func TestModule_navigatesToFounderyOS(t *testing.T) {
	t.Parallel()
	s := openSuite(t)
	for _, mode := range []string{"query", "fragment", "form_post"} {
		p := s.person(t)
		p.unjudged = true // its origin is neither site's
		p.isAda()
		p.visit(s.here+"/", "main")
		evaluate[bool](p, fmt.Sprintf(`(import("/handoff.js").then((m) =>
			m.navigateCrossDomain(%q, "/projects/7", {entryProduct: "think-tank", dao: %q, responseMode: %q})), true)`,
			usualNames.founderyOS, s.thinkTank, mode))
		p.sees(arrived)
		p.expect("user-email", adaEmail)
		if at := evaluate[string](p, `location.href`); at != s.founderyOS+"/cross-domain" {
			t.Errorf("%s: the address is %s", mode, at)
		}
	}
}

func TestModule_saysWhyItCannotLeave(t *testing.T) {
	t.Parallel()
	s := openSuite(t)
	p := s.person(t)
	p.unjudged = true
	p.visit(s.here+"/", "main")
	leaves := func(dao, more string) string {
		return p.module(fmt.Sprintf(`return (await m.navigateCrossDomain(%q, null, {entryProduct: "think-tank", dao: %q, go() {}, %s})).handoffId`,
			usualNames.founderyOS, dao, more))
	}
	if code := leaves(s.thinkTank, ""); code != "session_required" {
		t.Errorf("nobody is signed in: %s", code)
	}
	p.is(adaEmail)
	s.pass(10 * time.Second)
	p.visit(s.here+"/", "main")
	for more, want := range map[string]string{"maxAge: 5": "login_required", `entryProduct: "casino"`: "invalid_request"} {
		if code := leaves(s.thinkTank, more); code != want {
			t.Errorf("%s: %s", more, code)
		}
	}
	if code := leaves("http://127.0.0.1:1", ""); code != "no_answer" {
		t.Errorf("nobody listens: %s", code)
	}
	if reason := leaves(s.thinkTank, `signal: AbortSignal.abort("changed my mind")`); reason != "changed my mind" {
		t.Errorf("given up: %s", reason)
	}
	if id := leaves(s.thinkTank, ""); len(id) != 36 {
		t.Errorf("and now: %s", id)
	}
}

// A landing page of one's own: the token is out of the address before it is used, a double
// click and the same link again are one arrival, and who somebody else is here is asked.
func TestModule_arrives(t *testing.T) {
	t.Parallel()
	s := openSuite(t)
	p := s.person(t)
	p.unjudged = true
	p.isAda()
	token := tokenOf(p.link())
	options := fmt.Sprintf("{fos: %q}", s.founderyOS)
	p.visit(s.there+"/land?token="+token, "main")
	lands := `const a = m.arrive(globalThis.token, ` + options + `), b = m.arrive(globalThis.token, ` + options + `);
		return [(await a).user.email, (await a).session.id === (await b).session.id, location.href, (await a).entryProduct].join(" ")`
	want := adaEmail + " true " + s.there + "/land think-tank"
	if got := p.module(`globalThis.token = m.takeToken(); ` + lands); got != want {
		t.Errorf("landed %q, want %q", got, want)
	}
	if got := p.module(`return String(m.takeToken())`); got != "null" {
		t.Errorf("taken again: %s", got)
	}
	p.visit(s.there+"/land#token="+token, "main") // the same link again, in the same tab
	if got := p.module(`globalThis.token = m.takeToken(); ` + lands); got != want {
		t.Errorf("landed again %q, want %q", got, want)
	}
	s.pass(11 * time.Second)
	if got := p.module(lands); got != "handoff_invalid used" {
		t.Errorf("later: %s", got)
	}
	for _, broken := range []string{`null`, `"x"`, `"` + strings.Repeat("A", 64) + `"`} {
		if got := p.module(`return m.arrive(` + broken + `, ` + options + `)`); got != "token_malformed" {
			t.Errorf("%s: %s", broken, got)
		}
	}
	arrivesOnceWithoutStorage(p, s, options)
	p.is(bobEmail)
	ask := func() {
		link := tokenOf(p.link())
		p.visit(s.there+"/land?token="+link, "main")
		got := p.module(`const {user, handoffId, question} = await m.arrive(m.takeToken(), ` + options + `); globalThis.id = handoffId;
			return [user, question.as.email, question.current.email].join(" ")`)
		if got != " "+bobEmail+" "+adaEmail {
			t.Errorf("asked %q", got)
		}
	}
	ask()
	if got := p.module(`await m.decline(id, ` + options + `); return m.confirm(id, ` + options + `)`); got != "handoff_invalid expired" {
		t.Errorf("declined, then confirmed: %s", got)
	}
	p.visit(s.thinkTank+"/", atHome)
	ask()
	if got := p.module(`return (await m.confirm(id, ` + options + `)).user.email`); got != bobEmail {
		t.Errorf("confirmed: %s", got)
	}
}

// Where storage is blocked or full, a double click is one arrival still: under two keys the
// token would have been in two browsers, and both would lose it.
func arrivesOnceWithoutStorage(p *person, s *suite, options string) {
	p.t.Helper()
	for _, broken := range []string{
		`Object.defineProperty(globalThis, "sessionStorage", {get() { throw new DOMException("blocked", "SecurityError"); }})`,
		`Storage.prototype.setItem = () => { throw new DOMException("full", "QuotaExceededError"); }`,
	} {
		p.visit(s.thinkTank+"/", atHome)
		p.visit(s.there+"/land?token="+tokenOf(p.link()), "main")
		got := p.module(broken + `; const token = m.takeToken(), a = m.arrive(token, ` + options + `), b = m.arrive(token, ` + options + `);
			return [(await a).session.id === (await b).session.id, (await m.arrive(token, ` + options + `)).user.email].join(" ")`)
		if got != "true "+adaEmail {
			p.t.Errorf("%s: %q", broken, got)
		}
	}
}
