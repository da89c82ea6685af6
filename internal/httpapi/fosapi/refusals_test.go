package fosapi_test

import (
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/hello-world-co-op/handoff/internal/testkit"
)

func TestI8_aSpentTokenIsRefusedAndRecognised(t *testing.T) {
	t.Parallel()
	eachWay(t, func(t *testing.T, s *testkit.Service) {
		ada := s.SignIn(t, s.Member(t, "ada@example.org"))
		minted := ada.Mint(nil)
		first := arrived(t, ada.Arrive(minted.Text("token")))
		thief := s.Browser(t)
		wantInvalid(t, thief.Arrive(minted.Text("token")), "used", minted.Text("handoff_id"))
		s.Clock.Advance(23 * time.Hour)
		wantInvalid(t, thief.Arrive(minted.Text("token")), "used", minted.Text("handoff_id"))
		// Nothing is revoked: a spent URL in a log is no weapon.
		if n := testkit.Count(t, s.FOS, `SELECT count(*) FROM sessions WHERE id = $1 AND ended_at IS NULL`, sessionID(first)); n != 1 {
			t.Error("the first session was ended")
		}
		for half, pool := range map[string]int{
			"dao": testkit.Count(t, s.DAO, `SELECT count(*) FROM audit_log WHERE event = 'handoff.replayed' AND handoff_id = $1`, minted.Text("handoff_id")),
			"fos": testkit.Count(t, s.FOS, `SELECT count(*) FROM audit_log WHERE event = 'handoff.replayed' AND handoff_id = $1`, minted.Text("handoff_id")),
		} {
			if pool != 2 {
				t.Errorf("the %s half recorded %d replays, want 2", half, pool)
			}
		}
	})
}

func TestI2_aLateTokenIsExpired(t *testing.T) {
	t.Parallel()
	eachWay(t, func(t *testing.T, s *testkit.Service) {
		ada := s.SignIn(t, s.Member(t, "ada@example.org"))
		minted := ada.Mint(nil)
		s.Clock.Advance(60 * time.Second)
		wantInvalid(t, ada.Arrive(minted.Text("token")), "expired", minted.Text("handoff_id"))
	})
}

func TestAForeignTokenIsInvalid(t *testing.T) {
	t.Parallel()
	eachWay(t, func(t *testing.T, s *testkit.Service) {
		wantInvalid(t, s.Browser(t).Arrive(strings.Repeat("0f", 32)), "invalid", "")
		if n := testkit.Count(t, s.FOS, `SELECT count(*) FROM audit_log WHERE event = 'handoff.refused' AND reason = 'token_unknown'`); n != 1 {
			t.Errorf("%d rows record it", n)
		}
	})
}

// I2: nor is the other half believed about time beyond half a minute, which is what
// two clocks may differ by.
func TestI2_anAnswerThatIsLongOverIsExpired(t *testing.T) {
	t.Parallel()
	const noon = 1795262400000 // the clock of these stories
	for age, status := range map[int]int{30_000: http.StatusOK, 30_001: http.StatusUnauthorized, 86_400_000: http.StatusUnauthorized} {
		s := testkit.Start(t, testkit.Options{FOSOnly: true, DAOURL: peer(t, map[string]any{
			"issued_at": noon - age - 60_000, "expires_at": noon - age, "auth_time": noon - age - 60_000,
		})})
		answer := s.Browser(t).Arrive(strings.Repeat("0f", 32))
		if status != http.StatusOK {
			wantInvalid(t, answer, "expired", journeyID)
		}
		if answer.Status != status {
			t.Errorf("over for %d ms: %d %s", age, answer.Status, answer.Raw)
		}
	}
}

// I7: what was minted for another site is burnt here, and the browser hears no more
// than that it is not valid.
func TestI7_aTokenForAnotherSiteIsInvalidAndBurnt(t *testing.T) {
	t.Parallel()
	eachWay(t, func(t *testing.T, s *testkit.Service) {
		ada := s.SignIn(t, s.Member(t, "ada@example.org"))
		minted := ada.Mint(map[string]any{"target_domain": testkit.OtherTarget})
		wantInvalid(t, ada.Arrive(minted.Text("token")), "invalid", minted.Text("handoff_id"))
		right := ada.Post(s.DAOURL+"/api/staging_token/exchange",
			map[string]any{"token": minted.Text("token"), "target_domain": testkit.OtherTarget},
			header("Authorization", "Bearer "+testkit.ServiceToken))
		if right.Code() != "token_used" {
			t.Errorf("at the right site afterwards: %d %s", right.Status, right.Raw)
		}
	})
}

// The DAO half may be wrong about the target; this half looks for itself.
func TestI7_anAnswerForAnotherSiteIsInvalid(t *testing.T) {
	t.Parallel()
	s := testkit.Start(t, testkit.Options{FOSOnly: true, DAOURL: peer(t, map[string]any{"target_domain": testkit.OtherTarget})})
	wantInvalid(t, s.Browser(t).Arrive(strings.Repeat("0f", 32)), "invalid", journeyID)
	if n := testkit.Count(t, s.FOS, `SELECT (SELECT count(*) FROM users) + (SELECT count(*) FROM sessions)`); n != 0 {
		t.Errorf("%d users and sessions", n)
	}
}

