package e2e_test

import (
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

// The pages of the API description draw themselves under their own policy and ask nobody
// else for anything (the watch sees to both), and show what there is.
func TestTheDescriptionsCanBeRead(t *testing.T) {
	t.Parallel()
	s := open(t, usualNames)
	p := s.reader(t)
	for address, operations := range map[string]int{
		s.thinkTank + "/docs": 13, s.founderyOS + "/docs": 15, s.founderyOS + "/redoc": 15,
		s.founderyOS + "/api/v1/docs": 15, s.founderyOS + "/api/v1/redoc": 15,
	} {
		p.visit(address, ".opblock-summary")
		if shown := evaluate[int](p, `document.querySelectorAll(".opblock").length`); shown < operations {
			t.Errorf("%s shows %d operations", address, shown)
		}
		p.do(chromedp.Click(chromedp.CSS(".opblock-summary-post .opblock-summary-control")))
		p.sees(".opblock.is-open .responses-table")
		if errors := evaluate[int](p, `document.querySelectorAll(".errors-wrapper").length`); errors != 0 {
			t.Errorf("%s complains of the description: %s", address, p.scene())
		}
	}
	p.visit(s.thinkTank+"/", signInForm) // what the log says of a story is judged by its sites
}

// reader is a person whose tab is judged but for the advice that Chromium has on the
// viewer's forms, which are not ours.
func (s *sites) reader(t *testing.T) *person {
	t.Helper()
	p := s.person(t)
	p.unjudged = true
	t.Cleanup(func() {
		// Pictures in data: addresses go over no wire.
		wire := slices.DeleteFunc(p.watch.sent(), func(r request) bool { return strings.HasPrefix(r.url, "data:image/") })
		p.watch.keepsAtHome(t, s, wire)
		for _, r := range wire {
			if r.status >= 400 {
				t.Errorf("%s %s: %d", r.method, r.url, r.status)
			}
		}
		for _, complaint := range p.watch.complained() {
			if !strings.Contains(complaint, "FormEmptyIdAndNameAttributesForInputError") {
				t.Error(complaint)
			}
		}
	})
	return p
}

// An address in the query would have the viewer show, and ask, somebody else's.
func TestTheViewerShowsNothingOfSomebodyElses(t *testing.T) {
	t.Parallel()
	s := open(t, usualNames)
	p := s.reader(t)
	p.visit(s.thinkTank+"/docs?url=https://elsewhere.example/openapi.json&configUrl=https://elsewhere.example/config.json", ".opblock-summary")
	if title := evaluate[string](p, `document.querySelector(".info .title").innerText`); title == "" {
		t.Error("there is no description")
	}
	p.visit(s.thinkTank+"/", signInForm)
}

// "Try it out" asks the half that the page is of, here and behind a gateway that strips a
// prefix: the viewer goes by where the description is.
func TestTheViewerAsksWhereItIs(t *testing.T) {
	t.Parallel()
	s := open(t, usualNames)
	behind := func(half string) string {
		at, err := url.Parse(half)
		if err != nil {
			t.Fatal(err)
		}
		to := &url.URL{Scheme: "http", Host: net.JoinHostPort("127.0.0.1", at.Port())} // the names are the browser's
		gateway := httptest.NewServer(http.StripPrefix("/oracle", httputil.NewSingleHostReverseProxy(to)))
		t.Cleanup(gateway.Close)
		_, port, _ := strings.Cut(strings.TrimPrefix(gateway.URL, "http://"), ":")
		return origin(at.Hostname(), port) + "/oracle"
	}
	p := s.person(t)
	p.unjudged = true // a gateway's origin is neither site's
	for _, page := range []struct{ home, path string }{
		{s.thinkTank, "/docs"}, {behind(s.thinkTank), "/docs"}, {s.founderyOS, "/docs"}, {behind(s.founderyOS), "/api/v1/docs"},
	} {
		p.visit(page.home+page.path, "#operations-Health-live .opblock-summary-control")
		for _, press := range []string{".opblock-summary-control", ".try-out__btn", ".execute"} {
			p.sees("#operations-Health-live " + press)
			p.do(chromedp.Click(chromedp.CSS("#operations-Health-live " + press)))
		}
		p.sees("#operations-Health-live .live-responses-table .response-col_status")
		asked := evaluate[string](p, `document.querySelector("#operations-Health-live .request-url pre").innerText`)
		status := evaluate[string](p, `document.querySelector("#operations-Health-live .live-responses-table tbody .response-col_status").innerText`)
		if asked != page.home+"/health/live" || !strings.HasPrefix(status, "200") {
			t.Errorf("%s asked %s: %s", page.home+page.path, asked, status)
		}
	}
	p.visit(s.thinkTank+"/", signInForm) // what the log says of a story is judged by its sites
}
