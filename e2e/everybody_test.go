package e2e_test

import (
	"testing"
)

// What happens is said: politely while it goes well, at once when it does not. The
// regions are there before their words are, else some readers stay silent.
func TestWhatHappensIsAnnounced(t *testing.T) {
	t.Parallel()
	s := open(t, usualNames)
	p := s.person(t)
	p.refusals = []string{"POST /api/auth/login 401"}
	p.visit(s.thinkTank+"/", signInForm)
	p.announces("status", "polite", "")
	p.announces("alert", "assertive", "")

	p.signIn(adaEmail, "not her password")
	p.sees(`#error:not(:empty)`)
	p.announces("alert", "assertive", "Email address and password do not match. Please try again.")

	p.types("password", adaPassword)
	p.press("sign-in")
	p.sees(atHome)
	p.announces("alert", "assertive", "")
	p.announces("status", "polite", "You are signed in.")
	p.opens()
	p.announces("status", "polite", "Signed in as Ada Lovelace.")
	p.press("sign-out")
	p.sees(signedOut)
	p.announces("status", "polite", "You are signed out of FounderyOS. You may still be signed in to Think Tank.")
}

func (p *person) announces(role, how, want string) {
	p.t.Helper()
	regions := p.hears().having(role, "live", how)
	if len(regions) != 1 || regions[0].text != want {
		p.t.Errorf("the %s regions of role %s are %v, want one that says %q", how, role, regions, want)
	}
}
