//go:build proof

package proof_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hello-world-co-op/handoff/internal/testkit"
)

// scripted is a DAO half that answers as it is told, one after the other, and notes what it
// was asked. "" breaks the connection.
type scripted struct {
	url string

	mu      sync.Mutex
	answers []said
	keys    []string
}

type said struct {
	status      int
	body, after string
}

func newScripted(t *testing.T) *scripted {
	t.Helper()
	p := &scripted{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		p.mu.Lock()
		defer p.mu.Unlock()
		p.keys = append(p.keys, r.Header.Get("Idempotency-Key"))
		if len(p.answers) == 0 || p.answers[0].body == "" {
			p.answers = p.answers[min(1, len(p.answers)):]
			panic(http.ErrAbortHandler)
		}
		answer := p.answers[0]
		p.answers = p.answers[1:]
		w.Header().Set("Content-Type", "application/problem+json")
		w.Header().Set("Retry-After", answer.after)
		w.WriteHeader(answer.status)
		_, _ = io.WriteString(w, answer.body)
	}))
	t.Cleanup(server.Close)
	p.url = server.URL
	return p
}

// will is what it answers next; it forgets what it was asked.
func (p *scripted) will(answers ...said) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.answers, p.keys = answers, nil
}

func (p *scripted) asked() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.keys)
}

func claimsFor(t *testing.T, target string) said {
	t.Helper()
	text, err := json.Marshal(map[string]any{
		"user_id": "6f1f6b0a-5c35-4f0e-9d0f-1c1a3b5d7e90", "email": "ada@example.org", "display_name": nil, "ic_principal": nil, "roles": []string{},
		"entry_product": "dao", "target_domain": target, "issued_at": 1, "expires_at": 2, "email_verified": true, "of": "tomorrow",
	})
	if err != nil {
		t.Fatal(err)
	}
	return said{status: http.StatusOK, body: string(text)}
}

func problem(status int, code string) said {
	return said{status: status, body: fmt.Sprintf(`{"code":%q}`, code)}
}

// What was lost is asked for again under the same key, a refusal is not, and an answer for
// another target signs nobody in (I7), from a service that did not look. What is ours to
// mend is not told as the person's fault.
func TestProof_theFastAPIExampleAsksAgain(t *testing.T) {
	bridge := newScripted(t)
	url := fastAPI(t, bridge.url, nil)
	s := today(t, nil) // for its browser
	const key = "arrival-0123456789abcdef"
	token := strings.Repeat("0f", 32)
	arrive := func(token string) testkit.Answer {
		return s.Browser(t).Post(url+"/arrive", map[string]any{"token": token}, testkit.Header{Name: "Idempotency-Key", Value: key})
	}
	good, lost, down := claimsFor(t, testkit.Target), said{}, problem(http.StatusServiceUnavailable, "dependency_unavailable")
	soon, never := down, down
	soon.after, never.after = "1", "60"
	strange := down
	strange.after = "\u00b2" // a digit, for some
	for name, c := range map[string]struct {
		answers []said
		asked   int
		status  int
		reason  string
	}{
		"the answer is lost":           {[]said{lost, good}, 2, 200, ""},
		"lost twice":                   {[]said{lost, lost, good}, 3, 200, ""},
		"lost three times":             {[]said{lost, lost, lost, good}, 3, 503, ""},
		"down for a second":            {[]said{soon, good}, 2, 200, ""},
		"down for longer than a key":   {[]said{never, good}, 1, 503, ""},
		"a strange Retry-After":        {[]said{strange, good}, 2, 200, ""},
		"somebody else answers":        {[]said{{status: 200, body: "<html>"}, {status: 502, body: "[]"}, good}, 3, 200, ""},
		"used":                         {[]said{problem(400, "token_used"), good}, 1, 401, "token_used"},
		"for another target":           {[]said{claimsFor(t, testkit.OtherTarget), good}, 1, 401, "token_wrong_target"},
		"a key with blanks":            {[]said{problem(400, "invalid_request"), good}, 1, 400, ""},
		"our service token is wrong":   {[]said{problem(401, "invalid_service_token"), good}, 1, 503, ""},
		"the exchange is switched off": {[]said{problem(503, "exchange_disabled"), good}, 1, 503, ""},
	} {
		bridge.will(c.answers...)
		begun := time.Now()
		answer := arrive(token)
		if asked := bridge.asked(); len(asked) != c.asked || slices.ContainsFunc(asked, func(k string) bool { return k != key }) {
			t.Errorf("%s: asked %q, want %d times", name, asked, c.asked)
		}
		if answer.Status != c.status || answer.Text("reason") != c.reason || (c.status == 503) != (answer.Header.Get("Retry-After") != "") {
			t.Errorf("%s: %d %s, want %d %s", name, answer.Status, answer.Raw, c.status, c.reason)
		}
		if name == "down for a second" && time.Since(begun) < time.Second {
			t.Errorf("%s: asked again after %v", name, time.Since(begun))
		}
	}
	bridge.will(never)
	if answer := arrive(token); answer.Header.Get("Retry-After") != "60" {
		t.Errorf("for a minute: %v", answer.Header)
	}
	bridge.will(good)
	if answer := arrive("x"); answer.Status != http.StatusUnauthorized || answer.Text("reason") != "token_malformed" || len(bridge.asked()) != 0 {
		t.Errorf("what is no token was sent: %d %s", answer.Status, answer.Raw)
	}
}
