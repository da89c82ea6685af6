//go:build proof

package proof_test

import (
	"math/rand/v2"
	"net/http"
	"testing"

	"github.com/hello-world-co-op/handoff/internal/testkit"
)

// I11: whoever shows a refresh token two generations old or older has a copy, and
// the session ends for both, at the replica that was asked and at the other one.
// Two hundred times, with tokens of several ages, every other time while the newest
// pair is still young.
func TestProof_I11_AStolenGrandparentEndsTheSession(t *testing.T) {
	const sessions = 200
	half := startFOS(t)
	ended := 0
	for i := range sessions {
		owner := half.signIn(t, person)
		var stolen []*jar
		for range 2 + rand.IntN(3) {
			half.Clock.Advance(pause)
			stolen = append(stolen, owner.copy())
			wantRefreshed(t, half.refresh(t, rand.IntN(2), owner))
		}
		if i%2 == 0 {
			half.Clock.Advance(pause)
		}
		thief, replica := stolen[rand.IntN(len(stolen)-1)], rand.IntN(2) // the last is the parent
		shown := half.generation(thief)
		theirs := half.refresh(t, replica, thief)
		owns := half.me(t, 1-replica, owner)
		again := half.refresh(t, 1-replica, owner)
		if theirs.Code() == "session_revoked" && len(theirs.Cookies) == 0 && owns.Code() == "session_revoked" && again.Code() == "session_revoked" {
			ended++
			continue
		}
		t.Errorf("session %d, generation %s of %s shown: the thief %d %s, the owner %d %s and %d %s", i, shown, half.generation(owner),
			theirs.Status, theirs.Code(), owns.Status, owns.Code(), again.Status, again.Code())
	}
	live := half.live(t)
	found := testkit.Count(t, half.FOS, `SELECT count(*) FROM audit_log WHERE event = 'session.reuse_detected'`)
	t.Logf("%d of %d sessions ended, %d events, %d sessions live", ended, sessions, found, live)
	if found != sessions || live != 0 {
		t.Errorf("%d events for %d thefts; %d sessions live", found, sessions, live)
	}
}

func wantRefreshed(t testing.TB, answer testkit.Answer) {
	t.Helper()
	if answer.Status != http.StatusOK || answer.Cookie(refreshCookie) == nil || answer.Cookie(accessCookie) == nil {
		t.Fatalf("refresh: %d %s", answer.Status, answer.Raw)
	}
}
