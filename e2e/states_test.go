package e2e_test

import (
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

// state is one that a page can be in; reach brings a fresh profile there.
type state struct {
	name  string
	reach func(p *person)
}

// states are all that people come to see, in the order of the journey.
var states = []state{
	{"think-tank-out", func(p *person) { p.visit(p.sites.thinkTank+"/", signInForm) }},
	{"think-tank-wrong-password", func(p *person) {
		p.refusals = []string{"POST /api/auth/login 401"}
		p.visit(p.sites.thinkTank+"/", signInForm)
		p.signIn(adaEmail, "not her password")
		p.sees(`#error:not(:empty)`)
	}},
	{"think-tank-in", func(p *person) { p.isAda() }},
	{"think-tank-somewhere-open", func(p *person) {
		p.isAda()
		p.opens()
		p.visit(p.sites.thinkTank+"/", atHome)
		p.sees("#journeys button")
	}},
	{"founderyos-arrived", func(p *person) { p.isAda(); p.opens() }},
	{"founderyos-long-name", func(p *person) {
		p.isAda()
		p.opens()
		evaluate[bool](p, `(() => {
			document.getElementById("user-name").textContent = "Wolfeschlegelsteinhausenbergerdorff the Younger";
			document.getElementById("user-email").textContent = "a.very.long.address".repeat(6) + "@example.org";
			return true;
		})()`)
	}},
	{"founderyos-home", func(p *person) { p.isAda(); p.opens(); p.visit(p.sites.founderyOS+"/", account) }},
	{"founderyos-signed-out", func(p *person) { p.isAda(); p.opens(); p.press("sign-out"); p.sees(signedOut) }},
	{"founderyos-home-nobody", func(p *person) {
		p.refusals = []string{"GET /api/v1/auth/me 401", "POST /api/v1/auth/refresh 401"}
		p.visit(p.sites.founderyOS+"/", signedOut)
	}},
	{"founderyos-asked", func(p *person) {
		p.is(bobEmail)
		p.opens()
		p.is(adaEmail)
		p.press("open-founderyos")
		p.sees(question)
	}},
	{"founderyos-founder-asked", func(p *person) { p.isFounder(); p.press("open-founderyos"); p.sees(question) }},
	{"founderyos-password", func(p *person) {
		p.refusals = []string{"GET /api/v1/auth/me 401", "POST /api/v1/auth/refresh 401"}
		p.visit(p.sites.founderyOS+"/", signedOut)
		p.do(chromedp.Click(chromedp.CSS(`details:has(#sign-in-form) > summary`)))
	}},
	{"founderyos-step-up", func(p *person) {
		p.isAda()
		p.opens()
		p.visit(p.sites.founderyOS+"/", account)
		p.do(chromedp.Click(chromedp.CSS(`#step-up > summary`)))
	}},
	{"founderyos-broken-link", func(p *person) {
		p.visit(p.sites.founderyOS+"/cross-domain?token="+strings.Repeat("5ca1ab1e", 7), problem)
	}},
	{"founderyos-lost-answer", func(p *person) {
		p.isAda()
		answers := p.holdAnswers()
		p.press("open-founderyos")
		p.loses(<-answers)
		p.sees(problem)
	}},
	{"founderyos-used-link", func(p *person) {
		p.refusals = []string{"POST /api/v1/auth/cross-domain-login 401"}
		p.isAda()
		link := p.opens()
		p.press("sign-out")
		p.sees(signedOut)
		p.visit(link, problem)
	}},
}

// Whoever comes, with whatever window, eyes or none: every state of every page.
func TestEveryStateIsForEverybody(t *testing.T) {
	t.Parallel()
	s := open(t, usualNames)
	for _, st := range states {
		t.Run(st.name, func(t *testing.T) {
			p := s.person(t)
			st.reach(p)
			p.makesSenseUnseen()
			p.fitsEveryWindow(st.name)
		})
	}
}

// makesSenseUnseen: what somebody has of the page who does not see it.
func (p *person) makesSenseUnseen() {
	p.t.Helper()
	if lang := evaluate[string](p, `document.documentElement.lang`); lang != "en-GB" {
		p.t.Errorf("the language is %q", lang)
	}
	page, title := p.hears(), evaluate[string](p, `document.title`)
	if headings := page.having("heading", "level", 1.0); len(headings) != 1 || !strings.Contains(title, headings[0].name) {
		p.t.Errorf("first headings are %v, the tab says %q", headings, title)
	}
	for _, role := range []string{"main", "banner", "contentinfo", "status", "alert"} {
		if n := len(page.of(role)); n != 1 {
			p.t.Errorf("%d of role %s, want 1", n, role)
		}
	}
	for _, role := range []string{"textbox", "button", "link", "region"} {
		for _, one := range page.of(role) {
			if one.name == "" {
				p.t.Errorf("a %s has no name", role)
			}
		}
	}
}
