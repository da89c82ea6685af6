package fosapi_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/hello-world-co-op/handoff/internal/testkit"
)

// The refresh cookie has a path, so it cannot be "__Host-": any host below the same
// registered domain can plant one. The attack: Eve plants the token of her own session,
// Ada goes on as Eve, and enters what Eve then reads. Eve chooses which cookie comes
// first, by its path.

// planting is Ada's session and Eve's.
type planting struct {
	s          *testkit.Service
	ada, eve   tokens
	adas, eves string // the sessions' ids
}

func newPlanting(t testing.TB) planting {
	t.Helper()
	s := testkit.Start(t, testkit.Options{})
	_, ada := arrives(t, s, s.SignIn(t, s.Member(t, "ada@example.org")))
	_, eve := arrives(t, s, s.SignIn(t, s.Member(t, "eve@example.org")))
	return planting{s, tokensOf(t, ada), tokensOf(t, eve), sessionID(ada), sessionID(eve)}
}

// generation is that of a session, 0 of one that has ended.
func (p planting) generation(t testing.TB, id string) int {
	t.Helper()
	return testkit.Count(t, p.s.FOS, `SELECT CASE WHEN ended_at IS NULL THEN generation ELSE 0 END FROM sessions WHERE id = $1`, id)
}

func TestAPlantedRefreshTokenChangesNobodysSession(t *testing.T) {
	t.Parallel()
	for name, story := range map[string]struct {
		later  time.Duration // how old the cookies are
		sent   func(p planting) []string
		status int
	}{
		"hers first": {0, func(p planting) []string {
			return []string{refreshToken(p.eve.refresh), refreshToken(p.ada.refresh), accessToken(p.ada.access)}
		}, http.StatusOK},
		"hers second": {0, func(p planting) []string {
			return []string{accessToken(p.ada.access), refreshToken(p.ada.refresh), refreshToken(p.eve.refresh)}
		}, http.StatusOK},
		"hers first, the access token has ended": {31 * time.Minute, func(p planting) []string {
			return []string{refreshToken(p.eve.refresh), accessToken(p.ada.access), refreshToken(p.ada.refresh)}
		}, http.StatusOK},
		"hers second, the access token ended days ago": {6 * 24 * time.Hour, func(p planting) []string {
			return []string{refreshToken(p.ada.refresh), refreshToken(p.eve.refresh), accessToken(p.ada.access)}
		}, http.StatusOK},
		"hers twice, around": {0, func(p planting) []string {
			return []string{refreshToken(p.eve.refresh), refreshToken(p.ada.refresh), refreshToken(p.eve.refresh), accessToken(p.ada.access)}
		}, http.StatusOK},
		"garbage first": {0, func(p planting) []string {
			return []string{refreshToken("garbage"), refreshToken(""), refreshToken(p.ada.refresh)}
		}, http.StatusOK},
		"hers alone": {0, func(p planting) []string {
			return []string{accessToken(p.ada.access), refreshToken(p.eve.refresh)}
		}, http.StatusUnauthorized},
		"hers alone, the access token has ended": {31 * time.Minute, func(p planting) []string {
			return []string{accessToken(p.ada.access), refreshToken(p.eve.refresh)}
		}, http.StatusUnauthorized},
		"hers first, and no access token": {0, func(p planting) []string {
			return []string{refreshToken(p.eve.refresh), refreshToken(p.ada.refresh)}
		}, http.StatusUnauthorized},
		"hers second, and no access token": {0, func(p planting) []string {
			return []string{refreshToken(p.ada.refresh), refreshToken(p.eve.refresh)}
		}, http.StatusUnauthorized},
		"hers first, and an access token that is none": {0, func(p planting) []string {
			return []string{accessToken("garbage"), refreshToken(p.eve.refresh), refreshToken(p.ada.refresh)}
		}, http.StatusUnauthorized},
		"hers and Ada's, beside a refresh token as access token": {0, func(p planting) []string {
			return []string{accessToken(p.eve.refresh), refreshToken(p.eve.refresh), refreshToken(p.ada.refresh)}
		}, http.StatusUnauthorized},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newPlanting(t)
			p.s.Clock.Advance(story.later)
			answer := refreshSending(t, p.s, story.sent(p)...)
			want := 1
			if story.status == http.StatusOK {
				wantRefreshed(t, answer)
				if sessionID(answer) != p.adas {
					t.Errorf("Ada goes on in %s", sessionID(answer))
				}
				want = 2
			} else {
				wantProblem(t, answer, story.status, "session_required")
			}
			if ada, eve := p.generation(t, p.adas), p.generation(t, p.eves); ada != want || eve != 1 {
				t.Errorf("Ada's session is at generation %d, want %d; Eve's at %d", ada, want, eve)
			}
			// Nobody was taken for a thief, and the person themselves still gets on.
			if n := testkit.Count(t, p.s.FOS, `SELECT count(*) FROM audit_log WHERE event = 'session.reuse_detected'`); n != 0 {
				t.Error("a planted token counts as theft")
			}
			wantRefreshed(t, refreshSending(t, p.s, accessToken(p.ada.access), refreshToken(p.ada.refresh)))
		})
	}
}

