package e2e_test

import (
	"testing"

	"github.com/chromedp/chromedp"
)

var asking = map[string]string{"HANDOFF_UNBOUND": "confirm"}

// Login CSRF: somebody makes a link for their own account, and has somebody else open it.
// The page says whose account it is, and nobody is signed in until they have said yes.
func TestAForgedLinkAsksFirst(t *testing.T) {
	t.Parallel()
	s := openWith(t, usualNames, asking)
	attacker, victim := s.ada(t), s.person(t)
	victim.visit(attacker.link(), question)
	victim.expect("as-name", adaName)
	victim.expect("as-email", adaEmail)
	victim.expect("title", "Is this you?")
	victim.expect("confirm", "Continue as "+adaEmail)
	if n := s.count(t, s.fos, "SELECT count(*) FROM sessions"); n != 0 {
		t.Errorf("%d sessions before the answer", n)
	}
	victim.do(chromedp.Reload()) // the token has left the address; the question has not
	victim.sees(question)
	victim.expect("as-email", adaEmail)
	victim.refusals = []string{"GET /api/v1/auth/me 401", "POST /api/v1/auth/refresh 401"}
	victim.press("decline")
	victim.sees(signedOut)
	if n := s.count(t, s.fos, "SELECT (SELECT count(*) FROM sessions) + (SELECT count(*) FROM users)"); n != 0 {
		t.Errorf("%d rows after no", n)
	}
}

// Whoever says yes is in.
func TestALinkIsConfirmed(t *testing.T) {
	t.Parallel()
	s := openWith(t, usualNames, asking)
	ada := s.ada(t)
	ada.press("open-founderyos")
	ada.sees(question)
	ada.press("confirm")
	ada.sees(arrived)
	ada.expect("user-email", adaEmail)
	ada.do(chromedp.Reload())
	ada.sees(`html[data-state="in"] #sign-out`)
}

// The answer to "yes" is lost on the way: trying again finds the session that it opened.
func TestI8_ALostYesCostsOnlyAnotherPress(t *testing.T) {
	t.Parallel()
	s := openWith(t, usualNames, asking)
	ada := s.ada(t)
	ada.press("open-founderyos")
	ada.sees(question)
	answers := ada.holdAnswersOf("*/cross-domain/confirm")
	ada.press("confirm")
	ada.loses(<-answers)
	ada.refusedWith("No answer from FounderyOS", "no_answer")
	ada.letAnswersPass()
	ada.press("retry")
	ada.sees(account)
	ada.expect("user-email", adaEmail)
	s.oneHandoff(t)
}

// A journey that begins at FounderyOS comes back to the same browser, and nobody is asked.
func TestAJourneyThatBeginsHere(t *testing.T) {
	t.Parallel()
	s := openWith(t, usualNames, asking)
	p := s.person(t)
	p.refusals = []string{"GET /api/v1/auth/me 401", "POST /api/v1/auth/refresh 401"}
	p.visit(s.founderyOS+"/", `html[data-state="out"] #begin`)
	p.press("begin")
	p.sees(signInForm) // at Think Tank, where nobody is signed in yet
	p.signIn(adaEmail, adaPassword)
	p.sees(atHome) // a link alone signs nobody in: somebody else may have made it
	p.expect("open-founderyos", "Continue to FounderyOS")
	p.press("open-founderyos")
	p.sees(arrived)
	p.expect("user-email", adaEmail)
	if n := s.count(t, s.fos, "SELECT count(*) FROM audit_log WHERE event = 'handoff.pending'"); n != 0 {
		t.Errorf("%d questions", n)
	}
}

// What was made for a journey that began in another browser is of no use here.
func TestABoundLinkInAnotherBrowser(t *testing.T) {
	t.Parallel()
	s := open(t, usualNames)
	ada, another := s.ada(t), s.person(t)
	another.refusals = []string{"POST /api/v1/auth/cross-domain-login 401"}
	another.visit(ada.linkFor("E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"), problem)
	another.refusedWith("This link is not for this browser", "handoff_invalid")
}

// Somebody else is signed in here already, and is named beside who would be.
func TestSomebodyElseIsSignedInHere(t *testing.T) {
	t.Parallel()
	s := open(t, usualNames)
	p, ada := s.person(t), s.ada(t)
	p.is(bobEmail)
	p.opens()
	p.expect("user-email", bobEmail)

	p.visit(ada.link(), question)
	p.expect("as-email", adaEmail)
	p.expect("current-name", bobName)
	p.expect("current-email", bobEmail)
	p.press("decline")
	p.sees(account)
	p.expect("user-email", bobEmail)

	p.visit(ada.link(), question)
	p.press("confirm")
	p.sees(arrived)
	p.expect("user-email", adaEmail)
	if n := s.count(t, s.fos, "SELECT count(*) FROM sessions WHERE ended_as = 'replaced'"); n != 1 {
		t.Errorf("%d sessions ended", n)
	}
}
