package daoapi_test

import (
	"net/netip"
	"testing"

	"github.com/hello-world-co-op/handoff/internal/privacy"
	"github.com/hello-world-co-op/handoff/internal/testkit"
)

// I15: whose pseudonym stands in the audit row. X-Forwarded-For is believed only
// from a proxy that the operator named, and then from the right.
func TestI15_auditRowsBelieveNamedProxiesOnly(t *testing.T) {
	t.Parallel()
	plain := testkit.Start(t, testkit.Options{})
	behind := plain.Process(t, map[string]string{"TRUSTED_PROXIES": "127.0.0.1"})
	ada := plain.SignIn(t, plain.Member(t, "ada@example.org"))
	pseudonyms := privacy.NewPseudonymizer(testkit.Key(t, testkit.PseudonymKey))
	for _, c := range []struct {
		name  string
		s     *testkit.Service
		claim string
		want  string
	}{
		{"nobody is trusted", plain, "203.0.113.7", "127.0.0.1"},
		{"nobody is trusted, another claim", plain, "198.51.100.1, 203.0.113.7", "127.0.0.1"},
		{"the proxy says who", behind, "203.0.113.7", "203.0.113.7"},
		{"the client's own claim stands to the left", behind, "198.51.100.1, 203.0.113.7", "203.0.113.7"},
		{"the proxy says nothing", behind, "", "127.0.0.1"},
	} {
		answer := wantOK(t, ada.Post(c.s.DAOURL+mintPath, map[string]any{"entry_product": "dao"},
			header("X-CSRF-Token", ada.CSRF), header("X-Forwarded-For", c.claim)))
		want := pseudonyms.Of(netip.MustParseAddr(c.want), plain.Clock.Now())
		n := testkit.Count(t, plain.DAO, `SELECT count(*) FROM audit_log WHERE event = 'handoff.minted' AND handoff_id::text = $1 AND origin = $2 AND origin_key = $3`,
			answer.Text("handoff_id"), want.Value, want.KeyID)
		if n != 1 {
			t.Errorf("%s: the row does not have the pseudonym of %s", c.name, c.want)
		}
	}
}
