//go:build faults

package crowd_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"strings"
	"sync"
	"testing"

	"github.com/hello-world-co-op/handoff/internal/faulttest"
)

// traveller is a person whose requests are bytes already.
type traveller struct {
	minting  []byte
	arriving []byte // with blank where the token goes
	at       int    // where that is
}

// blank has a token's form.
var blank = strings.Repeat("0", 64)

// arrival is the request that presents token.
func (p *traveller) arrival(token string) []byte {
	request := bytes.Clone(p.arriving)
	copy(request[p.at:], token)
	return request
}

// travellers makes n people, and takes down what the rig's own client sends for
// them, so that there is one place that knows what a request looks like.
func travellers(t testing.TB, stores *faulttest.Stores, n int) []*traveller {
	t.Helper()
	scribe := newScribe(t)
	client := faulttest.NewClient(1)
	defer client.Close()
	all := make([]*traveller, 0, n)
	for i, person := range faulttest.People(t, stores.DAO, n) {
		made := &traveller{}
		client.Mint(t.Context(), scribe.URL, person)
		made.minting = scribe.last()
		// A key is one token's; the same one for every journey of a person says so.
		client.Arrive(t.Context(), scribe.URL, blank, fmt.Sprintf("arrival-of-person-%06d", i))
		made.arriving = scribe.last()
		if made.at = bytes.Index(made.arriving, []byte(blank)); made.at < 0 {
			t.Fatalf("where is the token in %q?", made.arriving)
		}
		all = append(all, made)
	}
	return all
}

// scribe writes down what it is sent.
type scribe struct {
	*httptest.Server
	mu   sync.Mutex
	text []byte
}

func newScribe(t testing.TB) *scribe {
	t.Helper()
	s := &scribe{}
	s.Server = httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		text, err := httputil.DumpRequest(r, true)
		if err != nil {
			t.Error(err)
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		s.text = text
	}))
	t.Cleanup(s.Close)
	return s
}

func (s *scribe) last() []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text
}

// signIn is the request with which a browser signs in by password.
func (s *scribe) signIn(t testing.TB, path, email, password string) []byte {
	t.Helper()
	body, err := json.Marshal(map[string]string{"email": email, "password": password})
	if err != nil {
		t.Fatal(err)
	}
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.URL+path, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("X-Requested-With", "crowd")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	if err := response.Body.Close(); err != nil {
		t.Error(err)
	}
	return s.last()
}
