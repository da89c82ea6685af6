package app_test

import (
	"bytes"
	"cmp"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	trace "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"

	"github.com/hello-world-co-op/handoff/internal/testkit"
)

// collecting is a collector of traces that keeps all that it is sent.
type collecting struct {
	url string

	mu   sync.Mutex
	raw  strings.Builder // bodies and headers, as they came
	sent []*trace.Span
}

func newCollector(t testing.TB) *collecting {
	t.Helper()
	c := &collecting{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		var message collector.ExportTraceServiceRequest
		if err == nil {
			err = proto.Unmarshal(body, &message)
		}
		if err != nil || r.URL.Path != "/v1/traces" {
			t.Errorf("the collector was sent %s: %v", r.URL.Path, err)
		}
		c.mu.Lock()
		defer c.mu.Unlock()
		c.raw.Write(body)
		_ = r.Header.Write(&c.raw)
		for _, of := range message.GetResourceSpans() {
			for _, scope := range of.GetScopeSpans() {
				c.sent = append(c.sent, scope.GetSpans()...)
			}
		}
		w.Header().Set("Content-Type", "application/x-protobuf")
	}))
	t.Cleanup(server.Close)
	c.url = server.URL
	return c
}

// spans waits until there are as many that begin so, and returns all, the first first.
func (c *collecting) spans(t testing.TB, n int, prefix string) []*trace.Span {
	t.Helper()
	eventually(t, func() string {
		c.mu.Lock()
		defer c.mu.Unlock()
		found := 0
		for _, s := range c.sent {
			if strings.HasPrefix(s.GetName(), prefix) {
				found++
			}
		}
		if found < n {
			return fmt.Sprintf("%d of %d spans of %q", found, n, prefix)
		}
		return ""
	})
	c.mu.Lock()
	defer c.mu.Unlock()
	all := slices.Clone(c.sent)
	slices.SortFunc(all, func(a, b *trace.Span) int { return cmp.Compare(a.GetStartTimeUnixNano(), b.GetStartTimeUnixNano()) })
	return all
}

// named is the one span with that name.
func named(t testing.TB, spans []*trace.Span, name string) *trace.Span {
	t.Helper()
	var found []*trace.Span
	for _, s := range spans {
		if s.GetName() == name {
			found = append(found, s)
		}
	}
	if len(found) != 1 {
		t.Fatalf("%d spans of %q", len(found), name)
	}
	return found[0]
}

// attributes are a span's, in words.
func attributes(s *trace.Span) map[string]string {
	all := map[string]string{}
	for _, a := range s.GetAttributes() {
		all[a.GetKey()] = a.GetValue().GetStringValue()
		if n := a.GetValue().GetIntValue(); n != 0 {
			all[a.GetKey()] = fmt.Sprint(n)
		}
	}
	return all
}

const (
	mintSpan     = "POST /api/staging_token/mint"
	exchangeSpan = "POST /api/staging_token/exchange"
	arrivalSpan  = "POST /api/v1/auth/cross-domain-login"
	postSpan     = "peer /api/staging_token/exchange"
)

func traced(c *collecting) map[string]string {
	return map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": c.url}
}

