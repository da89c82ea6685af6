package e2e_test

import (
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

func TestAWrongPasswordIsSaidAndTheEmailStays(t *testing.T) {
	t.Parallel()
	s := open(t, usualNames)
	p := s.person(t)
	p.refusals = []string{"POST /api/auth/login 401"}
	p.visit(s.thinkTank+"/", signInForm)

	p.signIn(adaEmail, "not her password")
	p.sees(`#error:not(:empty)`)
	p.expect("error", "Email address and password do not match. Please try again.")
	if email, password := p.holds("email"), p.holds("password"); email != adaEmail || password != "" {
		t.Errorf("the form holds %q and a password of %d characters; it should hold the email alone", email, len(password))
	}
	if at := p.focus(); at != "password" {
		t.Errorf("the focus is at #%s, want #password", at)
	}

	p.types("password", adaPassword)
	p.press("sign-in")
	p.sees(atHome)
	if shown := evaluate[string](p, `document.getElementById("error").textContent`); shown != "" {
		t.Errorf("signed in, and still it says %q", shown)
	}
}

// Links that are good for nothing: each refusal has words of its own, and none of
// them makes a session.
func TestALinkThatIsNoGoodIsRefusedInWords(t *testing.T) {
	t.Parallel()
	s := open(t, usualNames)
	unknown := strings.Repeat("0123456789abcdef", 4)
	for _, story := range []struct{ name, query, title, code, refusal string }{
		// What is no token at all does not even leave the browser.
		{"cut short", "?token=" + unknown[:63], "This link is incomplete", "token_malformed", ""},
		{"capitals", "?token=" + strings.ToUpper(unknown), "This link is incomplete", "token_malformed", ""},
		{"markup", "?token=%3Cimg%20src%3Dx%20onerror%3Dalert(1)%3E", "This link is incomplete", "token_malformed", ""},
		{"two tokens", "?token=" + unknown + "&token=" + unknown, "This link is incomplete", "token_malformed", ""},
		{"one in the query and one in the fragment", "?token=" + unknown + "#token=" + unknown, "This link is incomplete", "token_malformed", ""},
		{"never minted", "?token=" + unknown, "This link is not valid", "handoff_invalid", "POST /api/v1/auth/cross-domain-login 401"},
		{"no link", "", "Nobody is signed in", "link_missing", "GET /api/v1/auth/me 401, POST /api/v1/auth/refresh 401"},
	} {
		t.Run(story.name, func(t *testing.T) {
			p := s.person(t)
			if story.refusal != "" {
				p.refusals = strings.Split(story.refusal, ", ")
			}
			p.visit(s.founderyOS+"/cross-domain"+story.query, problem)
			p.refusedWith(story.title, story.code)
			if query := evaluate[string](p, `location.search + location.hash`); query != "" {
				t.Errorf("the address bar still has %q", query)
			}
			p.press("way-back")
			p.sees(signInForm)
		})
	}
	if n := s.count(t, s.fos, "SELECT count(*) FROM sessions"); n != 0 {
		t.Errorf("%d sessions came of it", n)
	}
}

// I2 as a person meets it: Redis still has the token, its time is over.
func TestI2_AnExpiredLinkIsRefusedAndANewOneWorks(t *testing.T) {
	t.Parallel()
	s := open(t, usualNames)
	p := s.ada(t)
	link := p.link()
	s.pass(61 * time.Second)

	p.refusals = []string{"POST /api/v1/auth/cross-domain-login 401"}
	p.visit(link, problem)
	p.refusedWith("This link has expired", "handoff_invalid")
	p.hasNoTokenInSight(tokenOf(link))

	p.press("way-back")
	p.sees(atHome)
	p.opens()
	p.expect("user-name", adaName)
}

// A link that lies in somebody's log is no weapon (I8): whoever opens it later is
// refused, and the person whose link it was stays signed in.
func TestI8_ASpentLinkInAnotherProfileIsRefusedAndHarmsNobody(t *testing.T) {
	t.Parallel()
	s := open(t, usualNames)
	ada := s.ada(t)
	link := ada.opens()
	s.pass(61 * time.Second) // within the minute, another browser's key is evidence of theft

	mallory := s.person(t)
	mallory.refusals = []string{"POST /api/v1/auth/cross-domain-login 401", "GET /api/v1/auth/me 401", "POST /api/v1/auth/refresh 401"}
	mallory.visit(link, problem)
	mallory.refusedWith("This link was used already", "handoff_invalid")
	mallory.visit(s.founderyOS+"/", signedOut)

	ada.do(chromedp.Reload())
	ada.sees(account)
	ada.expect("user-email", adaEmail)
	if n := s.count(t, s.fos, "SELECT count(*) FROM sessions"); n != 1 {
		t.Errorf("%d sessions, want Ada's one", n)
	}
	if n := s.count(t, s.fos, "SELECT count(*) FROM audit_log WHERE event = 'handoff.replayed'"); n != 1 {
		t.Errorf("%d replays recorded, want 1", n)
	}
}

// holds returns what stands in a field.
func (p *person) holds(id string) string {
	p.t.Helper()
	return evaluate[string](p, `document.getElementById("`+id+`").value`)
}

// focus returns the id of the element that the keyboard is at.
func (p *person) focus() string {
	p.t.Helper()
	return evaluate[string](p, `document.activeElement.id`)
}