func TestATokenOfABrowserThatBoundItIsInvalidElsewhere(t *testing.T) {
	t.Parallel()
	eachWay(t, func(t *testing.T, s *testkit.Service) {
		verifier := strings.Repeat("v", 43)
		sum := sha256.Sum256([]byte(verifier))
		ada := s.SignIn(t, s.Member(t, "ada@example.org"))
		minted := ada.Mint(map[string]any{"challenge": base64.RawURLEncoding.EncodeToString(sum[:])})
		wantInvalid(t, s.Browser(t).Arrive(minted.Text("token")), "unbound", minted.Text("handoff_id"))
	})
}

func TestAPersonWhoSignedOutMeanwhileIsInvalid(t *testing.T) {
	t.Parallel()
	eachWay(t, func(t *testing.T, s *testkit.Service) {
		ada := s.SignIn(t, s.Member(t, "ada@example.org"))
		minted := ada.Mint(nil)
		if out := ada.Post(s.DAOURL+"/api/auth/logout", nil, header("X-CSRF-Token", ada.CSRF)); out.Status != http.StatusOK {
			t.Fatalf("logout: %d %s", out.Status, out.Raw)
		}
		wantInvalid(t, ada.Arrive(minted.Text("token")), "invalid", minted.Text("handoff_id"))
	})
}

// Decided before any store is touched: all of them are away.
func TestAMalformedTokenIsRefusedWithoutAnyStore(t *testing.T) {
	t.Parallel()
	s := testkit.Start(t, testkit.Options{}).Linked(t, nil)
	s.DAOPostgres.Cut()
	s.FOSPostgres.Cut()
	s.RedisLink.Cut()
	good := strings.Repeat("0f", 32)
	for name, token := range map[string]string{
		"empty": "", "short": good[1:], "long": good + "0", "upper case": strings.ToUpper(good), "not hex": good[:63] + "g",
		"in a URL": "https://founderyos.test/?token=" + good, "with a line break": good[:63] + "\n", "full-width digits": strings.Repeat("０", 64),
	} {
		answer := s.Browser(t).Arrive(token)
		wantProblem(t, answer, http.StatusBadRequest, "token_malformed")
		if t.Failed() {
			t.Log(name)
		}
	}
}

func TestABodyThatIsNotTheEndpointsIsRefused(t *testing.T) {
	t.Parallel()
	s := testkit.Start(t, testkit.Options{})
	token := strings.Repeat("0f", 32)
	for name, story := range map[string]struct {
		body    string
		headers []testkit.Header
		status  int
		code    string
	}{
		"a field too many":   {`{"token":"` + token + `","next":"/"}`, nil, 400, "invalid_request"},
		"one field twice":    {`{"token":"` + token + `","token":"` + token + `"}`, nil, 400, "invalid_request"},
		"another spelling":   {`{"Token":"` + token + `"}`, nil, 400, "invalid_request"},
		"a wrong type":       {`{"token":7}`, nil, 400, "invalid_request"},
		"something after it": {`{"token":"` + token + `"}{}`, nil, 400, "invalid_request"},
		"no JSON":            {`token=` + token, nil, 400, "invalid_request"},
		"a list":             {`["` + token + `"]`, nil, 400, "invalid_request"},
		"a form":             {`token=` + token, []testkit.Header{header("Content-Type", "application/x-www-form-urlencoded")}, 415, "unsupported_media_type"},
		"plain text":         {`{"token":"` + token + `"}`, []testkit.Header{header("Content-Type", "text/plain")}, 415, "unsupported_media_type"},
		"too large":          {`{"token":"` + strings.Repeat("0", 9<<10) + `"}`, nil, 413, "body_too_large"},
		"a short key":        {`{"token":"` + token + `"}`, []testkit.Header{key("short")}, 400, "invalid_request"},
		"a long key":         {`{"token":"` + token + `"}`, []testkit.Header{key(strings.Repeat("k", 129))}, 400, "invalid_request"},
		"a key with a space": {`{"token":"` + token + `"}`, []testkit.Header{key("two words two words")}, 400, "invalid_request"},
		"two keys":           {`{"token":"` + token + `"}`, []testkit.Header{key(firstKey), key(secondKey)}, 400, "invalid_request"},
	} {
		answer := s.Browser(t).Post(s.FOSURL+"/api/v1/auth/cross-domain-login", story.body,
			append([]testkit.Header{header("X-Requested-With", "test")}, story.headers...)...)
		wantProblem(t, answer, story.status, story.code)
		if strings.Contains(answer.Raw, token) {
			t.Errorf("%s: the answer quotes the token", name)
		}
	}
}
