package app_test

import (
	"bytes"
	"net/http"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
	trace "go.opentelemetry.io/proto/otlp/trace/v1"

	"github.com/hello-world-co-op/handoff/internal/leaving"
	"github.com/hello-world-co-op/handoff/internal/testkit"
)

const tellSpan = "tell endings"

// The news of an end is one trace, from the courier that brings it to what the other half
// makes of it; it names the hand-off where it is one, and nobody. A courier that finds
// nothing to tell, once a second, leaves no trace.
func TestTheNewsOfAnEndIsOneTraceThroughBothHalves(t *testing.T) {
	t.Parallel()
	c := newCollector(t)
	s := testkit.Start(t, testkit.Options{OverHTTP: true, Env: traced(c)})
	dao := s.SignIn(t, s.Member(t, "ada@example.org"))
	comes := func() (fos *testkit.Browser, handoffID string) {
		minted, fos := dao.Mint(nil), s.Browser(t)
		if answer := fos.Arrive(minted.Text("token")); answer.Status != http.StatusOK {
			t.Fatal(answer.Raw)
		}
		return fos, minted.Text("handoff_id")
	}

	fos, first := comes()
	fos.FOSPost("logout", nil)
	toDAO := "POST " + leaving.EndedPath
	c.spans(t, 1, tellSpan)
	wantTold(t, c.spans(t, 1, toDAO), 1, toDAO, map[string]string{"handoff.half": "fos", "handoff_id": first})

	comes()
	comes()
	if out := dao.Post(s.DAOURL+"/api/auth/logout", nil, testkit.Header{Name: "X-CSRF-Token", Value: dao.CSRF}); out.Status != http.StatusOK {
		t.Fatal(out.Raw)
	}
	toFOS := "POST " + leaving.EndPath
	c.spans(t, 2, tellSpan)
	wantTold(t, c.spans(t, 1, toFOS), 2, toFOS, map[string]string{"handoff.half": "dao"})
}

// wantTold demands n rounds of couriers, of which the last has these attributes and led to
// the request to.
func wantTold(t testing.TB, spans []*trace.Span, n int, to string, want map[string]string) {
	t.Helper()
	var rounds []*trace.Span
	for _, span := range spans {
		if span.GetName() == tellSpan {
			rounds = append(rounds, span)
		}
	}
	if len(rounds) != n {
		t.Fatalf("%d rounds, want %d", len(rounds), n)
	}
	round, heard := rounds[n-1], named(t, spans, to)
	post := named(t, spans, "peer "+to[len("POST "):])
	if !bytes.Equal(post.GetParentSpanId(), round.GetSpanId()) || !bytes.Equal(heard.GetParentSpanId(), post.GetSpanId()) ||
		!bytes.Equal(heard.GetTraceId(), round.GetTraceId()) || len(round.GetParentSpanId()) != 0 {
		t.Errorf("round %x below %x, post %x below %x, heard below %x", round.GetSpanId(), round.GetParentSpanId(), post.GetSpanId(), post.GetParentSpanId(), heard.GetParentSpanId())
	}
	if diff := gocmp.Diff(want, attributes(round)); diff != "" {
		t.Errorf("%s (-want +got):\n%s", to, diff)
	}
}
