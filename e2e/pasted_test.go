package e2e_test

import (
	"net/url"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

// landingPage is what the module's head says of landing pages, pasted into one of a person's
// own, at /landing/ and the port of the FOS half.
func landingPage(t *testing.T) string {
	t.Helper()
	_, landing, found := strings.Cut(pasted(t), "\nimport { arrive")
	if !found {
		t.Fatal("the module's head has no landing page")
	}
	return `<!doctype html><html lang="en"><title>A suite</title><link rel="icon" href="data:,"><main>A suite</main>
		<button id="retry" type="button" hidden>Try again</button>
		<script>
			const fos = location.origin.replace(/\d+$/, location.pathname.split("/").pop());
			const retry = document.querySelector("#retry");
			const show = (user) => { document.documentElement.dataset.in = user ? user.email : "nobody"; };
			const say = (error) => { document.documentElement.dataset.said = error.code; };
		</script>
		<script type="module">import { arrive` + landing + `</script>`
}

func (s *suite) landing(t *testing.T) string {
	t.Helper()
	fos, err := url.Parse(s.founderyOS)
	if err != nil {
		t.Fatal(err)
	}
	return s.there + "/landing/" + fos.Port()
}

// Who copies the landing page of the module's head keeps the hand-off when an answer is lost:
// the token is out of the address by then, and only that page has it.
func TestModule_itsLandingPageTriesAgain(t *testing.T) {
	t.Parallel()
	s := openSuite(t)
	p := s.person(t)
	p.unjudged = true
	p.isAda()
	token := tokenOf(p.link())
	answers := p.holdAnswers()
	p.do(chromedp.Navigate(s.landing(t) + "?token=" + token))
	p.loses(<-answers)
	p.letAnswersPass()
	p.press("retry")
	p.sees(`html[data-in="` + adaEmail + `"]`)
	s.oneHandoff(t)
}

// A reload of that page has no token and needs none: it asks who is signed in. A link that
// is spent is said to be.
func TestModule_itsLandingPageIsReloaded(t *testing.T) {
	t.Parallel()
	s := openSuite(t)
	p := s.person(t)
	p.unjudged = true
	p.visit(s.landing(t), `html[data-in="nobody"]`)
	p.isAda()
	p.visit(s.landing(t)+"?token="+tokenOf(p.link()), `html[data-in="`+adaEmail+`"]`)
	evaluate[bool](p, `delete document.documentElement.dataset.in`)
	p.do(chromedp.Reload())
	p.sees(`html[data-in="` + adaEmail + `"]`)
	if at := evaluate[string](p, `location.href`); at != s.landing(t) {
		t.Errorf("the address is %s", at)
	}
	s.oneHandoff(t)
	p.visit(s.landing(t)+"?token="+strings.Repeat("0f", 32), `html[data-said="handoff_invalid"]`)
}
