package pages_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/hello-world-co-op/handoff/internal/httpapi/pages"
)

const (
	thinkTankURL  = "http://think-tank.example:8787/"
	founderyOSURL = "http://founderyos.example:8000/"
	aToken        = "5f2b8c0d1e3a4f5b6c7d8e9fa0b1c2d3e4f5a6b7c8d9eaebfc0d1e2f3a4b5c6d"
)

func config() pages.Config {
	return pages.Config{ThinkTankURL: thinkTankURL, FounderyOSURL: founderyOSURL}
}

// sites names every document of each site; the tests of markup, scripts and
// colours walk this list.
var sites = []struct {
	name, stylesheet string
	handler          http.Handler
	documents        []string
}{
	{"think-tank", "/assets/think-tank.css", pages.ThinkTank(config()), []string{"/"}},
	{"founderyos", "/assets/founderyos.css", pages.FounderyOS(config()), []string{"/", "/cross-domain"}},
}

func request(t *testing.T, h http.Handler, method, target string) *http.Response {
	t.Helper()
	recorder := httptest.NewRecorder()
	h.ServeHTTP(recorder, httptest.NewRequestWithContext(t.Context(), method, target, nil))
	return recorder.Result()
}

func bodyOf(t *testing.T, response *http.Response) string {
	t.Helper()
	content, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatalf("read body: %v", err)
	}
	return string(content)
}

func get(t *testing.T, h http.Handler, target string) string {
	t.Helper()
	response := request(t, h, http.MethodGet, target)
	if response.StatusCode != http.StatusOK {
		t.Fatalf("GET %s = %d, want 200", target, response.StatusCode)
	}
	return bodyOf(t, response)
}

func TestEveryAnswerIsProtected(t *testing.T) {
	wantPolicy := []string{
		"default-src 'none'", "script-src 'self'", "style-src 'self'", "img-src 'self'", "connect-src 'self'",
		"form-action 'self'", "base-uri 'none'", "frame-ancestors 'none'",
		"require-trusted-types-for 'script'", "trusted-types 'none'",
	}
	for _, site := range sites {
		// A refusal is a page too: it can be framed and can send a Referer.
		targets := append([]string{"/no-such-page", "/assets/page.js"}, site.documents...)
		for _, target := range targets {
			header := request(t, site.handler, http.MethodGet, target).Header
			if got, want := header.Get("Content-Security-Policy"), strings.Join(wantPolicy, "; "); got != want {
				t.Errorf("%s %s: policy\n got %s\nwant %s", site.name, target, got, want)
			}
			for name, want := range map[string]string{
				"Referrer-Policy":              "no-referrer",
				"X-Content-Type-Options":       "nosniff",
				"Cross-Origin-Resource-Policy": "same-origin",
			} {
				if got := header.Get(name); got != want {
					t.Errorf("%s %s: %s = %q, want %q", site.name, target, name, got, want)
				}
			}
		}
	}
}

func TestDocumentsAreStoredNowhere(t *testing.T) {
	for _, site := range sites {
		for _, target := range site.documents {
			response := request(t, site.handler, http.MethodGet, target)
			if got := response.Header.Get("Cache-Control"); got != "no-store" {
				t.Errorf("%s %s: Cache-Control = %q, want no-store", site.name, target, got)
			}
			if got := response.Header.Get("Content-Type"); got != "text/html; charset=utf-8" {
				t.Errorf("%s %s: Content-Type = %q", site.name, target, got)
			}
		}
	}
}

func TestAssetsHaveTheirTypeAndAreAskedAboutEachTime(t *testing.T) {
	for target, want := range map[string]string{
		"/assets/page.js":        "text/javascript; charset=utf-8",
		"/assets/base.css":       "text/css; charset=utf-8",
		"/assets/take-token.js":  "text/javascript; charset=utf-8",
		"/assets/founderyos.svg": "image/svg+xml",
	} {
		response := request(t, pages.FounderyOS(config()), http.MethodGet, target)
		if got := response.Header.Get("Content-Type"); got != want {
			t.Errorf("%s: Content-Type = %q, want %q", target, got, want)
		}
		if got := response.Header.Get("Cache-Control"); got != "no-cache" {
			t.Errorf("%s: Cache-Control = %q, want no-cache", target, got)
		}
		again := httptest.NewRequestWithContext(t.Context(), http.MethodGet, target, nil)
		again.Header.Set("If-None-Match", response.Header.Get("Etag"))
		recorder := httptest.NewRecorder()
		pages.FounderyOS(config()).ServeHTTP(recorder, again)
		if recorder.Code != http.StatusNotModified {
			t.Errorf("%s asked about again = %d, want 304", target, recorder.Code)
		}
	}
}

// The server's half of "GET and HEAD never consume anything": the token in the
// query changes nothing in the answer, and is not in it either (I6).
func TestTheLandingPageDoesNotLookAtItsQuery(t *testing.T) {
	landing := pages.FounderyOS(config())
	without := get(t, landing, "/cross-domain")
	with := get(t, landing, "/cross-domain?token="+aToken)
	if with != without {
		t.Error("the landing page differs with a token in its query")
	}
	for name, values := range request(t, landing, http.MethodGet, "/cross-domain?token="+aToken).Header {
		if strings.Contains(strings.Join(values, " "), aToken) {
			t.Errorf("header %s repeats the token", name)
		}
	}
}

