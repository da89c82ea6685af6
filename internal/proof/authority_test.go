//go:build proof

package proof_test

import (
	"net/http"
	"strconv"
	"testing"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/hello-world-co-op/handoff/internal/session"
	"github.com/hello-world-co-op/handoff/internal/testkit"
)

// authority is one half's session authority on two replicas, 0 and 1, as the tabs
// of a browser know it.
type authority interface {
	// signIn begins a session without a password, since that costs no hash.
	signIn(t testing.TB, email string) *jar
	// look is what a page asks all the time: whether it is signed in.
	look(t testing.TB, replica int, j *jar) bool
	refresh(t testing.TB, replica int, j *jar) testkit.Answer
	// generation names what the jar would refresh with.
	generation(j *jar) string
	// live sessions, and refreshes recorded with that reason.
	live(t testing.TB) int
	recorded(t testing.TB, reason string) int
	clock() *testkit.Clock
}

// replicas is what both halves have in common.
type replicas struct {
	*testkit.Service
	wire
	urls     [2]string
	database *pgxpool.Pool
}

func (r replicas) clock() *testkit.Clock { return r.Clock }

func (r replicas) recorded(t testing.TB, reason string) int {
	t.Helper()
	return testkit.Count(t, r.database, `SELECT count(*) FROM audit_log WHERE event = 'session.refreshed' AND reason = $1`, reason)
}

type fos struct {
	replicas
	signer *session.Signer
}

func startFOS(t testing.TB) fos {
	t.Helper()
	s := testkit.Start(t, testkit.Options{})
	_, other := s.Replica(t)
	return fos{replicas{s, newWire(t), [2]string{s.FOSURL, other}, s.FOS}, s.Signer(t)}
}

const (
	fosAuth       = "/api/v1/auth/"
	accessCookie  = "access_token"
	refreshCookie = "refresh_token"
)

func (f fos) signIn(t testing.TB, email string) *jar { return arrive(t, f.Service, email) }

// arrive signs in at the FOS half by hand-off.
func arrive(t testing.TB, s *testkit.Service, email string) *jar {
	t.Helper()
	b := s.SignIn(t, s.Member(t, email))
	answer := b.Arrive(b.MintToken())
	if answer.Status != http.StatusOK {
		t.Fatalf("arrival: %d %s", answer.Status, answer.Raw)
	}
	j := newJar()
	j.keep(answer.Cookies)
	return j
}

func (f fos) look(t testing.TB, replica int, j *jar) bool {
	return f.me(t, replica, j).Status == http.StatusOK
}

func (f fos) me(t testing.TB, replica int, j *jar) testkit.Answer {
	return f.get(t, j, f.urls[replica]+fosAuth+"me")
}

func (f fos) refresh(t testing.TB, replica int, j *jar) testkit.Answer {
	return f.post(t, j, f.urls[replica]+fosAuth+"refresh", "")
}

func (f fos) generation(j *jar) string {
	claims, err := f.signer.VerifyRefresh(j.value(refreshCookie))
	if err != nil {
		return "none"
	}
	return strconv.Itoa(claims.Generation)
}

func (f fos) live(t testing.TB) int {
	t.Helper()
	return testkit.Count(t, f.FOS, `SELECT count(*) FROM sessions WHERE ended_at IS NULL AND expires_at > $1`, f.Clock.Now())
}

type dao struct{ replicas }

func startDAO(t testing.TB) dao {
	t.Helper()
	s := testkit.Start(t, testkit.Options{})
	other, _ := s.Replica(t)
	return dao{replicas{s, newWire(t), [2]string{s.DAOURL, other}, s.DAO}}
}

const (
	daoAuth       = "/api/auth/"
	sessionCookie = "dao_session"
	csrfCookie    = "csrf_token"
)

func (d dao) signIn(t testing.TB, email string) *jar {
	t.Helper()
	b := d.SignIn(t, d.Member(t, email))
	j := newJar()
	j.keep([]*http.Cookie{{Name: sessionCookie, Value: b.Cookie(d.DAOURL, sessionCookie)}, {Name: csrfCookie, Value: b.CSRF}})
	return j
}

func (d dao) look(t testing.TB, replica int, j *jar) bool {
	answer := d.get(t, j, d.urls[replica]+daoAuth+"session")
	return answer.Status == http.StatusOK && answer.Body["authenticated"] == true
}

func (d dao) refresh(t testing.TB, replica int, j *jar) testkit.Answer {
	return d.post(t, j, d.urls[replica]+daoAuth+"refresh", "", testkit.Header{Name: "X-CSRF-Token", Value: j.value(csrfCookie)})
}

func (d dao) generation(j *jar) string { return j.value(sessionCookie) }

func (d dao) live(t testing.TB) int {
	t.Helper()
	return testkit.Count(t, d.DAO,
		`SELECT count(*) FROM sessions WHERE ended_at IS NULL AND idle_expires_at > $1 AND expires_at > $1`, d.Clock.Now())
}