// One arrival is one trace through both halves and their stores, and its spans are found by
// the hand-off's id.
func TestAnArrivalIsOneTraceThroughBothHalves(t *testing.T) {
	t.Parallel()
	c := newCollector(t)
	s := testkit.Start(t, testkit.Options{OverHTTP: true, Env: traced(c)})
	minted := s.SignIn(t, s.Member(t, "ada@example.org")).Mint(nil)
	answer := s.Browser(t).Arrive(minted.Text("token"))
	c.spans(t, 1, exchangeSpan)
	spans := c.spans(t, 1, arrivalSpan)
	arrival, post, exchange := named(t, spans, arrivalSpan), named(t, spans, postSpan), named(t, spans, exchangeSpan)
	if !bytes.Equal(post.GetParentSpanId(), arrival.GetSpanId()) || !bytes.Equal(exchange.GetParentSpanId(), post.GetSpanId()) ||
		!bytes.Equal(exchange.GetTraceId(), arrival.GetTraceId()) || len(arrival.GetParentSpanId()) != 0 {
		t.Errorf("arrival %x, post %x below %x, exchange below %x", arrival.GetSpanId(), post.GetSpanId(), post.GetParentSpanId(), exchange.GetParentSpanId())
	}
	for span, want := range map[*trace.Span]map[string]string{
		named(t, spans, mintSpan): {
			"handoff.half": "dao", "handoff.stage": "mint", "http.request.method": "POST", "http.route": "/api/staging_token/mint", "http.response.status_code": "200",
			"request_id": minted.Header.Get("X-Request-ID"), "handoff_id": minted.Text("handoff_id"),
		},
		arrival: {
			"handoff.half": "fos", "handoff.stage": "login", "http.request.method": "POST", "http.route": "/api/v1/auth/cross-domain-login", "http.response.status_code": "200",
			"request_id": answer.Header.Get("X-Request-ID"), "handoff_id": minted.Text("handoff_id"),
		},
		post: {"handoff.dependency": "peer", "handoff.command": "/api/staging_token/exchange"},
	} {
		if diff := gocmp.Diff(want, attributes(span)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", span.GetName(), diff)
		}
	}
	if got := attributes(exchange)["handoff_id"]; got != minted.Text("handoff_id") {
		t.Errorf("the exchange is of %q", got)
	}
	below := map[string]int{}
	for _, span := range spans {
		if bytes.Equal(span.GetParentSpanId(), exchange.GetSpanId()) {
			below[span.GetName()]++
		}
	}
	if below["postgres query"] == 0 || below["redis getrange"] != 1 {
		t.Errorf("below the exchange: %v", below)
	}
}

// I6: what leaves the house names nobody and opens nothing. All that went through a story,
// good and bad, is looked for in all that the collector was sent.
func TestI6_tracesHoldNobodyAndNothing(t *testing.T) {
	t.Parallel()
	c := newCollector(t)
	s := testkit.Start(t, testkit.Options{OverHTTP: true, Env: traced(c)})
	who := s.Member(t, "ada@example.org", withPassword(t))
	ada, b := s.Browser(t), s.Browser(t)
	agent := testkit.Header{Name: "User-Agent", Value: "Ada's browser"}
	testkit.Judged(func() testkit.Answer {
		return ada.Post(s.DAOURL+"/api/auth/login?token=in-the-query", map[string]any{"email": "ada@example.org", "password": testkit.Password}, agent)
	})
	ada.FetchCSRF()
	token := ada.Mint(map[string]any{"return_path": "/secret-garden"}, agent).Text("token")
	b.Arrive(token, ownKey, agent, testkit.Header{Name: "Baggage", Value: "who=Lovelace"}, testkit.Header{Name: "Tracestate", Value: "who=Lovelace"})
	wantCode(t, s.Browser(t).Arrive(token, agent), "handoff_invalid")
	b.Me()
	b.FOSPost("refresh", nil, agent)
	b.Do(http.MethodDelete, s.FOSURL+"/api/v1/auth/sessions/0a8f3c52-2f4e-4c1b-9a53-6f0f7a3b2c1d", nil, agent, testkit.Header{Name: "X-Requested-With", Value: "test"})
	alone := s.Process(t, map[string]string{"HANDOFF_HALVES": "fos", "ORACLE_BRIDGE_URL": "http://127.0.0.1:1"})
	wantCode(t, b.Post(alone.FOSURL+"/api/v1/auth/cross-domain-login", map[string]any{"token": token}, testkit.Header{Name: "X-Requested-With", Value: "test"}), "dependency_unavailable")
	b.Do("BREW", s.FOSURL+"/of-my-own-making?a=b", nil, agent)
	secrets := map[string]string{
		"token": token, "address": "ada@example.org", "name": "Lovelace", "password": testkit.Password, "agent": "Ada's browser", "client": "127.0.0.1",
		"member": who.ID.String(), "arrival key": ownKey.Value, "service token": testkit.ServiceToken, "session": ada.Cookie(s.DAOURL, "dao_session"), "csrf": ada.CSRF,
		"access": b.Cookie(s.FOSURL, "access_token"), "refresh": b.Cookie(s.FOSURL+"/api/v1/auth", "refresh_token"),
		"query": "in-the-query", "return path": "secret-garden", "path": "0a8f3c52", "unknown path": "of-my-own-making", "method": "BREW",
		"statement": "SELECT", "update": "UPDATE", "key of Redis": "dao:handoff:", "limiter's": "rate:", "database": s.DAO.Config().ConnConfig.Database,
	}
	c.spans(t, 1, "DELETE ")
	c.spans(t, 1, "POST /api/v1/auth/refresh")
	c.spans(t, 3, arrivalSpan)
	c.mu.Lock()
	defer c.mu.Unlock()
	sent := strings.ReplaceAll(c.raw.String(), "Host: "+strings.TrimPrefix(c.url, "http://"), "")
	for what, secret := range secrets {
		if secret == "" || strings.Contains(sent, secret) {
			t.Errorf("%s (%q) was exported", what, secret)
		}
	}
	known := []string{
		"handoff.half", "handoff.stage", "handoff.code", "handoff.dependency", "handoff.command", "handoff_id", "request_id",
		"http.request.method", "http.route", "http.response.status_code", "error.type",
	}
	for _, span := range c.sent {
		for key := range attributes(span) {
			if !slices.Contains(known, key) {
				t.Errorf("%s has %s", span.GetName(), key)
			}
		}
		if span.GetTraceState() != "" || span.GetStatus().GetMessage() != "" || len(span.GetEvents()) != 0 {
			t.Errorf("%s says %v %q %v", span.GetName(), span.GetTraceState(), span.GetStatus().GetMessage(), span.GetEvents())
		}
	}
}

