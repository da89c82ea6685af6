package leaving_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/hello-world-co-op/handoff/internal/leaving"
	"github.com/hello-world-co-op/handoff/internal/outage"
	"github.com/hello-world-co-op/handoff/internal/privacy"
	"github.com/hello-world-co-op/handoff/internal/testkit"
)

// The conformance suite of [leaving.Teller]: what a courier may rely on, whichever way it
// reaches the other half, and whichever half that is.

// seam is a way to one half, and what tells whether it has heard.
type seam struct {
	leaving.Teller
	*testkit.Service
	id uuid.UUID // a hand-off of which something lives on that half
	// ended is how often that half has recorded its end; away and back take its audit log.
	ended      func(t testing.TB) int
	away, back func(t testing.TB)
}

func eachSeam(t *testing.T, story func(t *testing.T, s seam)) {
	t.Helper()
	for name, way := range map[string]func(s *testkit.Service) leaving.Teller{
		"the FOS half in process": func(s *testkit.Service) leaving.Teller {
			return leaving.InProcess{Hear: leaving.NewFOS(leaving.FOSConfig{Store: leaving.NewFOSStore(s.FOS), Now: s.Clock.Now}).End}
		},
		"the FOS half over HTTP": func(s *testkit.Service) leaving.Teller {
			return leaving.NewPeer(s.FOSURL+"/", leaving.EndPath, privacy.NewSecret(testkit.ServiceToken))
		},
		"the DAO half in process": func(s *testkit.Service) leaving.Teller {
			return leaving.InProcess{Hear: leaving.NewDAO(leaving.DAOConfig{Store: leaving.NewDAOStore(s.DAO), Now: s.Clock.Now}).Ended}
		},
		"the DAO half over HTTP": func(s *testkit.Service) leaving.Teller {
			return leaving.NewPeer(s.DAOURL, leaving.EndedPath, privacy.NewSecret(testkit.ServiceToken))
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := testkit.Start(t, testkit.Options{})
			arrived := s.Browser(t).Arrive(s.SignIn(t, s.Member(t, "ada@example.org")).MintToken())
			here, event := s.FOS, "session.ended"
			if strings.Contains(name, "DAO") {
				here, event = s.DAO, "handoff.ended"
			}
			id := uuid.MustParse(arrived.Text("handoff_id"))
			teller := way(s)
			if peer, remote := teller.(*leaving.Peer); remote {
				t.Cleanup(peer.CloseIdle)
			}
			story(t, seam{
				teller, s, id,
				func(t testing.TB) int {
					t.Helper()
					return testkit.Count(t, here, `SELECT count(*) FROM audit_log WHERE event = $1 AND handoff_id = $2`, event, id)
				},
				func(t testing.TB) { t.Helper(); testkit.Exec(t, here, `ALTER TABLE audit_log RENAME TO away`) },
				func(t testing.TB) { t.Helper(); testkit.Exec(t, here, `ALTER TABLE away RENAME TO audit_log`) },
			})
		})
	}
}

func (s seam) tell(t testing.TB, ids ...uuid.UUID) error {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	return s.Tell(ctx, ids)
}

// What was told is committed, once, however often and beside whatever it was told.
func TestTeller_whatWasToldIsDone(t *testing.T) {
	t.Parallel()
	eachSeam(t, func(t *testing.T, s seam) {
		for range 3 {
			if err := s.tell(t, append(some(leaving.MostAtOnce-2), s.id, s.id)...); err != nil {
				t.Fatal(err)
			}
		}
		if n := s.ended(t); n != 1 {
			t.Errorf("its end is recorded %d times", n)
		}
	})
}

// I4: what cannot be recorded has not been heard, and is told again later.
func TestI4_whatCannotBeRecordedHasNotBeenHeard(t *testing.T) {
	t.Parallel()
	eachSeam(t, func(t *testing.T, s seam) {
		s.away(t)
		err := s.tell(t, s.id)
		var down *outage.Error
		if !errors.As(err, &down) {
			t.Errorf("%v", err)
		}
		s.back(t)
		if n := s.ended(t); n != 0 {
			t.Error("it has ended")
		}
		if err := s.tell(t, s.id); err != nil || s.ended(t) != 1 {
			t.Errorf("%v, recorded %d times", err, s.ended(t))
		}
	})
}

// foreign is a half of the test's own making.
func foreign(t testing.TB, handle http.HandlerFunc) *leaving.Peer {
	t.Helper()
	server := httptest.NewServer(handle)
	t.Cleanup(server.Close)
	peer := leaving.NewPeer(server.URL, leaving.EndPath, privacy.NewSecret(testkit.ServiceToken))
	t.Cleanup(peer.CloseIdle)
	return peer
}

// The message as a half that is not ours would have to read it.
func TestPeer_saysWhatTheProtocolSays(t *testing.T) {
	t.Parallel()
	ids := some(2)
	var path, bearer, media, body string
	peer := foreign(t, func(w http.ResponseWriter, r *http.Request) {
		text, _ := io.ReadAll(r.Body)
		path, bearer, media, body = r.Method+" "+r.URL.Path, r.Header.Get("Authorization"), r.Header.Get("Content-Type"), string(text)
		w.WriteHeader(http.StatusNoContent)
	})
	if err := peer.Tell(t.Context(), ids); err != nil {
		t.Fatal(err)
	}
	want := `{"handoff_ids":["` + ids[0].String() + `","` + ids[1].String() + `"]}`
	if path != "POST /api/v1/auth/handoffs/end" || bearer != "Bearer "+testkit.ServiceToken || media != "application/json" || body != want {
		t.Errorf("%s, %s, %s", path, media, body)
	}
}

// Only 204 is heard, no redirect takes the bearer along, and what a peer echoes is in no
// error (I6).
func TestI6_aPeerIsNotBelievedAndNotQuoted(t *testing.T) {
	t.Parallel()
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("the redirect was followed") }))
	t.Cleanup(elsewhere.Close)
	for name, handle := range map[string]http.HandlerFunc{
		"a front end that says yes to everything": func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusOK) },
		"accepted, some day":                      func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusAccepted) },
		"an older half":                           http.NotFound,
		"a redirect": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, elsewhere.URL+"/"+r.Header.Get("Authorization"), http.StatusTemporaryRedirect) //nolint:gosec // an echo on purpose
		},
		"an echo": func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Location", r.Header.Get("Authorization"))
			w.WriteHeader(http.StatusBadGateway)
			_, _ = io.WriteString(w, r.Header.Get("Authorization")) //nolint:gosec // an echo on purpose
		},
		"no HTTP": func(w http.ResponseWriter, r *http.Request) {
			conn, _, err := w.(http.Hijacker).Hijack() //nolint:errcheck,forcetypeassert // a test server's is one
			if err == nil {
				_, _ = io.WriteString(conn, r.Header.Get("Authorization")+"\r\n\r\n")
				_ = conn.Close()
			}
		},
	} {
		err := foreign(t, handle).Tell(t.Context(), some(1))
		var down *outage.Error
		if !errors.As(err, &down) || strings.Contains(err.Error(), testkit.ServiceToken) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
