package e2e_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

// The whole story once: in, across, reload, out, the same link again, and back.
func TestAPersonArrivesSignedInAndTheLinkWorksOnce(t *testing.T) {
	t.Parallel()
	s := open(t, usualNames)
	p := s.person(t)

	p.visit(s.thinkTank+"/", signInForm)
	p.signIn(adaEmail, adaPassword)
	p.sees(atHome)
	p.expect("signed-in-name", adaName)

	link := p.opens()
	p.expect("title", "You are signed in")
	p.expect("user-name", adaName)
	p.expect("user-email", adaEmail)
	p.expect("user-role", "member")
	p.expect("entry-product", "Think Tank")
	p.showsSteps()
	p.hasNoTokenInSight(tokenOf(link))

	p.do(chromedp.Reload())
	p.sees(`html[data-state="in"] #sign-out`)
	p.expect("user-name", adaName)
	p.hasNoTokenInSight(tokenOf(link))

	p.press("sign-out")
	p.sees(signedOut)
	p.expect("title", "You are signed out")
	if body := evaluate[string](p, `document.body.textContent`); strings.Contains(body, adaEmail) || strings.Contains(body, adaName) {
		t.Error("the page still knows who it was")
	}

	p.refusals = []string{"POST /api/v1/auth/cross-domain-login 401"}
	p.visit(link, problem)
	p.refusedWith("This link was used already", "handoff_invalid")
	p.hasNoTokenInSight(tokenOf(link))

	p.press("way-back")
	p.sees(atHome)
	if second := p.opens(); second == link {
		t.Error("the second hand-off has the first one's link")
	}
	if n := s.count(t, s.fos, "SELECT count(*) FROM sessions WHERE ended_at IS NULL"); n != 1 {
		t.Errorf("%d sessions are alive, want 1", n)
	}
}

// A token in the fragment arrives like one in the query, and no server has seen it.
func TestALinkWithItsTokenInTheFragmentArrives(t *testing.T) {
	t.Parallel()
	s := open(t, usualNames)
	p := s.ada(t)
	token := tokenOf(p.link())
	p.visit(s.founderyOS+"/cross-domain#token="+token, arrived)
	p.expect("user-name", adaName)
	p.hasNoTokenInSight(token)
}

// A token that another site's form posts arrives too, and no address ever had it.
func TestAPostedTokenArrives(t *testing.T) {
	t.Parallel()
	s := open(t, usualNames)
	p := s.ada(t)
	p.unjudged = true // there is a third site in it
	token := tokenOf(p.link())
	elsewhere := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = io.WriteString(w, `<!doctype html><html lang="en"><title>Elsewhere</title><link rel="icon" href="data:,">
			<form method="post" action="`+s.founderyOS+`/cross-domain"><input type="hidden" name="token" value="`+token+`">
			<button id="go">Open in FounderyOS</button></form></html>`)
	}))
	t.Cleanup(elsewhere.Close)
	p.visit(elsewhere.URL+"/", "#go")
	p.press("go")
	p.sees(arrived)
	p.expect("user-name", adaName)
	p.hasNoTokenInSight(token)
}

// showsSteps: what happened is told in order, each with a time, and a total.
func (p *person) showsSteps() {
	p.t.Helper()
	p.sees("#steps li")
	want := []string{"Link opened", "Token taken out of the address bar", "Token exchanged and account found", "Signed in"}
	if got := evaluate[[]string](p, `[...document.querySelectorAll("#steps .step-name")].map((e) => e.innerText)`); !slices.Equal(got, want) {
		p.t.Errorf("the steps are %q, want %q", got, want)
	}
	time := regexp.MustCompile(`^\d+(\.\d)? ms$`)
	times := evaluate[[]string](p, `[...document.querySelectorAll("#steps .step-time")].map((e) => e.innerText)`)
	for _, text := range append(times, p.reads("total")) {
		if !time.MatchString(text) {
			p.t.Errorf("%q is no time", text)
		}
	}
	if len(times) != len(want) {
		p.t.Errorf("%d times for %d steps", len(times), len(want))
	}
}

// hasNoTokenInSight: not in the address bar, not behind "back", not in anything
// that a script of the page can read or keep.
func (p *person) hasNoTokenInSight(token string) {
	p.t.Helper()
	ctx := p.ctx
	history, err := chromedp.Run(ctx, chromedp.NavigationEntries())
	if err != nil {
		p.t.Fatal(err)
	}
	for _, entry := range history.Entries {
		if strings.Contains(entry.URL+entry.Title, token) || strings.Contains(entry.URL, "token") {
			p.t.Errorf("the history has %s", entry.URL)
		}
	}
	for what, text := range evaluate[map[string]string](p, `({
		address: location.href, referrer: document.referrer, markup: document.documentElement.outerHTML,
		name: window.name, state: JSON.stringify(history.state), cookie: document.cookie,
		kept: JSON.stringify({...localStorage, ...sessionStorage}),
		entries: JSON.stringify(navigation.entries().map((e) => [e.url, e.getState()])),
		handover: typeof takeToken === "undefined" ? "" : JSON.stringify(takeToken()),
		document: [document.URL, document.baseURI].join(),
		// Without the navigation's own entry: its name is the address as it was, which
		// no script can change; navigation.activation is alike (the limits of package
		// pages).
		timeline: JSON.stringify(performance.getEntries().filter((e) => e.entryType !== "navigation")),
	})`) {
		if strings.Contains(text, token) {
			p.t.Errorf("the token is in the page's %s", what)
		}
	}
}
