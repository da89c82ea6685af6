package metrics_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/hello-world-co-op/handoff/internal/metrics"
)

func TestRequestsAreCountedByRouteAndStatus(t *testing.T) {
	t.Parallel()
	registry := metrics.New("1.2.3")
	registry.Request("dao", http.MethodPost, "/api/auth/login", http.StatusOK, 40*time.Millisecond)
	registry.Request("dao", http.MethodPost, "/api/auth/login", http.StatusOK, 2*time.Second)

	answer := httptest.NewRecorder()
	registry.Handler().ServeHTTP(answer, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/metrics", nil))
	for _, want := range []string{
		`handoff_http_request_duration_seconds_count{half="dao",method="POST",route="/api/auth/login",status="200"} 2`,
		`handoff_http_request_duration_seconds_bucket{half="dao",method="POST",route="/api/auth/login",status="200",le="0.05"} 1`,
		`handoff_build_info{version="1.2.3"} 1`,
		"go_goroutines ",
		"process_resident_memory_bytes ",
	} {
		if !strings.Contains(answer.Body.String(), want) {
			t.Errorf("the metrics lack %s", want)
		}
	}
}
