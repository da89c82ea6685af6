package e2e_test

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/chromedp/cdproto/audits"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
)

// watch sees everything that one tab asks for and complains about. It is safe for
// concurrent use.
type watch struct {
	mu       sync.Mutex
	requests map[network.RequestID]*request
	order    []network.RequestID
	// complaints are violations of the policy, exceptions, console errors.
	complaints []string
	lost       int // connections that broke without an answer
}

// request is what went over the wire, as far as the browser tells.
type request struct {
	method, url, body string
	document          bool
	headers           map[string]string
	status            int64
}

// refused is "METHOD /path STATUS" of an answer that was none of the good ones.
func (r request) refused() string {
	if r.status < 400 {
		return ""
	}
	return fmt.Sprintf("%s %s %d", r.method, pathOf(r.url), r.status)
}

// see takes one event of the browser's (chromedp.WithListener).
func (w *watch) see(event any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch e := event.(type) {
	case *network.EventRequestWillBeSent:
		r := w.of(e.RequestID)
		r.method, r.url, r.document = e.Request.Method, e.Request.URL+e.Request.URLFragment, e.Type == network.ResourceTypeDocument
		for _, part := range e.Request.PostDataEntries {
			r.body += string(part.Bytes)
		}
		r.take(e.Request.Headers)
	case *network.EventRequestWillBeSentExtraInfo: // what really goes out, Referer and cookies included
		w.of(e.RequestID).take(e.Headers)
	case *network.EventResponseReceived:
		w.of(e.RequestID).status = e.Response.Status
	case *runtime.EventExceptionThrown:
		w.complain("exception: %s", e.ExceptionDetails.Text)
	case *runtime.EventConsoleAPICalled:
		w.complain("console.%s was called", e.Type)
	case *log.EventEntryAdded:
		w.entry(e.Entry)
	case *audits.EventIssueAdded:
		if e.Issue.Code != audits.InspectorIssueCodePerformanceIssue { // advice
			w.complain("%s", issue(e.Issue))
		}
	}
}

// entry takes a line that the browser itself wrote to the console. An answer of
// 400 and more is among them; those are compared with what the story expects.
func (w *watch) entry(e *log.Entry) {
	loud := e.Level == log.EntryLevelError || e.Level == log.EntryLevelWarning
	switch {
	case !loud, strings.HasPrefix(e.Text, "Failed to load resource: the server responded with a status of"):
	case strings.HasPrefix(e.Text, "Failed to load resource: net::ERR_"):
		w.lost++
	default:
		w.complain("%s: %s", e.Source, e.Text)
	}
}

func issue(i *audits.InspectorIssue) string {
	if csp := i.Details.ContentSecurityPolicyIssueDetails; csp != nil {
		return fmt.Sprintf("policy violated: %s %s", csp.ViolatedDirective, csp.BlockedURL)
	}
	if generic := i.Details.GenericIssueDetails; generic != nil {
		return fmt.Sprintf("issue %s: %s", i.Code, generic.ErrorType)
	}
	return fmt.Sprintf("issue %s", i.Code)
}

func (w *watch) complain(format string, args ...any) {
	w.complaints = append(w.complaints, fmt.Sprintf(format, args...))
}

func (w *watch) of(id network.RequestID) *request {
	if w.requests == nil {
		w.requests = map[network.RequestID]*request{}
	}
	if w.requests[id] == nil {
		w.requests[id] = &request{headers: map[string]string{}}
		w.order = append(w.order, id)
	}
	return w.requests[id]
}

func (r *request) take(headers network.Headers) {
	for name, value := range headers {
		r.headers[strings.ToLower(name)] = fmt.Sprint(value)
	}
}

// sent returns the requests so far, in order.
func (w *watch) sent() []request {
	w.mu.Lock()
	defer w.mu.Unlock()
	list := make([]request, 0, len(w.order))
	for _, id := range w.order {
		if r := w.requests[id]; r.url != "" {
			list = append(list, *r)
		}
	}
	return list
}

// complained returns the complaints so far.
func (w *watch) complained() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.complaints)
}

// links are the hand-off links that the tab opened, in order.
func (w *watch) links() []string {
	var links []string
	for _, r := range w.sent() {
		if r.document && tokenOf(r.url) != "" {
			links = append(links, r.url)
		}
	}
	return links
}

// verify judges what the tab of p did.
func (w *watch) verify(t *testing.T, s *sites, p *person) {
	t.Helper()
	requests := w.sent()
	if len(requests) == 0 {
		t.Error("the watch saw no request: what it found would prove nothing")
	}
	w.keepsAtHome(t, s, requests)
	w.keepsTokens(t, requests)
	var refused []string
	for _, r := range requests {
		if text := r.refused(); text != "" && !(p.asksAgain && text == "GET /api/v1/auth/me 401") {
			refused = append(refused, text)
		}
	}
	if !slices.Equal(refused, p.refusals) {
		t.Errorf("refused were %q, the story expects %q", refused, p.refusals)
	}
	for _, complaint := range w.complained() {
		t.Error(complaint)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.lost != p.losses {
		t.Errorf("%d connections broke, the story breaks %d", w.lost, p.losses)
	}
}

// keepsAtHome: nobody but the two sites is asked for anything, and nobody is told
// where the person came from.
func (w *watch) keepsAtHome(t *testing.T, s *sites, requests []request) {
	t.Helper()
	for _, r := range requests {
		if !strings.HasPrefix(r.url, s.thinkTank+"/") && !strings.HasPrefix(r.url, s.founderyOS+"/") {
			t.Errorf("%s %s went to neither site", r.method, r.url)
		}
		if from := r.headers["referer"]; from != "" {
			t.Errorf("%s %s told the Referer %s", r.method, r.url, from)
		}
	}
}

// keepsTokens: a token goes over the wire in the address of the one navigation
// that brings it and in the body of the one post that spends it.
func (w *watch) keepsTokens(t *testing.T, requests []request) {
	t.Helper()
	var tokens []string
	for _, link := range w.links() {
		tokens = append(tokens, tokenOf(link))
	}
	carries := func(text string) bool {
		return slices.ContainsFunc(tokens, func(token string) bool { return strings.Contains(text, token) })
	}
	for _, r := range requests {
		if carries(r.url) && (!r.document || pathOf(r.url) != "/cross-domain") {
			t.Errorf("%s %s has a token in its address", r.method, pathOf(r.url))
		}
		if carries(r.body) && pathOf(r.url) != "/api/v1/auth/cross-domain-login" {
			t.Errorf("%s %s has a token in its body", r.method, pathOf(r.url))
		}
		for name, value := range r.headers {
			if carries(value) {
				t.Errorf("%s %s has a token in its header %s", r.method, pathOf(r.url), name)
			}
		}
	}
}

func pathOf(text string) string {
	parsed, err := url.Parse(text)
	if err != nil {
		return text
	}
	return parsed.Path
}

func tokenOf(link string) string {
	parsed, err := url.Parse(link)
	if err != nil {
		return ""
	}
	return parsed.Query().Get("token")
}
