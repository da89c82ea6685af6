package app_test

import (
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hello-world-co-op/handoff/internal/privacy"
	"github.com/hello-world-co-op/handoff/internal/testkit"
)

// nextToken is a service token that is accepted beside testkit.ServiceToken.
const nextToken = "b7d20c5f81e6493aa4f1b0d95c7e2386f01d9a4be35c7628d04f91ab73e5c26d"

// lastUsed asks /health/detailed under nextToken when each service token was used.
// Asking is a use: whoever asks under the old token will never see it rest.
func lastUsed(t testing.TB, b *testkit.Browser, daoURL string) map[string]any {
	t.Helper()
	answer := b.Get(daoURL+"/health/detailed", bearer(nextToken))
	if answer.Status != http.StatusOK {
		t.Fatalf("%d %s", answer.Status, answer.Raw)
	}
	wantNoKey(t, answer.Raw)
	times, _ := answer.Body["service_token_last_used"].(map[string]any)
	return times
}

func keyID(token string) string { return privacy.NewSecret(token).KeyID() }

// The operator of a rotation asks one replica, whichever the load balancer chose.
func TestOneReplicaTellsWhatOnlyTheOtherSaw(t *testing.T) {
	t.Parallel()
	s := testkit.Start(t, testkit.Options{Env: map[string]string{"CROSS_DOMAIN_SERVICE_TOKEN_PREVIOUS": nextToken}})
	other, b := s.Process(t, nil), s.Browser(t)
	noon := s.Clock.Now()
	ms := func(at time.Time) float64 { return float64(at.UnixMilli()) }
	if diff := cmp.Diff(map[string]any{keyID(nextToken): ms(noon)}, lastUsed(t, b, s.DAOURL)); diff != "" {
		t.Errorf("before anything was exchanged (-want +got):\n%s", diff)
	}

	// Refused or not: what counts is that the token was accepted.
	token := strings.Repeat("0f", 32)
	refused := b.Post(other.DAOURL+"/api/staging_token/exchange", map[string]any{"token": token}, bearer(testkit.ServiceToken))
	if refused.Code() != "token_unknown" {
		t.Fatalf("%d %s", refused.Status, refused.Raw)
	}
	s.Clock.Advance(10 * time.Second)
	want := map[string]any{keyID(testkit.ServiceToken): ms(noon), keyID(nextToken): ms(s.Clock.Now())}
	untilUsed(t, b, s.DAOURL, want)

	// A wrong one is nobody's use.
	if wrong := b.Get(s.DAOURL+"/health/detailed", bearer("another-service-token-of-enough-length")); wrong.Code() != "invalid_service_token" {
		t.Errorf("%d %s", wrong.Status, wrong.Raw)
	}
	if diff := cmp.Diff(want, lastUsed(t, b, s.DAOURL)); diff != "" {
		t.Errorf("after a wrong bearer (-want +got):\n%s", diff)
	}
}

// untilUsed asks until the times are these, for five seconds: a replica tells of a
// use behind its answer.
func untilUsed(t testing.TB, b *testkit.Browser, daoURL string, want map[string]any) {
	t.Helper()
	var diff string
	for deadline := time.Now().Add(5 * time.Second); time.Now().Before(deadline); {
		if diff = cmp.Diff(want, lastUsed(t, b, daoURL)); diff == "" {
			return
		}
	}
	t.Errorf("last used (-want +got):\n%s", diff)
}

// Where both halves are one process the token does not cross a wire, and is used all
// the same: an operator must not take it for dead.
func TestAnExchangeInProcessIsAUse(t *testing.T) {
	t.Parallel()
	s := testkit.Start(t, testkit.Options{Env: map[string]string{"CROSS_DOMAIN_SERVICE_TOKEN_PREVIOUS": nextToken}})
	ada := s.SignIn(t, s.Member(t, "ada@example.org"))
	token := ada.MintToken()
	s.Clock.Advance(7 * time.Second)
	if answer := ada.Arrive(token); answer.Status != http.StatusOK {
		t.Fatalf("%d %s", answer.Status, answer.Raw)
	}
	want := map[string]any{}
	for _, token := range []string{testkit.ServiceToken, nextToken} {
		want[keyID(token)] = float64(s.Clock.Now().UnixMilli())
	}
	if diff := cmp.Diff(want, lastUsed(t, ada, s.DAOURL)); diff != "" {
		t.Errorf("last used (-want +got):\n%s", diff)
	}
}

// The same on /metrics, of this process alone: Prometheus asks every replica.
func TestTheMetricsTellWhenAServiceTokenWasUsed(t *testing.T) {
	t.Parallel()
	const name = "handoff_service_token_last_used_timestamp_seconds"
	s := testkit.Start(t, testkit.Options{})
	a, err := build(t, s, map[string]string{
		"METRICS_ENABLED": "true", "METRICS_ADDR": "127.0.0.1:0", "CROSS_DOMAIN_SERVICE_TOKEN_PREVIOUS": nextToken,
	})
	if err != nil {
		t.Fatal(err)
	}
	metricsURL := "http://" + a.Addr("metrics") + "/metrics"
	p, b := run(t, a), s.Browser(t)
	if text := b.Get(metricsURL).Raw; strings.Contains(text, name) || !strings.Contains(text, "handoff_build_info") {
		t.Errorf("before any use:\n%s", text)
	}
	before := time.Now().Add(-time.Second) // the figure is cut to milliseconds
	if times := lastUsed(t, b, p.dao); len(times) != 1 {
		t.Errorf("used: %v", times)
	}
	text := b.Get(metricsURL).Raw
	_, figure, found := strings.Cut(text, name+`{key_id="`+keyID(nextToken)+`"} `)
	figure, _, _ = strings.Cut(figure, "\n")
	seconds, err := strconv.ParseFloat(figure, 64)
	if at := time.UnixMilli(int64(seconds * 1000)); !found || err != nil || at.Before(before) || at.After(time.Now()) {
		t.Errorf("%q, %v: used after %v", figure, err, before)
	}
	if n := strings.Count(text, "\n"+name+"{"); n != 1 {
		t.Errorf("%d figures, of which one was used", n)
	}
	wantNoKey(t, text)
	if strings.Contains(text, nextToken) {
		t.Error("the token is in the metrics")
	}
	p.leave()
	if err := p.gone(t); err != nil {
		t.Error(err)
	}
}
