package rollout_test

import (
	"net/http"
	"sync"

	"github.com/hello-world-co-op/handoff/internal/testkit"
)

// page is what runs in the tabs of a browser at the DAO half, and knows a CSRF value.
// There are two kinds. One reads the value when it is loaded, and another when it
// hears that it failed. The anxious kind reads it before each request and does not
// ask again, as Think Tank's own does.
type page struct {
	*testkit.Browser
	fleet   *fleet
	anxious bool
	mu      sync.Mutex
	csrf    string
}

// unsafe sends what changes something. To read another value after csrf_failed, and
// to ask once more, is no failure; to hear it twice is one.
func (p *page) unsafe(counted *tally, path string, body any) testkit.Answer {
	return p.send(counted, http.MethodPost, path, body)
}

func (p *page) send(counted *tally, method, path string, body any) testkit.Answer {
	send := func(value string) testkit.Answer {
		return ask(p.Browser, method, p.fleet.DAOURL+path, body, testkit.Header{Name: "X-CSRF-Token", Value: value})
	}
	if p.anxious {
		return send(p.read())
	}
	value := p.value()
	answer := send(value)
	if answer.Code() != "csrf_failed" {
		return answer
	}
	return send(p.valueAfter(value, counted))
}

func (p *page) read() string {
	return ask(p.Browser, http.MethodGet, p.fleet.DAOURL+"/api/auth/csrf-token", nil).Text("csrf_token")
}

func (p *page) value() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.csrf
}

// valueAfter is one that has not failed yet: what another tab has read meanwhile, or
// what is read now. The tabs share the cookie, and so the value.
func (p *page) valueAfter(rejected string, counted *tally) string {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.csrf == rejected {
		counted.count(done, "CSRF value read anew")
		p.csrf = p.read()
	}
	return p.csrf
}