// A browser may hold two of its own: one that a page with another prefix set, say.
// The newest is the one that counts; to take the older would be a theft of its own.
func TestOfTwoTokensOfOneSessionTheNewestCounts(t *testing.T) {
	t.Parallel()
	p := newPlanting(t)
	second := tokensOf(t, refreshSending(t, p.s, refreshToken(p.ada.refresh)))
	third := tokensOf(t, refreshSending(t, p.s, refreshToken(second.refresh)))
	answer := refreshSending(t, p.s, refreshToken(p.ada.refresh), refreshToken(third.refresh), refreshToken(second.refresh))
	if g := generationOf(t, p.s, wantRefreshed(t, answer)); g != 4 {
		t.Errorf("generation %d", g)
	}
}

// Over HTTPS the access token's cookie cannot be planted, and without it a refresh token
// is nothing. The attack: Ada is signed out, Eve's token is there alone, the page
// refreshes as pages do, and Ada is signed in as Eve.
func TestOverHTTPSAPlantedTokenSignsNobodyIn(t *testing.T) {
	t.Parallel()
	p := newPlanting(t)
	secure := p.s.Process(t, map[string]string{"COOKIE_SECURE": "true"})
	refresh := func(cookies ...string) testkit.Answer {
		t.Helper()
		return secure.Browser(t).FOSPost("refresh", nil, sending(cookies...))
	}
	for name, sent := range map[string][]string{
		"hers alone":                      {"__Secure-refresh_token=" + p.eve.refresh},
		"beside her access token, unsafe": {"access_token=" + p.eve.access, "__Secure-refresh_token=" + p.eve.refresh},
		"beside Ada's access token":       {"__Host-access_token=" + p.ada.access, "__Secure-refresh_token=" + p.eve.refresh},
		"beside an access token of none":  {"__Host-access_token=x.y.z", "__Secure-refresh_token=" + p.eve.refresh},
	} {
		wantProblem(t, refresh(sent...), http.StatusUnauthorized, "session_required")
		if t.Failed() {
			t.Fatal(name)
		}
	}
	p.s.Clock.Advance(6 * 24 * time.Hour)
	answer := refresh("__Secure-refresh_token="+p.eve.refresh, "__Secure-refresh_token="+p.ada.refresh, "__Host-access_token="+p.ada.access)
	if answer.Status != http.StatusOK || sessionID(answer) != p.adas || answer.Cookie("__Secure-refresh_token") == nil {
		t.Errorf("Ada's own, after days: %d %s", answer.Status, answer.Raw)
	}
	if p.generation(t, p.eves) != 1 {
		t.Error("Eve's session was refreshed")
	}
}

// Leaving with a planted token in the browser ends Ada's session and Eve's: to end one
// of them and leave the other alive is what Eve wants.
func TestLeavingEndsWhateverThisBrowserShows(t *testing.T) {
	t.Parallel()
	for name, sent := range map[string]func(p planting) []string{
		"hers first": func(p planting) []string {
			return []string{refreshToken(p.eve.refresh), refreshToken(p.ada.refresh)}
		},
		"hers alone beside Ada's access token": func(p planting) []string {
			return []string{accessToken(p.ada.access), refreshToken(p.eve.refresh)}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newPlanting(t)
			p.s.Clock.Advance(31 * time.Minute)
			if left := p.s.Browser(t).FOSPost("logout", nil, sending(sent(p)...)); left.Status != http.StatusNoContent {
				t.Errorf("%d %s", left.Status, left.Raw)
			}
			if ada, eve := p.generation(t, p.adas), p.generation(t, p.eves); ada != 0 || eve != 0 {
				t.Errorf("Ada's session is at generation %d, Eve's at %d", ada, eve)
			}
			if n := testkit.Count(t, p.s.FOS, `SELECT count(*) FROM audit_log WHERE event = 'session.ended' AND reason = 'logout'`); n != 2 {
				t.Errorf("I4: %d rows record two ends", n)
			}
		})
	}
}
