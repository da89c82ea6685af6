package e2e_test

import (
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// Who signs out of Think Tank is signed out of FounderyOS, and sees it at the next look.
func TestLeavingHereIsLeavingThere(t *testing.T) {
	t.Parallel()
	s := open(t, usualNames)
	p := s.ada(t)
	p.opens()
	p.visit(s.thinkTank+"/", atHome)
	p.press("sign-out")
	p.sees(signInForm)
	p.isSoonOut()
}

// Or they sign out there from here, and stay here.
func TestEndingOneHandoffFromHere(t *testing.T) {
	t.Parallel()
	s := open(t, usualNames)
	p := s.ada(t)
	p.opens()
	p.visit(s.thinkTank+"/", atHome)
	p.sees("#journeys button")
	p.do(chromedp.Click(chromedp.CSS("#journeys button")))
	p.sees(`html:has(#journeys[hidden]) #open-founderyos`)
	p.expect("signed-in-name", adaName)
	p.isSoonOut()
}

// isSoonOut looks at FounderyOS until nobody is signed in there.
func (p *person) isSoonOut() {
	p.t.Helper()
	p.refusals = []string{"GET /api/v1/auth/me 401"}
	for begun := time.Now(); ; {
		p.visit(p.sites.founderyOS+"/", `html:not([data-state="working"]) #title`)
		if evaluate[string](p, `document.documentElement.dataset.state`) == "out" {
			return
		}
		if time.Since(begun) > 5*time.Second {
			p.t.Fatalf("five seconds later: %s", p.scene())
		}
	}
}
