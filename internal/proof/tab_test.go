//go:build proof

package proof_test

import (
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/hello-world-co-op/handoff/internal/testkit"
)

// jar is a browser's jar for one site, shared by its tabs: what a tab sends is what
// is in it when the tab sends, and the answer that comes last is what stays. It is
// safe for concurrent use.
type jar struct {
	mu      sync.Mutex
	cookies map[string]string
}

func newJar() *jar { return &jar{cookies: map[string]string{}} }

// copy is a jar that what happens to the other does not change.
func (j *jar) copy() *jar {
	j.mu.Lock()
	defer j.mu.Unlock()
	return &jar{cookies: maps.Clone(j.cookies)}
}

func (j *jar) value(name string) string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.cookies[name]
}

func (j *jar) header() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	var pairs []string
	for _, name := range slices.Sorted(maps.Keys(j.cookies)) {
		pairs = append(pairs, name+"="+j.cookies[name])
	}
	return strings.Join(pairs, "; ")
}

func (j *jar) keep(set []*http.Cookie) {
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, c := range set {
		if c.MaxAge < 0 {
			delete(j.cookies, c.Name)
			continue
		}
		j.cookies[c.Name] = c.Value
	}
}

// wire sends requests over connections that are kept, and keeps no cookies.
type wire struct{ client *http.Client }

func newWire(t testing.TB) wire {
	transport := &http.Transport{MaxIdleConnsPerHost: 256}
	t.Cleanup(transport.CloseIdleConnections)
	return wire{&http.Client{Transport: transport}}
}

// get asks with the jar's cookies, and keeps those of the answer in it.
func (w wire) get(t testing.TB, j *jar, url string) testkit.Answer {
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, http.NoBody)
	if err != nil {
		t.Error(err)
		return testkit.Answer{}
	}
	return w.send(t, j, request)
}

// post is get for POST, marked as pages of the FOS half mark it. A body of "" is
// none.
func (w wire) post(t testing.TB, j *jar, url, body string, headers ...testkit.Header) testkit.Answer {
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, strings.NewReader(body))
	if err != nil {
		t.Error(err)
		return testkit.Answer{}
	}
	request.Header.Set("X-Requested-With", "proof")
	if body != "" {
		request.Header.Set("Content-Type", "application/json")
	}
	for _, h := range headers {
		request.Header.Set(h.Name, h.Value)
	}
	return w.send(t, j, request)
}

func (w wire) send(t testing.TB, j *jar, request *http.Request) testkit.Answer {
	if cookies := j.header(); cookies != "" {
		request.Header.Set("Cookie", cookies)
	}
	response, err := w.client.Do(request) //nolint:gosec // G704: the service under test
	if err != nil {
		t.Error(err)
		return testkit.Answer{}
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Error(err)
	}
	answer := testkit.Answer{Status: response.StatusCode, Header: response.Header, Raw: string(text), Cookies: response.Cookies()}
	_ = json.Unmarshal(text, &answer.Body) // an answer that is no object has no members
	j.keep(answer.Cookies)
	return answer
}
