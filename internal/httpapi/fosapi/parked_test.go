package fosapi_test

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/hello-world-co-op/handoff/internal/testkit"
)

// A reload of the page, long after the token was exchanged: the same question again.
func TestConfirm_aReloadFindsTheQuestion(t *testing.T) {
	t.Parallel()
	asking(t, "confirm", func(t *testing.T, s *testkit.Service) {
		ada := s.SignIn(t, s.Member(t, "ada@example.org"))
		token := ada.MintToken()
		id := asked(t, ada.Arrive(token, key(firstKey)), "ada@example.org", "")
		s.Clock.Advance(30 * time.Second)
		if asked(t, ada.Arrive(token, key(firstKey)), "ada@example.org", "") != id {
			t.Error("another hand-off")
		}
		if n := len(eventsOf(t, s, id)); n != 1 {
			t.Errorf("%d rows", n)
		}
		// Another token is another arrival.
		if other := asked(t, ada.Arrive(ada.MintToken(), key(secondKey)), "ada@example.org", ""); other == id {
			t.Error("the old question for a new token")
		}
		wantInvalid(t, confirms(ada, id), "expired", id)
	})
}

// I8: the token is shown under another key while the person is being asked. Which of the
// two browsers is theirs nobody knows, and nobody is let in.
func TestI8_aReplayEndsTheQuestion(t *testing.T) {
	t.Parallel()
	asking(t, "confirm", func(t *testing.T, s *testkit.Service) {
		ada := s.SignIn(t, s.Member(t, "ada@example.org"))
		token := ada.MintToken()
		id := asked(t, ada.Arrive(token, key(firstKey)), "ada@example.org", "")
		wantInvalid(t, s.Browser(t).Arrive(token, key(secondKey)), "used", id)
		wantInvalid(t, confirms(ada, id), "used", id)
		wantIn(t, ada, "")
	})
}

// I5: while somebody is asked, Redis knows nobody's address, and what it holds ends.
func TestI5_whatIsParkedNamesNobody(t *testing.T) {
	t.Parallel()
	s := testkit.Start(t, testkit.Options{Env: map[string]string{"HANDOFF_UNBOUND": "confirm"}})
	ada := s.SignIn(t, s.Member(t, "ada@example.org"))
	asked(t, ada.Arrive(ada.MintToken(), key(firstKey)), "ada@example.org", "")
	name := parkedKey(t, s)
	text := s.Redis.Get(context.Background(), name).Val()
	wantNoneOf(t, "redis", name+text, "example.org", "Ada", ada.Cookie(s.FOSURL, askedNamed), firstKey)
	if ttl := s.Redis.PTTL(context.Background(), name).Val(); ttl <= 0 || ttl > 120*time.Second {
		t.Errorf("lives for %v", ttl)
	}
	wantNoneOf(t, "the database", testkit.Dump(t, s.FOS), "example.org", ada.Cookie(s.FOSURL, askedNamed))
	if strings.Contains(s.Log.String(), ada.Cookie(s.FOSURL, askedNamed)) {
		t.Error("the log holds the browser's secret")
	}
}

// parkedKey is the name of the one question that is open.
func parkedKey(t testing.TB, s *testkit.Service) string {
	t.Helper()
	names := s.Redis.Keys(context.Background(), "fos:parked:*").Val()
	if len(names) != 1 {
		t.Fatalf("parked: %v", names)
	}
	return names[0]
}

// I4: what cannot be recorded is not asked, and not declined.
func TestI4_aQuestionThatCannotBeRecordedIsNone(t *testing.T) {
	t.Parallel()
	s := testkit.Start(t, testkit.Options{Env: map[string]string{"HANDOFF_UNBOUND": "confirm"}})
	ada := s.SignIn(t, s.Member(t, "ada@example.org"))
	token := ada.MintToken()
	broken := auditBroken["no table"]
	testkit.Exec(t, s.FOS, broken[0])
	wantProblem(t, ada.Arrive(token, key(firstKey)), http.StatusServiceUnavailable, "dependency_unavailable")
	if names := s.Redis.Keys(context.Background(), "fos:parked:*").Val(); len(names) != 0 {
		t.Errorf("parked: %v", names)
	}
	testkit.Exec(t, s.FOS, broken[1])
	id := asked(t, ada.Arrive(token, key(firstKey)), "ada@example.org", "")
	testkit.Exec(t, s.FOS, broken[0])
	no := declines(ada, id)
	wantProblem(t, no, http.StatusServiceUnavailable, "dependency_unavailable")
	testkit.Exec(t, s.FOS, broken[1])
	arrived(t, confirms(ada, id))
}
