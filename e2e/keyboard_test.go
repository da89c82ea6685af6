package e2e_test

import (
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// The whole journey without a mouse.
func TestAKeyboardIsEnough(t *testing.T) {
	t.Parallel()
	s := open(t, usualNames)
	p := s.person(t)
	p.visit(s.thinkTank+"/", signInForm)

	p.tabsTo("email")
	p.keys(adaEmail)
	p.tabsTo("password")
	p.keys(adaPassword + kb.Enter)
	p.sees(atHome)
	p.startsAtTheHeading()

	p.tabsTo("open-founderyos")
	p.keys(kb.Enter)
	p.sees(arrived)
	p.startsAtTheHeading()

	p.tabsTo("sign-out")
	p.keys(" ")
	p.sees(signedOut)
	p.startsAtTheHeading()

	p.tabsTo("way-back")
	p.keys(kb.Enter)
	p.sees(atHome)
	p.tabsTo("sign-out")
	p.keys(kb.Enter)
	p.sees(signInForm)
	if at := p.focus(); at != "email" {
		t.Errorf("signed out, the keyboard is at #%s, want #email", at)
	}
}

func (p *person) keys(text string) {
	p.t.Helper()
	p.do(chromedp.KeyEvent(text))
}

// tabsTo presses Tab until the keyboard is at the element. Every stop on the way
// shows that it is one.
func (p *person) tabsTo(id string) {
	p.t.Helper()
	var stops []string
	for range 8 {
		p.keys(kb.Tab)
		stop := p.focus()
		stops = append(stops, stop)
		if !evaluate[bool](p, `(() => {
			const style = getComputedStyle(document.activeElement);
			return document.activeElement === document.body || style.outlineStyle === "solid" && parseFloat(style.outlineWidth) >= 2;
		})()`) {
			p.t.Errorf("the focus at #%s is not seen", stop)
		}
		if stop == id {
			return
		}
	}
	p.t.Fatalf("Tab never came to #%s; it stopped at %q\n%s", id, stops, p.scene())
}

// startsAtTheHeading: what is new is read from its beginning.
func (p *person) startsAtTheHeading() {
	p.t.Helper()
	if at := p.focus(); at != "title" {
		p.t.Errorf("the keyboard is at #%s, want the heading", at)
	}
}
