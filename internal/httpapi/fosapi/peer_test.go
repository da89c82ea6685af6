package fosapi_test

import (
	"encoding/json"
	"maps"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/hello-world-co-op/handoff/internal/testkit"
)

const journeyID = "0192f3a1-7b4c-7d5e-8f60-123456789abc"

// peer is a DAO half that is not ours, and says the same of every token: Ada, with
// change. It returns its URL.
func peer(t testing.TB, change map[string]any) string {
	t.Helper()
	return peerThatSays(t, func() map[string]any { return change })
}

// peerThatSays asks what to change each time.
func peerThatSays(t testing.TB, change func() map[string]any) string {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(adaSaid(change()))
	}))
	t.Cleanup(server.Close)
	return server.URL
}

// adaSaid is a good answer about Ada, with change.
func adaSaid(change map[string]any) map[string]any {
	answer := map[string]any{
		"user_id": "6f1f6b0a-5c35-4f0e-9d0f-1c1a3b5d7e90", "email": "ada@example.org", "display_name": "Ada Lovelace",
		"ic_principal": nil, "roles": []string{"member"}, "entry_product": "think-tank", "target_domain": testkit.Target,
		"issued_at": 1795262400000, "expires_at": 1795262460000, "principal": nil, "email_verified": true,
		"handoff_id": journeyID, "return_path": nil, "auth_time": 1795262400000, "amr": []string{"pwd"},
	}
	maps.Copy(answer, change)
	maps.DeleteFunc(answer, func(_ string, value any) bool { return value == gone })
	return answer
}

// gone takes a field out of the peer's answer.
const gone = "(gone)"
