package fosapi_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/hello-world-co-op/handoff/internal/testkit"
)

// patience is the protocol's 3 s, and half a second for a machine that is busy with
// other tests.
const patience = 3500 * time.Millisecond

// wantUnavailable demands 503 in time.
func wantUnavailable(t testing.TB, answer testkit.Answer, begun time.Time) {
	t.Helper()
	wantProblem(t, answer, http.StatusServiceUnavailable, "dependency_unavailable")
	if took := time.Since(begun); took > patience {
		t.Errorf("took %v", took)
	}
}

// arriveUntilUp does what a person does who is told to try again: connections that
// died in an outage cost a try each.
func arriveUntilUp(t testing.TB, b *testkit.Browser, fosURL, token string, headers ...testkit.Header) testkit.Answer {
	t.Helper()
	var answer testkit.Answer
	for range 40 {
		if answer = arriveAt(b, fosURL, token, headers...); answer.Status != http.StatusServiceUnavailable {
			break
		}
	}
	return answer
}

// I1: a peer that is away costs nobody their token.
func TestI1_aTokenOutlivesItsPeersOutage(t *testing.T) {
	t.Parallel()
	s := testkit.Start(t, testkit.Options{})
	link := testkit.NewLink(t, strings.TrimPrefix(s.DAOURL, "http://"))
	fos := s.Process(t, fosOnly("http://"+link.Addr()))
	ada := s.SignIn(t, s.Member(t, "ada@example.org"))
	for name, trouble := range map[string]func(){"down": link.Cut, "hanging": link.Freeze} {
		token := ada.MintToken()
		trouble()
		begun := time.Now()
		wantUnavailable(t, arriveAt(ada, fos.FOSURL, token), begun)
		link.Mend()
		if answer := arriveUntilUp(t, ada, fos.FOSURL, token); answer.Status != http.StatusOK {
			t.Errorf("%s: afterwards %d %s", name, answer.Status, answer.Raw)
		}
	}
}

// I1: nor do the DAO half's stores, whichever way this half reaches them.
func TestI1_aTokenOutlivesAnOutageOfTheDAOHalfsStores(t *testing.T) {
	t.Parallel()
	for name, overHTTP := range map[string]bool{"in process": false, "over HTTP": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := testkit.Start(t, testkit.Options{})
			linked := s.Linked(t, nil)
			fosURL := linked.FOSURL
			if overHTTP {
				fosURL = s.Process(t, fosOnly(linked.DAOURL)).FOSURL
			}
			ada := s.SignIn(t, s.Member(t, "ada@example.org"))
			for _, link := range []*testkit.Link{linked.DAOPostgres, linked.RedisLink} {
				for _, trouble := range []func(){link.Cut, link.Freeze} {
					token := ada.MintToken()
					trouble()
					begun := time.Now()
					wantUnavailable(t, arriveAt(ada, fosURL, token), begun)
					link.Mend()
					if answer := arriveUntilUp(t, ada, fosURL, token); answer.Status != http.StatusOK {
						t.Errorf("afterwards %d %s", answer.Status, answer.Raw)
					}
				}
			}
		})
	}
}

// Behind the gate the token is spent; the arrival key brings the person in all the
// same.
func TestI8_anOutageBehindTheGateCostsNobodyTheHandOff(t *testing.T) {
	t.Parallel()
	s := testkit.Start(t, testkit.Options{})
	linked := s.Linked(t, nil)
	ada := s.SignIn(t, s.Member(t, "ada@example.org"))
	for name, trouble := range map[string]func(){"down": linked.FOSPostgres.Cut, "hanging": linked.FOSPostgres.Freeze} {
		minted := ada.Mint(nil)
		b := s.Browser(t)
		trouble()
		begun := time.Now()
		answer := arriveAt(b, linked.FOSURL, minted.Text("token"), key(firstKey))
		wantUnavailable(t, answer, begun)
		if answer.Text("handoff_id") != minted.Text("handoff_id") {
			t.Errorf("%s: hand-off %q", name, answer.Text("handoff_id"))
		}
		linked.FOSPostgres.Mend()
		if answer := arriveUntilUp(t, b, linked.FOSURL, minted.Text("token"), key(firstKey)); answer.Status != http.StatusOK {
			t.Errorf("%s: afterwards %d %s", name, answer.Status, answer.Raw)
		}
	}
	if n := testkit.Count(t, s.FOS, `SELECT count(*) FROM sessions`); n != 2 {
		t.Errorf("%d sessions of two hand-offs", n)
	}
}

func TestNotKnowingWhoIsSignedInIsNotNobody(t *testing.T) {
	t.Parallel()
	s := testkit.Start(t, testkit.Options{}).Linked(t, nil)
	ada := s.SignIn(t, s.Member(t, "ada@example.org"))
	arrived(t, ada.Arrive(ada.MintToken()))
	next := ada.MintToken()
	for _, trouble := range []func(){s.FOSPostgres.Cut, s.FOSPostgres.Freeze} {
		trouble()
		begun := time.Now()
		wantUnavailable(t, ada.Me(), begun)
		begun = time.Now()
		wantUnavailable(t, ada.Arrive(next), begun) // it might replace whoever is signed in
		begun = time.Now()
		wantUnavailable(t, ada.Post(s.FOSURL+"/api/v1/auth/logout", nil, header("X-Requested-With", "test")), begun)
		s.FOSPostgres.Mend()
	}
	if n := testkit.Count(t, s.DAO, `SELECT count(*) FROM handoffs WHERE redeemed_at IS NOT NULL`); n != 1 {
		t.Errorf("%d tokens are redeemed, want the first arrival's alone", n)
	}
}

// A peer that answers nonsense is unavailable, and what it said is in no answer.
func TestANonsensicalPeerIsUnavailable(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]map[string]any{
		"U+0000 in a name":       {"display_name": "Ada\x00Lovelace"},
		"U+0000 in a principal":  {"ic_principal": "2vxsx\x00"},
		"U+0000 in the product":  {"entry_product": "dao\x00"},
		"a very long principal":  {"ic_principal": strings.Repeat("a", 9000)},
		"a return to elsewhere":  {"return_path": "//evil.test"},
		"times beyond Postgres'": {"issued_at": 1 << 60, "expires_at": 1<<60 + 1, "auth_time": 1 << 60},
		"no address":             {"email": "nobody"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := testkit.Start(t, testkit.Options{FOSOnly: true, DAOURL: peer(t, change)})
			begun := time.Now()
			wantUnavailable(t, s.Browser(t).Arrive(strings.Repeat("0f", 32)), begun)
			wantNoneOf(t, "the log", s.Log.String(), "2vxsx", "evil.test", "Lovelace")
		})
	}
}
