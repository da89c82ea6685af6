package httpapi_test

import (
	"log/slog"
	"net/http"
	"testing"
	"time"

	"github.com/hello-world-co-op/handoff/internal/httpapi"
)

// I13: whoever sends a byte a minute, reads none or says nothing more is given up. The
// attack is a thousand such connections ("Slowloris"). Writing may take longer than a
// request's work, or a good answer would be cut off.
func TestI13_theServerGivesSlowClientsUp(t *testing.T) {
	t.Parallel()
	server := httpapi.Server("127.0.0.1:0", http.NotFoundHandler(), httpapi.NewConnections(1), slog.New(slog.DiscardHandler))
	for what, bound := range map[string]struct{ is, least, most time.Duration }{
		"sending headers":     {server.ReadHeaderTimeout, time.Second, 10 * time.Second},
		"sending a request":   {server.ReadTimeout, time.Second, 30 * time.Second},
		"reading an answer":   {server.WriteTimeout, 3 * time.Second, 30 * time.Second},
		"between two of both": {server.IdleTimeout, time.Second, 5 * time.Minute},
	} {
		if bound.is < bound.least || bound.is > bound.most {
			t.Errorf("%s may take %v", what, bound.is)
		}
	}
}