func TestHeadAnswersLikeGetWithoutABody(t *testing.T) {
	for _, site := range sites {
		for _, target := range append([]string{"/assets/page.js"}, site.documents...) {
			full := request(t, site.handler, http.MethodGet, target)
			head := request(t, site.handler, http.MethodHead, target)
			if head.StatusCode != http.StatusOK {
				t.Errorf("%s: HEAD %s = %d, want 200", site.name, target, head.StatusCode)
			}
			if got := bodyOf(t, head); got != "" {
				t.Errorf("%s: HEAD %s has a body of %d bytes", site.name, target, len(got))
			}
			for _, name := range []string{"Content-Type", "Content-Length", "Cache-Control", "Content-Security-Policy"} {
				if got, want := head.Header.Get(name), full.Header.Get(name); got != want || got == "" {
					t.Errorf("%s: HEAD %s: %s = %q, GET has %q", site.name, target, name, got, want)
				}
			}
		}
	}
}

func TestOtherMethodsAreRefused(t *testing.T) {
	for _, site := range sites {
		for _, method := range []string{http.MethodPost, http.MethodPut, http.MethodDelete, http.MethodOptions} {
			for _, target := range append([]string{"/assets/page.js"}, site.documents...) {
				allow := "GET, HEAD"
				if target == "/cross-domain" {
					allow = "GET, HEAD, POST" // TestTheLandingPageTakesAPostedToken
				}
				if target == "/cross-domain" && method == http.MethodPost {
					continue
				}
				response := request(t, site.handler, method, target)
				if response.StatusCode != http.StatusMethodNotAllowed || response.Header.Get("Allow") != allow {
					t.Errorf("%s: %s %s = %d, Allow %q", site.name, method, target, response.StatusCode, response.Header.Get("Allow"))
				}
			}
		}
	}
}

func TestEverythingElseIsNotFound(t *testing.T) {
	for _, site := range sites {
		for _, target := range []string{
			"/index.html", "/cross-domain/", "/cross-domain.html", "/assets", "/assets/", "/assets/index.html",
			"/assets/../pages.go", "/assets/%2e%2e/pages.go", "/web/common/page.js", "/favicon.ico", "//",
		} {
			if got := request(t, site.handler, http.MethodGet, target).StatusCode; got != http.StatusNotFound {
				t.Errorf("%s: GET %s = %d, want 404", site.name, target, got)
			}
		}
	}
	if got := request(t, pages.ThinkTank(config()), http.MethodGet, "/cross-domain").StatusCode; got != http.StatusNotFound {
		t.Errorf("think-tank: GET /cross-domain = %d, want 404", got)
	}
	// The halves share nothing but the protocol (I14): neither serves the other's files.
	if got := request(t, pages.ThinkTank(config()), http.MethodGet, "/assets/take-token.js").StatusCode; got != http.StatusNotFound {
		t.Errorf("think-tank serves founderyos' script: %d", got)
	}
}

func TestAHostileConfiguredURLBecomesADeadLink(t *testing.T) {
	for _, hostile := range []string{
		"javascript:alert(1)", " JavaScript:alert(1)", "java\nscript:alert(1)", "data:text/html,<script>alert(1)</script>",
		`"><script>alert(1)</script>`, `https://x/" onclick="alert(1)`, "https://x/?a=<script>alert(1)</script>&b='",
	} {
		c := pages.Config{ThinkTankURL: hostile, FounderyOSURL: hostile, StartURL: hostile}
		for _, document := range []string{
			get(t, pages.FounderyOS(c), "/"), get(t, pages.FounderyOS(c), "/cross-domain"), get(t, pages.ThinkTank(c), "/"),
		} {
			for _, alive := range []string{"javascript:", "Script:alert", "script:alert", "data:text", "<script>alert", ` onclick="alert`} {
				if strings.Contains(document, alive) {
					t.Errorf("%q: a configured URL runs as script: %s", hostile, alive)
				}
			}
		}
	}
}

// What cannot begin is not offered, and nothing else is missing.
func TestAJourneyBeginsWhereOneCan(t *testing.T) {
	c := config()
	c.StartURL = "api/v1/auth/cross-domain/start?entry_product=think-tank&x=1"
	with := get(t, pages.FounderyOS(c), "/")
	c.StartURL = ""
	without := get(t, pages.FounderyOS(c), "/")
	const link = `<a id="begin" class="button primary" href="api/v1/auth/cross-domain/start?entry_product=think-tank&amp;x=1"`
	if !strings.Contains(with, link) || strings.Contains(without, `id="begin"`) {
		t.Error("the button is not where it belongs")
	}
	for _, document := range []string{with, without} {
		if !strings.Contains(document, `id="retry"`) || !strings.Contains(document, `id="way-back"`) || strings.Contains(document, "{{") {
			t.Error("its neighbours are gone")
		}
	}
}
