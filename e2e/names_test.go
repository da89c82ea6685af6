package e2e_test

import (
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

// The pages answer under any name that means this machine, whatever origins are
// configured: the whole journey, up to who the API says is signed in.
func TestTheSitesAnswerUnderAnyLoopbackName(t *testing.T) {
	t.Parallel()
	for _, called := range []names{
		{"127.0.0.1", "127.0.0.1"},
		{"localhost", "localhost"},
		{"anything.localhost", "some.thing.else.localhost"},
		{"localhost", "127.0.0.1"},
	} {
		t.Run(called.thinkTank+" to "+called.founderyOS, func(t *testing.T) {
			s := open(t, called)
			p := s.ada(t)
			p.opens()
			if at := evaluate[string](p, `location.hostname`); at != called.founderyOS {
				t.Errorf("arrived at %s", at)
			}
			p.expect("user-name", adaName)
			me := evaluate[string](p, `(async () => (await (await fetch("/api/v1/auth/me")).json()).user.email)()`)
			if me != adaEmail {
				t.Errorf("the API says that %q is signed in", me)
			}
			p.press("sign-out")
			p.sees(signedOut)
		})
	}
}

// A foreign name that its owner makes mean this machine (DNS rebinding) is not a
// loopback name: the page comes, for it is no secret, but the API takes nothing
// from it.
func TestAPageUnderAForeignNameSignsNobodyIn(t *testing.T) {
	t.Parallel()
	s := open(t, names{reboundName, usualNames.founderyOS})
	p := s.person(t)
	p.refusals = []string{"POST /api/auth/login 403"}
	p.visit(s.thinkTank+"/", signInForm)
	p.signIn(adaEmail, adaPassword)
	p.sees(`#error:not(:empty)`)
	p.expect("error", "You opened Think Tank under an address that it does not accept.")
	if n := s.count(t, s.dao, "SELECT count(*) FROM sessions"); n != 0 {
		t.Errorf("%d sessions were made for a foreign name", n)
	}
}

// A mail scanner, a link preview or a prefetching browser opens the link first.
func TestI1_LookingAtALinkDoesNotUseItUp(t *testing.T) {
	t.Parallel()
	s := open(t, usualNames)
	p := s.ada(t)
	link := p.link()
	for _, method := range []string{"GET", "HEAD"} {
		for header, value := range map[string]string{
			"User-Agent":  "Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)",
			"Sec-Purpose": "prefetch;prerender",
			"Purpose":     "prefetch",
		} {
			scan(t, link, scanner{method, header, value})
		}
	}
	if n := s.count(t, s.dao, "SELECT count(*) FROM handoffs WHERE redeemed_at IS NOT NULL"); n != 0 {
		t.Fatal("looking at the link used it up")
	}
	if n := s.count(t, s.fos, "SELECT count(*) FROM sessions"); n != 0 {
		t.Fatal("looking at the link made a session")
	}
	p.visit(link, arrived)
	p.expect("user-name", adaName)
}

// "Back" after the journey: Think Tank shows itself, not "Opening…", and nothing
// is minted or spent by going back and forth.
func TestGoingBackAndForthSpendsNothing(t *testing.T) {
	t.Parallel()
	s := open(t, usualNames)
	p := s.ada(t)
	link := p.opens()

	p.do(chromedp.NavigateBack())
	p.sees(atHome)
	p.expect("status", "You are signed in.")
	p.do(chromedp.NavigateForward())
	p.sees(`html[data-state="in"] #sign-out`)
	p.expect("user-name", adaName)
	p.hasNoTokenInSight(tokenOf(link))
	if posts := strings.Count(s.log.String(), `"route":"/api/v1/auth/cross-domain-login"`); posts != 1 {
		t.Errorf("%d posts of the token, want 1", posts)
	}
	s.oneHandoff(t)
}
