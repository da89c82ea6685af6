package fosapi_test

import (
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hello-world-co-op/handoff/internal/testkit"
)

// I1: a hundred browsers arrive with one token at once, at two replicas. One of
// them is let in.
func TestI1_ofAHundredArrivalsAtOnceOneIsASession(t *testing.T) {
	t.Parallel()
	eachWay(t, func(t *testing.T, s *testkit.Service) {
		ada := s.SignIn(t, s.Member(t, "ada@example.org"))
		minted, other := ada.Mint(nil), replica(t, s)
		const arrivals = 100
		answers := make([]testkit.Answer, arrivals)
		var wg sync.WaitGroup
		b := s.Browser(t)
		for i := range arrivals {
			wg.Go(func() { answers[i] = arriveAt(b, []string{s.FOSURL, other}[i%2], minted.Text("token")) })
		}
		wg.Wait()
		outcomes := map[string]int{}
		for _, answer := range answers {
			if answer.Status == http.StatusOK {
				outcomes["ok"]++
				continue
			}
			wantInvalid(t, answer, "used", minted.Text("handoff_id"))
			outcomes["used"]++
		}
		if diff := cmp.Diff(map[string]int{"ok": 1, "used": arrivals - 1}, outcomes); diff != "" {
			t.Errorf("outcomes (-want +got):\n%s", diff)
		}
		for what, sql := range map[string]string{
			"sessions": `SELECT count(*) FROM sessions`, "users": `SELECT count(*) FROM users`,
			"rows of a new session": `SELECT count(*) FROM audit_log WHERE event = 'session.created'`,
		} {
			if n := testkit.Count(t, s.FOS, sql); n != 1 {
				t.Errorf("%d %s", n, what)
			}
		}
	})
}

// I3: without a service token nothing is exchanged and nothing is touched, whoever
// holds a good token.
func TestI3_withoutAServiceTokenNothingIsTouched(t *testing.T) {
	t.Parallel()
	s := testkit.Start(t, testkit.Options{})
	ada := s.SignIn(t, s.Member(t, "ada@example.org"))
	token := ada.MintToken()
	for name, env := range map[string]map[string]string{
		"exchanging in process": {}, "exchanging over HTTP": fosOnly(s.DAOURL),
	} {
		env["CROSS_DOMAIN_SERVICE_TOKEN"] = ""
		disabled := s.Process(t, env)
		dao, fos := testkit.Dump(t, s.DAO), testkit.Dump(t, s.FOS)
		for _, shown := range []string{token, strings.Repeat("0f", 32), "malformed"} {
			answer := arriveAt(ada, disabled.FOSURL, shown)
			wantProblem(t, answer, http.StatusServiceUnavailable, "exchange_disabled")
		}
		if diff := cmp.Diff([2]string{dao, fos}, [2]string{testkit.Dump(t, s.DAO), testkit.Dump(t, s.FOS)}); diff != "" {
			t.Errorf("%s touched something:\n%s", name, diff)
		}
	}
	arrived(t, ada.Arrive(token))
}

// A half whose peer has no service token says the same, so that operators look in
// the right place.
func TestI3_aPeerWithoutAServiceTokenIsDisabledToo(t *testing.T) {
	t.Parallel()
	s := testkit.Start(t, testkit.Options{})
	closed := s.Process(t, map[string]string{"HANDOFF_HALVES": "dao", "CROSS_DOMAIN_SERVICE_TOKEN": ""})
	open := s.Process(t, fosOnly(closed.DAOURL))
	ada := s.SignIn(t, s.Member(t, "ada@example.org"))
	wantProblem(t, arriveAt(ada, open.FOSURL, ada.MintToken()), http.StatusServiceUnavailable, "exchange_disabled")
}
