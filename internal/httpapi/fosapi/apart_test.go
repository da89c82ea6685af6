package fosapi_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hello-world-co-op/handoff/internal/privacy"
	"github.com/hello-world-co-op/handoff/internal/testkit"
)

// I14: two deployments that share the service token and nothing else hand a person
// over.
func TestI14_halvesThatShareNothingStillHandOff(t *testing.T) {
	t.Parallel()
	s := testkit.StartApart(t)
	ada := s.SignIn(t, s.Member(t, "ada@example.org"))
	minted := ada.Mint(map[string]any{"return_path": "/work"})
	answer := arrived(t, ada.Arrive(minted.Text("token"), key(firstKey)))
	if answer.Text("handoff_id") != minted.Text("handoff_id") || answer.Text("return_path") != "/work" {
		t.Errorf("answer %s", answer.Raw)
	}
	arrived(t, ada.Arrive(minted.Text("token"), key(firstKey)))
	wantInvalid(t, ada.Arrive(minted.Text("token")), "used", minted.Text("handoff_id"))

	// One browser, and two pseudonyms that do not tell so.
	for half, want := range map[string][2]string{
		"dao": {testkit.PseudonymKey, pseudonymsOf(t, s, "dao")}, "fos": {testkit.OtherPseudonymKey, pseudonymsOf(t, s, "fos")},
	} {
		own := privacy.NewPseudonymizer(testkit.Key(t, want[0])).Of(address(t, "127.0.0.1"), s.Clock.Now())
		if want[1] != own.KeyID+" "+own.Value {
			t.Errorf("the %s half's origins are %q", half, want[1])
		}
	}
}

// pseudonymsOf are the key and the pseudonym of a half's audit rows.
func pseudonymsOf(t testing.TB, s *testkit.Service, half string) string {
	t.Helper()
	pool := s.DAO
	if half == "fos" {
		pool = s.FOS
	}
	var all string
	err := pool.QueryRow(t.Context(), `
		SELECT string_agg(DISTINCT origin_key || ' ' || origin, ', ') FROM audit_log
		WHERE event <> 'account.seeded' AND origin IS NOT NULL`).Scan(&all)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// The journey's id is the one thing that both logs have of one person.
func TestI14_theJourneyIsOneInBothLogsAndNothingElseIs(t *testing.T) {
	t.Parallel()
	s := testkit.StartApart(t)
	ada := s.SignIn(t, s.Member(t, "ada@example.org"))
	minted := ada.Mint(nil)
	answer := arrived(t, ada.Arrive(minted.Text("token")))
	lines := s.Log.Lines(minted.Text("handoff_id"))
	routes := []string{}
	for _, line := range lines {
		for _, route := range []string{"/mint", "/exchange", "/cross-domain-login"} {
			if strings.Contains(line, route) {
				routes = append(routes, route)
			}
		}
	}
	slices.Sort(routes)
	if diff := cmp.Diff([]string{"/cross-domain-login", "/exchange", "/mint"}, routes); diff != "" {
		t.Errorf("log lines of the journey (-want +got):\n%s", diff)
	}
	for _, id := range []string{userID(answer), sessionID(answer)} {
		if strings.Contains(testkit.Dump(t, s.DAO), id) {
			t.Errorf("the DAO half knows %s of the FOS half", id)
		}
	}
	if answer.Status != http.StatusOK {
		t.Errorf("%d", answer.Status)
	}
}
