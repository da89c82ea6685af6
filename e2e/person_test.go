package e2e_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/audits"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// person is somebody with a browser profile of their own and one tab.
type person struct {
	t     *testing.T
	sites *sites
	ctx   context.Context
	watch *watch
	// unjudged: the story is about breaking the rules.
	unjudged bool
	// refusals are the answers of 400 and more that their story is about, in order;
	// losses are the connections that it breaks.
	refusals []string
	losses   int
	// asksAgain: the story has the page ask who is signed in before anybody is.
	asksAgain bool
}

// patience is how long a person waits for what they expect to see.
const patience = 30 * time.Second

// What the pages are, as a person tells them apart.
const (
	signInForm = `html[data-state="out"] #email`
	atHome     = `html[data-state="in"] #open-founderyos`
	arrived    = `html[data-state="in"] #entry-product`
	signedOut  = `html[data-state="out"] #way-back`
	problem    = `html[data-state="problem"] #way-back`
	account    = `html[data-state="in"] #user-email`
	question   = `html[data-state="asked"] #confirm`
)

// person opens an empty profile; it is judged and thrown away when the test ends.
func (s *sites) person(t *testing.T) *person {
	t.Helper()
	p := &person{t: t, sites: s, watch: &watch{}}
	var end context.CancelFunc
	p.ctx, end = chromedp.NewContext(chromium.open(t), chromedp.WithNewBrowserContext(), chromedp.WithListener(p.watch.see))
	t.Cleanup(func() {
		if !p.unjudged {
			p.watch.verify(t, s, p)
		}
		end()
	})
	call(p, audits.Enable, cdp.Empty{})
	return p
}

// ada is a person who is signed in at Think Tank.
func (s *sites) ada(t *testing.T) *person {
	t.Helper()
	p := s.person(t)
	p.isAda()
	return p
}

// isAda gives the profile a session of Ada's and goes to Think Tank. Stories that
// are not about passwords are spared the hashing of one.
func (p *person) isAda() {
	p.t.Helper()
	p.is(adaEmail)
}

// is makes the profile that member's at Think Tank, whoever's it was.
func (p *person) is(email string) {
	p.t.Helper()
	call(p, network.SetCookie, network.SetCookieParams{
		Name: "dao_session", Value: p.sites.session(p.t, email).Reveal(), URL: p.sites.thinkTank + "/",
		HTTPOnly: new(true), SameSite: network.CookieSameSiteLax,
	})
	p.visit(p.sites.thinkTank+"/", atHome)
}

func (p *person) do(actions ...chromedp.Action[chromedp.Void]) {
	p.t.Helper()
	if err := p.try(actions...); err != nil {
		p.t.Fatalf("%v\n%s", err, p.scene())
	}
}

func (p *person) try(actions ...chromedp.Action[chromedp.Void]) error {
	// The first call starts the tab and binds it to its context.
	if chromedp.FromContext(p.ctx).Target == nil {
		if err := chromedp.Do(p.ctx); err != nil {
			return err
		}
	}
	ctx, cancel := context.WithTimeout(p.ctx, patience)
	defer cancel()
	return chromedp.Do(ctx, actions...)
}

// scene says what the person looks at, for failures.
func (p *person) scene() string {
	ctx, cancel := context.WithTimeout(p.ctx, time.Second)
	defer cancel()
	seen, err := chromedp.Run(ctx, chromedp.Evaluate[string](
		"`${location.origin}${location.pathname} [${document.documentElement.dataset.state}] ${document.body.innerText}`"))
	if err != nil {
		seen = err.Error()
	}
	return "the person looks at: " + strings.Join(strings.Fields(seen), " ")
}

// visit opens an address as a person who follows a link.
func (p *person) visit(address, until string) {
	p.t.Helper()
	p.do(chromedp.Navigate(address))
	p.sees(until)
}

// sees waits until the page shows what the selector says.
func (p *person) sees(selector string) {
	p.t.Helper()
	if err := p.try(chromedp.WaitVisible(chromedp.CSS(selector), chromedp.RetryInterval(20*time.Millisecond))); err != nil {
		p.t.Fatalf("never saw %s: %v\n%s", selector, err, p.scene())
	}
}

// press clicks with the mouse.
func (p *person) press(id string) {
	p.t.Helper()
	p.do(chromedp.Click(chromedp.CSS("#" + id)))
}

// signIn fills in the form of Think Tank and sends it.
func (p *person) signIn(email, password string) {
	p.t.Helper()
	p.types("email", email)
	p.types("password", password)
	p.press("sign-in")
}

// types adds text to a field.
func (p *person) types(id, text string) {
	p.t.Helper()
	p.do(chromedp.SendKeys(chromedp.CSS("#"+id), text))
}

// opens presses the button and returns the link that it led to.
func (p *person) opens() string {
	p.t.Helper()
	p.press("open-founderyos")
	p.sees(arrived)
	links := p.watch.links()
	if len(links) == 0 {
		p.t.Fatal("the button led nowhere")
	}
	return links[len(links)-1]
}

// link asks for a hand-off as the page does, and does not follow it.
func (p *person) link() string {
	p.t.Helper()
	return p.linkFor("")
}

// linkFor is link for a journey with that challenge, "" for none.
func (p *person) linkFor(challenge string) string {
	p.t.Helper()
	return evaluate[string](p, fmt.Sprintf(`(async () => {
		const csrf = await (await fetch("/api/auth/csrf-token")).json();
		const answer = await fetch("/api/staging_token/mint", {
			method: "POST", headers: {"Content-Type": "application/json", "X-CSRF-Token": csrf.csrf_token},
			body: JSON.stringify({entry_product: "think-tank", challenge: %q || undefined}),
		});
		return (await answer.json()).redirect_url;
	})()`, challenge))
}

// reads returns the text of an element that is seen.
func (p *person) reads(id string) string {
	p.t.Helper()
	p.sees("#" + id)
	return evaluate[string](p, fmt.Sprintf(`document.getElementById(%q).innerText.trim()`, id))
}

// expect compares what the person reads.
func (p *person) expect(id, want string) {
	p.t.Helper()
	if got := p.reads(id); got != want {
		p.t.Errorf("#%s reads %q, want %q", id, got, want)
	}
}

// refusedWith is a problem page: what its heading says, and the code for support.
func (p *person) refusedWith(title, code string) {
	p.t.Helper()
	p.sees(problem)
	p.expect("title", title)
	p.expect("error-code", code)
	if p.reads("error") == "" {
		p.t.Error("nothing says why")
	}
}

// evaluate runs script in the page and waits for what it promises.
func evaluate[T any](p *person, script string) T {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, patience)
	defer cancel()
	result, err := chromedp.Run(ctx, chromedp.Evaluate[T](script, func(params *runtime.EvaluateParams) {
		params.AwaitPromise = new(true)
	}))
	if err != nil {
		p.t.Fatalf("%v\n%s", err, p.scene())
	}
	return result
}

// call sends the tab one command of the browser's protocol.
func call[P, R any](p *person, command cdp.Command[P, R], params P) {
	p.t.Helper()
	p.do(chromedp.Func(func(ctx context.Context, tab *chromedp.Target) error {
		_, err := cdp.Call(ctx, tab, command, params)
		return err
	}))
}
