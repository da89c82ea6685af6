package metrics_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/hello-world-co-op/handoff/internal/metrics"
)

// scraped is what Prometheus is told.
func scraped(t testing.TB, registry *metrics.Registry) string {
	t.Helper()
	answer := httptest.NewRecorder()
	registry.Handler().ServeHTTP(answer, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/metrics", nil))
	if answer.Code != http.StatusOK {
		t.Errorf("scraped: %d", answer.Code)
	}
	return answer.Body.String()
}

func TestRequestsAreCountedByRouteAndStatus(t *testing.T) {
	t.Parallel()
	registry := metrics.New("1.2.3")
	registry.Request("dao", http.MethodPost, "/api/auth/login", http.StatusOK, 40*time.Millisecond)
	registry.Request("dao", http.MethodPost, "/api/auth/login", http.StatusOK, 2*time.Second)

	text := scraped(t, registry)
	for _, want := range []string{
		`handoff_http_request_duration_seconds_count{half="dao",method="POST",route="/api/auth/login",status="200"} 2`,
		`handoff_http_request_duration_seconds_bucket{half="dao",method="POST",route="/api/auth/login",status="200",le="0.05"} 1`,
		`handoff_build_info{version="1.2.3"} 1`,
		"go_goroutines ",
		"process_resident_memory_bytes ",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the metrics lack %s", want)
		}
	}
}

// An alert on "the old token was used within a day" must not fire for a token that
// was never used: then there is no figure, not a zero of 1970.
func TestAServiceTokenHasATimeOnceItWasUsed(t *testing.T) {
	t.Parallel()
	const name = "handoff_service_token_last_used_timestamp_seconds"
	uses := map[string]metrics.TokenUse{}
	registry := metrics.New("1.2.3")
	registry.ServiceTokens(func() map[string]metrics.TokenUse { return uses })
	if text := scraped(t, registry); strings.Contains(text, name) {
		t.Errorf("a time before the first use:\n%s", text)
	}

	noon := time.Date(2026, 11, 21, 12, 0, 0, int(250*time.Millisecond), time.UTC)
	uses["0ldt0ken"], uses["newt0ken"] = metrics.TokenUse{First: noon.Add(-time.Hour), Last: noon}, metrics.TokenUse{Last: noon.Add(time.Minute)}
	text := scraped(t, registry)
	for _, want := range []string{
		"# TYPE " + name + " gauge\n", name + `{key_id="0ldt0ken"} 1.79526240025e+09` + "\n", name + `{key_id="newt0ken"} 1.79526246025e+09` + "\n",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the metrics lack %s", want)
		}
	}
	if n := strings.Count(text, "\n"+name+"{"); n != 2 {
		t.Errorf("%d figures of two tokens", n)
	}
	// An age that is not known is not 56 years.
	const age = "\nhandoff_service_token_first_used_timestamp_seconds{"
	if !strings.Contains(text, age+`key_id="0ldt0ken"} 1.79525880025e+09`+"\n") || strings.Count(text, age) != 1 {
		t.Errorf("the ages are wrong:\n%s", text)
	}
}

// I6: what may be anything goes into no label, whoever passes it here by mistake.
func TestI6_aValueOfNoClosedSetIsNoLabel(t *testing.T) {
	t.Parallel()
	registry := metrics.New("1.2.3")
	const address = "ada@example.org"
	rows := metrics.AddAudit(registry, "dao", metrics.AuditWords[string, string, string, string]{
		Events: []string{"handoff.minted"}, Outcomes: []string{"success"}, Reasons: []string{""}, Losses: []string{"refused"},
	})
	rows.Row(address, address, address)
	rows.Row("handoff.minted", "success", "")
	rows.Lost(address)
	steps := metrics.AddSteps(registry, "dao", []string{"minted", "exchanged"})
	steps.Step(address, address, time.Second)
	steps.Step("minted", "exchanged", time.Second)
	registry.Outcomes("dao", []string{"mint"}, []string{"ok"})(address, address)
	registry.Dependencies("dao", []string{"redis"})(address, true, time.Second)
	text := scraped(t, registry)
	for _, want := range []string{
		`handoff_audit_rows_total{event="other",half="dao",outcome="other",reason="other"} 1`,
		`handoff_audit_rows_total{event="handoff.minted",half="dao",outcome="success",reason=""} 1`,
		`handoff_audit_failures_total{half="dao",why="other"} 1`, `handoff_audit_failures_total{half="dao",why="refused"} 0`,
		`handoff_stage_total{half="dao",stage="other"} 1`, `handoff_stage_total{half="dao",stage="exchanged"} 1`,
		`handoff_step_duration_seconds_count{from="other",half="dao",to="other"} 1`,
		`handoff_outcomes_total{half="dao",outcome="other",stage="other"} 1`, `handoff_outcomes_total{half="dao",outcome="ok",stage="mint"} 0`,
		`handoff_dependency_duration_seconds_count{dependency="other",half="dao",result="failed"} 1`,
	} {
		if !strings.Contains(text, want+"\n") {
			t.Errorf("the metrics lack %s", want)
		}
	}
	if strings.Contains(text, address) {
		t.Error("an address is in the metrics")
	}
}
