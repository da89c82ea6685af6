package handoff_test

import (
	"io"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hello-world-co-op/handoff/internal/handoff"
	"github.com/hello-world-co-op/handoff/internal/testkit"
	"github.com/hello-world-co-op/handoff/internal/token"
)

func TestAPeerIsAskedAsTheProtocolSays(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	var got []string
	answer := says(http.StatusOK, olderAnswer())
	peer := foreign(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		mu.Lock()
		got = append(got, r.Method+" "+r.URL.Path, r.Header.Get("Authorization"), r.Header.Get("Content-Type"),
			r.Header.Get("Idempotency-Key"), string(body))
		mu.Unlock()
		answer(w, r)
	}, func(c *handoff.PeerConfig) { c.BaseURL += "/bridge/" })
	p := shown(t)
	if _, err := peer.Exchange(t.Context(), p); err != nil {
		t.Fatal(err)
	}
	mu.Lock()
	defer mu.Unlock()
	want := []string{
		"POST /bridge/api/staging_token/exchange", "Bearer " + testkit.ServiceToken, "application/json", firstKey,
		`{"token":"` + p.Token.Reveal() + `","target_domain":"founderyos.test"}`,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("request (-want +got):\n%s", diff)
	}
}

// dropper is a peer that takes requests and drops the first few without a word.
type dropper struct {
	drops int64
	seen  atomic.Int64
	mu    sync.Mutex
	keys  []string
}

func (d *dropper) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	d.mu.Lock()
	d.keys = append(d.keys, r.Header.Get("Idempotency-Key"))
	d.mu.Unlock()
	if d.seen.Add(1) <= d.drops {
		panic(http.ErrAbortHandler)
	}
	says(http.StatusOK, olderAnswer())(w, r)
}

// A lost answer may have been the good one: only the same attempt may ask again.
func TestI8_aLostConnectionIsTriedOnceMoreUnderTheSameKey(t *testing.T) {
	t.Parallel()
	for name, story := range map[string]struct {
		drops, asked int64
		key          string
		ok           bool
	}{
		"with a key":                {drops: 1, asked: 2, key: firstKey, ok: true},
		"with a key, and lost also": {drops: 9, asked: 2, key: firstKey},
		"without a key":             {drops: 1, asked: 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := &dropper{drops: story.drops}
			p := shown(t)
			p.IdempotencyKey = story.key
			_, err := foreign(t, d.ServeHTTP).Exchange(t.Context(), p)
			if (err == nil) != story.ok || d.seen.Load() != story.asked {
				t.Errorf("asked %d times, %v; want %d times", d.seen.Load(), err, story.asked)
			}
			for _, key := range d.keys {
				if key != story.key {
					t.Errorf("asked under key %q", key)
				}
			}
		})
	}
}

// net/http repeats a request by itself on a connection that was used before, if an
// Idempotency-Key makes it look harmless. How often is ours to decide.
func TestI8_aLostConnectionThatWasUsedBeforeIsNoReasonToAskMoreOften(t *testing.T) {
	t.Parallel()
	d := &dropper{}
	peer := foreign(t, d.ServeHTTP)
	if _, err := peer.Exchange(t.Context(), shown(t)); err != nil {
		t.Fatal(err)
	}
	d.drops = 100
	if _, err := peer.Exchange(t.Context(), shown(t)); err == nil || d.seen.Load() != 3 {
		t.Errorf("asked %d times more (%v), want twice", d.seen.Load()-1, err)
	}
}

// An answer is an answer: what the peer refused is not asked again.
func TestARefusalIsNotAskedForTwice(t *testing.T) {
	t.Parallel()
	var seen atomic.Int64
	_, err := foreign(t, func(w http.ResponseWriter, r *http.Request) {
		seen.Add(1)
		says(http.StatusBadRequest, map[string]any{"code": "token_used", "handoff_id": "0192f3a1-7b4c-7d5e-8f60-123456789abc"})(w, r)
	}).Exchange(t.Context(), shown(t))
	wantRefused(t, shown(t), err, token.ErrUsed, mustID("0192f3a1-7b4c-7d5e-8f60-123456789abc"))
	if seen.Load() != 1 {
		t.Errorf("asked %d times", seen.Load())
	}
}
