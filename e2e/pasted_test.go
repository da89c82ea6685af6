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

// Who copies the landing page of the module's head keeps the hand-off when answers are lost:
// the token is out of the address by then, and only that page has it. One loss costs nobody a
// press.
func TestModule_itsLandingPageTriesAgain(t *testing.T) {
	t.Parallel()
	s := openSuite(t)
	p := s.person(t)
	p.unjudged = true
	p.isAda()
	token := tokenOf(p.link())
	answers := p.holdAnswers()
	p.do(chromedp.Navigate(s.landing(t) + "?token=" + token))
	until(t, "the page offers to try again", func() bool {
		select {
		case answer := <-answers:
			p.loses(answer)
		default:
		}
		return evaluate[bool](p, `!document.querySelector("#retry").hidden`)
	})
	p.press("retry")
	p.loses(<-answers)
	p.letAnswersPass()
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

// An outage is asked about again, after its Retry-After and within the key's ten seconds; a
// refusal is not. Who gives up in between hears their own reason, at once.
func TestModule_repeatsWhatMayPass(t *testing.T) {
	t.Parallel()
	s := openSuite(t)
	p := s.person(t)
	p.unjudged = true
	p.isAda()
	p.visit(s.there+"/", "main")
	for _, c := range []struct{ answer, more, want string }{
		{`"dependency_unavailable", 503, 1`, ``, "dependency_unavailable 3 true"},
		{`"dependency_unavailable", 503, 9`, ``, "dependency_unavailable 1 false"},
		{`"dependency_unavailable", 503, 1`, `signal: AbortSignal.abort("changed my mind")`, "changed my mind 0 false"},
		{`"dependency_unavailable", 503, 6`, `signal: soon()`, "changed my mind 1 false"},
		{`"rate_limited", 429, 1`, ``, "rate_limited 1 false"},
		{`"handoff_invalid", 401, 0`, ``, "handoff_invalid 1 false"},
	} {
		got := p.module(`const [code, status, wait] = [` + c.answer + `], begun = performance.now(); let asked = 0;
			const soon = () => { const a = new AbortController(); setTimeout(() => a.abort("changed my mind"), 50); return a.signal; };
			globalThis.fetch = async (_, {signal}) => {
				signal.throwIfAborted();
				asked++;
				return new Response(JSON.stringify({code}), {status, headers: {"Retry-After": String(wait)}});
			};
			const why = await m.arrive("0f".repeat(32), {` + c.more + `}).catch((e) => e.code ?? e);
			return [why, asked, performance.now() - begun >= 2000].join(" ")`)
		if got != c.want {
			t.Errorf("%s %s: %s, want %s", c.answer, c.more, got, c.want)
		}
	}
}
