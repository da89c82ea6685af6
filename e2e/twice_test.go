package e2e_test

import (
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/fetch"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"

	"github.com/hello-world-co-op/handoff/internal/testkit"
)

// oneHandoff: what the person did twice happened once.
func (s *sites) oneHandoff(t *testing.T) {
	t.Helper()
	if n := s.count(t, s.dao, "SELECT count(*) FROM handoffs"); n != 1 {
		t.Errorf("%d hand-offs were minted, want 1", n)
	}
	if n := s.count(t, s.fos, "SELECT count(*) FROM sessions"); n != 1 {
		t.Errorf("%d sessions were made, want 1", n)
	}
}

func TestI8_ADoubleClickIsOneHandOff(t *testing.T) {
	t.Parallel()
	s := open(t, usualNames)
	p := s.ada(t)
	box := evaluate[[2]float64](p, `(() => {
		const box = document.getElementById("open-founderyos").getBoundingClientRect();
		return [box.x + box.width / 2, box.y + box.height / 2];
	})()`)
	p.do(
		chromedp.MouseClickXY(box[0], box[1], chromedp.ClickCount(1)),
		chromedp.MouseClickXY(box[0], box[1], chromedp.ClickCount(2)),
	)
	p.sees(arrived)
	p.expect("user-name", adaName)
	s.oneHandoff(t)
}

// The session is made, its answer is lost on the way to the browser. The page
// offers to try again, and that finds the same session.
func TestI8_ALostAnswerCostsOnlyAnotherPress(t *testing.T) {
	t.Parallel()
	s := open(t, usualNames)
	p := s.ada(t)
	answers := p.holdAnswers()

	p.press("open-founderyos")
	p.loses(<-answers)
	p.refusedWith("No answer from FounderyOS", "no_answer")
	if n := s.count(t, s.fos, "SELECT count(*) FROM sessions"); n != 1 {
		t.Fatalf("%d sessions before the second try, want 1: nothing was lost", n)
	}
	p.letAnswersPass()
	p.press("retry")
	p.sees(arrived)
	p.expect("user-name", adaName)
	s.oneHandoff(t)
}

// The same link is opened again in the same tab while its first post is still
// being answered: the arrival key makes both the same arrival.
func TestI8_ALinkOpenedTwiceInOneTabIsOneSession(t *testing.T) {
	t.Parallel()
	s := open(t, usualNames)
	p := s.ada(t)
	answers := p.holdAnswers()
	p.press("open-founderyos")
	<-answers
	p.letAnswersPass()
	p.visit(p.watch.links()[0], arrived)
	p.expect("user-name", adaName)
	s.oneHandoff(t)
}

// A reload while the session is being made. The token is out of the address by
// then, so the post that is under way has to be enough.
func TestI8_AFastReloadOfTheLandingPageArrives(t *testing.T) {
	t.Parallel()
	s := open(t, usualNames)
	p := s.ada(t)
	release := s.holdNewSessions(t)
	p.press("open-founderyos")
	s.waitForHeld(t)

	p.asksAgain = true
	p.do(chromedp.Reload())
	p.sees(`html[data-state="working"] #status`)
	release()
	p.sees(account)
	p.expect("user-name", adaName)
	s.oneHandoff(t)
}

// holdAnswers keeps the answers of cross-domain-login from the page: the service
// has done its work by then.
func (p *person) holdAnswers() <-chan fetch.RequestID {
	p.t.Helper()
	return p.holdAnswersOf("*/cross-domain-login")
}

func (p *person) holdAnswersOf(pattern string) <-chan fetch.RequestID {
	p.t.Helper()
	held := make(chan fetch.RequestID, 8)
	if err := chromedp.Listen(p.ctx, func(event any) {
		if paused, ok := event.(*fetch.EventRequestPaused); ok {
			held <- paused.RequestID
		}
	}); err != nil {
		p.t.Fatal(err)
	}
	call(p, fetch.Enable, fetch.EnableParams{Patterns: []*fetch.RequestPattern{{
		URLPattern: pattern, RequestStage: fetch.RequestStageResponse,
	}}})
	return held
}

func (p *person) letAnswersPass() {
	p.t.Helper()
	call(p, fetch.Disable, cdp.Empty{})
}

// loses breaks the connection instead of delivering the answer.
func (p *person) loses(answer fetch.RequestID) {
	p.t.Helper()
	p.losses++
	call(p, fetch.FailRequest, fetch.FailRequestParams{RequestID: answer, ErrorReason: network.ErrorReasonConnectionReset})
}

// holdNewSessions lets the FOS half read sessions but make none until release.
func (s *sites) holdNewSessions(t *testing.T) (release func()) {
	t.Helper()
	return testkit.Hold(t, s.fos, "LOCK TABLE sessions IN SHARE ROW EXCLUSIVE MODE").Release
}

// waitForHeld returns when an arrival waits for that lock.
func (s *sites) waitForHeld(t *testing.T) {
	t.Helper()
	until(t, "an arrival waits at the database", func() bool {
		return s.count(t, s.fos, "SELECT count(*) FROM pg_locks WHERE NOT granted") > 0
	})
}

// until asks again and again, for as long as a person would wait.
func until(t *testing.T, what string, holds func() bool) {
	t.Helper()
	deadline, again := time.After(patience), time.NewTicker(5*time.Millisecond)
	defer again.Stop()
	for !holds() {
		select {
		case <-deadline:
			t.Fatalf("it never came to pass that %s", what)
		case <-again.C:
		}
	}
}
