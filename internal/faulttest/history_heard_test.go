package faulttest_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/hello-world-co-op/handoff/internal/faulttest"
)

// An undecided search is no pass. One impossible answer among n calls of which any may
// come first is 2^n histories: 4 are searched through, and of 64 only the clock makes
// an end, however fast the machine is.
func TestTheCheckersUnknownIsAFault(t *testing.T) {
	t.Parallel()
	among := func(n int) *faulttest.History {
		lines := []line{minted, {2, 3, "a", used, uuid.Nil}}
		for i := range n {
			lines = append(lines, line{2, 3, fmt.Sprint("b", i), untouched, uuid.Nil})
		}
		return historyOf(lines)
	}
	for _, story := range []struct {
		calls  int
		within time.Duration
		want   string
	}{
		{4, time.Minute, "no sequence of calls"},
		{64, time.Nanosecond, "could not decide"},
	} {
		if faults := among(story.calls).FaultsWithin(story.within); len(faults) != 1 || !strings.Contains(faults[0], story.want) {
			t.Errorf("%d calls within %v: %.200q, want %q", story.calls, story.within, faults, story.want)
		}
	}
}

// front is a service that mints, and answers every presentation as it is told to.
func front(t *testing.T, status int, body string) string {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/mint") {
			_, _ = fmt.Fprintf(w, `{"token":"t","handoff_id":%q}`, idle)
			return
		}
		w.WriteHeader(status)
		_, _ = fmt.Fprint(w, body)
	}))
	t.Cleanup(server.Close)
	return server.URL
}

// A model of the token has nothing against a refusal that does not concern it. The
// people of these stories do, for they did nothing wrong.
func TestAnHonestCallerHearsWhatTheStoryAllows(t *testing.T) {
	t.Parallel()
	for _, story := range []struct {
		status  int
		body    string
		mayHear []string // nil: nothing was said
		want    string   // a part of the only fault, "" for none
	}{
		{400, `{"code":"invalid_request"}`, nil, "arrive invalid_request"},
		{404, `no page`, nil, `"arrive"`},
		{429, `{"code":"rate_limited"}`, nil, "arrive rate_limited"},
		{429, `{"code":"rate_limited"}`, []string{"arrive rate_limited"}, ""},
		{429, `{"code":"rate_limited"}`, []string{"mint rate_limited", "exchange rate_limited"}, "arrive rate_limited"},
		{401, `{"code":"handoff_invalid","reason":"invalid"}`, nil, ""},
		{401, `{"code":"handoff_invalid","reason":"invalid"}`, []string{}, "arrive handoff_invalid invalid"},
		{401, `{"code":"handoff_invalid","reason":"invalid"}`, []string{"arrive handoff_invalid used"}, "arrive handoff_invalid invalid"},
		{401, `{"code":"handoff_invalid","reason":"invalid"}`, []string{"arrive handoff_invalid invalid"}, ""},
		{503, `{"code":"dependency_unavailable"}`, []string{}, ""},
	} {
		client := faulttest.NewClient(1)
		t.Cleanup(client.Close)
		h := faulttest.NewHistory(client)
		if story.mayHear != nil {
			h.MayHear(story.mayHear...)
		}
		url := front(t, story.status, story.body)
		h.Mint(t.Context(), url, faulttest.Person{})
		h.Arrive(t.Context(), url, "t", "key")
		faults := h.Faults()
		if found := len(faults) == 1 && strings.Contains(faults[0], story.want) && strings.Contains(faults[0], idle.String()); found != (story.want != "") || len(faults) > 1 {
			t.Errorf("%d %s, where %q may be heard: %q, want %q", story.status, story.body, story.mayHear, faults, story.want)
		}
	}
}

// A history tells its callers' side for the balance: by keys, and per hand-off.
func TestI1_AHistoryKnowsWhoWasToldOfARedemption(t *testing.T) {
	t.Parallel()
	client := faulttest.NewClient(1)
	t.Cleanup(client.Close)
	h := faulttest.NewHistory(client)
	url := front(t, http.StatusOK, fmt.Sprintf(`{"handoff_id":%q,"session":{"id":%q}}`, idle, uuid.New()))
	h.Mint(t.Context(), url, faulttest.Person{})
	h.Arrive(t.Context(), url, "t", "key")
	h.Arrive(t.Context(), url, "t", "key")
	if r := h.Told().Redemptions(); r.Handoffs != 1 || r.Attempts != 1 || r.Sessions != 1 || len(r.Doubles) != 0 {
		t.Errorf("%v", r)
	}
	h.Exchange(t.Context(), url, "t", "key") // the same word at the other half
	h.Exchange(t.Context(), url, "t", "")
	h.Exchange(t.Context(), url, "t", "")
	if r := h.Told().Redemptions(); r.Attempts != 4 || len(r.Doubles) != 1 || !strings.Contains(r.Doubles[0], idle.String()) {
		t.Errorf("%v %q", r, r.Doubles)
	}
}
