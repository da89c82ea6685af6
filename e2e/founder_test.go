package e2e_test

import (
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/hello-world-co-op/handoff/internal/privacy"
	"github.com/hello-world-co-op/handoff/internal/seed"
	"github.com/hello-world-co-op/handoff/internal/testkit"
	"github.com/hello-world-co-op/handoff/internal/user"
)

// isFounder is Joan, a founder at FounderyOS, who is signed in there by password, and at
// Think Tank.
func (p *person) isFounder() {
	p.t.Helper()
	hash, err := adaHash()
	if err != nil {
		p.t.Fatal(err)
	}
	seeder := seed.New(p.sites.fos, p.sites.fos.Config().ConnConfig.Database, p.sites.now())
	founder := user.Account{Email: testkit.Email(p.t, joanEmail), DisplayName: joanName, Role: user.Founder, PasswordHash: privacy.NewSecret(hash)}
	if _, err := seeder.Account(p.t.Context(), founder); err != nil {
		p.t.Fatal(err)
	}
	p.refusals = append(p.refusals, "GET /api/v1/auth/me 401", "POST /api/v1/auth/refresh 401")
	p.visit(p.sites.founderyOS+"/", signedOut)
	p.do(chromedp.Click(chromedp.CSS(`details:has(#sign-in-form) > summary`)))
	p.signIn(joanEmail, adaPassword)
	p.sees(account)
	p.expect("user-role", "founder")
	p.is(joanEmail)
}

// A founder opens a link. Before whoever made it can come in as them, they are asked
// whether the two accounts are theirs; and who came by link acts as a member, until they
// prove that they are the founder.
func TestAFounderSaysYesAndProvesIt(t *testing.T) {
	t.Parallel()
	s := open(t, usualNames)
	p := s.person(t)
	p.isFounder()
	p.press("open-founderyos")
	p.sees(question)
	p.expect("title", "Connect the two accounts?")
	p.sees("#linking")
	p.sees(`html:has(#current[hidden])`)
	if n := s.count(t, s.fos, "SELECT count(*) FROM identity_link"); n != 0 {
		t.Error("linked before the answer")
	}
	// Half an hour after she signed in her pair wants renewing before she is believed.
	s.pass(30 * time.Minute)
	p.is(joanEmail)
	p.refusals = append(p.refusals, "POST /api/v1/auth/cross-domain-login 409")
	p.press("open-founderyos")
	p.sees(question)
	p.press("confirm")
	p.sees(arrived)
	p.expect("user-role", "member")

	p.visit(s.founderyOS+"/", account)
	p.do(chromedp.Click(chromedp.CSS(`#step-up > summary`)))
	p.refusals = append(p.refusals, "POST /api/v1/auth/step-up 401")
	p.types("step-up-password", "not her password")
	p.press("step-up-button")
	p.sees(`#error:not(:empty)`)
	p.expect("user-role", "member")
	p.types("step-up-password", adaPassword)
	p.press("step-up-button")
	p.sees(`html:has(#step-up[hidden]) #user-role`)
	p.expect("user-role", "founder")
}

// Two browsers of one person: each is on the other's list, and can be ended from there.
func TestTheListEndsAnotherBrowsersSession(t *testing.T) {
	t.Parallel()
	s := open(t, usualNames)
	laptop, phone := s.ada(t), s.ada(t)
	laptop.opens()
	phone.opens()
	laptop.visit(s.founderyOS+"/", account)
	laptop.sees("#session-list button")
	if n := evaluate[int](laptop, `document.querySelectorAll("#session-list li").length`); n != 2 {
		t.Errorf("%d on the list", n)
	}
	laptop.do(chromedp.Click(chromedp.CSS("#session-list button")))
	laptop.sees(`html:not(:has(#session-list button)) #ended`)
	phone.isSoonOut()
	laptop.visit(s.founderyOS+"/", account)
}