// A stranger's trace is linked and no more: its id is not ours, and what they want to be
// recorded is not for them to say. The other half's goes on.
func TestOnlyTheOtherHalfsTraceGoesOn(t *testing.T) {
	t.Parallel()
	c := newCollector(t)
	s := testkit.Start(t, testkit.Options{Env: traced(c)})
	const traceID = "0af7651916cd43dd8448eb211c80319c"
	parent := testkit.Header{Name: "Traceparent", Value: "00-" + traceID + "-b7ad6b7169203331-01"}
	b := s.Browser(t)
	b.Arrive(strings.Repeat("0f", 32), parent)
	b.Post(s.DAOURL+"/api/staging_token/exchange", map[string]any{"token": "none"}, parent, bearer("a-stranger"))
	b.Get(s.DAOURL+"/api/auth/session", testkit.Header{Name: "Traceparent", Value: "00-" + traceID + "-zz-01"})
	b.Exchange(strings.Repeat("0e", 32), parent)
	c.spans(t, 1, "GET /api/auth/session")
	spans := c.spans(t, 2, exchangeSpan)
	for _, span := range spans {
		root, links := len(span.GetParentSpanId()) == 0, len(span.GetLinks())
		theirs := fmt.Sprintf("%x", span.GetTraceId()) == traceID
		code := attributes(span)["handoff.code"]
		switch {
		case span.GetName() == arrivalSpan || code == "invalid_service_token":
			if theirs || !root || links != 1 || fmt.Sprintf("%x", span.GetLinks()[0].GetTraceId()) != traceID {
				t.Errorf("%s of a stranger: theirs %v, root %v, %d links", span.GetName(), theirs, root, links)
			}
		case span.GetName() == exchangeSpan:
			if !theirs || fmt.Sprintf("%x", span.GetParentSpanId()) != "b7ad6b7169203331" {
				t.Errorf("the other half's: %x below %x", span.GetTraceId(), span.GetParentSpanId())
			}
		case strings.HasPrefix(span.GetName(), "GET "):
			if theirs || links != 0 {
				t.Errorf("of nonsense came %d links", links)
			}
		}
	}
}
