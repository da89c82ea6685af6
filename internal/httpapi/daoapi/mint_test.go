package daoapi_test

import (
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/hello-world-co-op/handoff/internal/member"
	"github.com/hello-world-co-op/handoff/internal/testkit"
)

var spelling = regexp.MustCompile(`^[0-9a-f]{64}$`)

// Both addresses of the mint are one endpoint, and answer with exactly these
// fields.
func TestMint_answersWithALiveToken(t *testing.T) {
	t.Parallel()
	s := testkit.Start(t, testkit.Options{})
	ada := s.SignIn(t, s.Member(t, "ada@example.org"))
	for _, path := range []string{mintPath, "/api/auth/cross-domain-token"} {
		answer := wantOK(t, ada.Post(s.DAOURL+path, map[string]any{"entry_product": "lighthouse", "target_domain": testkit.OtherTarget, "return_path": "/plans?tab=2"},
			header("X-CSRF-Token", ada.CSRF)))
		wantMembers(t, answer, "token:string", "handoff_id:string", "expires_at:integer", "expires_in:integer", "target_domain:string", "redirect_url:string")
		token := answer.Text("token")
		for name, want := range map[string]any{
			"expires_at": float64(s.Clock.Now().Add(time.Minute).UnixMilli()), "expires_in": 60.0, "target_domain": testkit.OtherTarget,
			"redirect_url": "https://" + testkit.OtherTarget + "/land?token=" + token,
		} {
			if answer.Body[name] != want {
				t.Errorf("%s: %s is %v, want %v", path, name, answer.Body[name], want)
			}
		}
		if id, err := uuid.Parse(answer.Text("handoff_id")); err != nil || id.Version() != 7 || !spelling.MatchString(token) {
			t.Errorf("%s: id %s, token of %d characters", path, answer.Text("handoff_id"), len(token))
		}
	}
	wantEvents(t, s, "handoff.minted success", "handoff.minted success")
}

// Without target_domain the first of HANDOFF_TARGETS is meant.
func TestMint_isForTheFirstTargetUnlessAnotherIsNamed(t *testing.T) {
	t.Parallel()
	s := testkit.Start(t, testkit.Options{})
	ada := s.SignIn(t, s.Member(t, "ada@example.org"))
	for name, fields := range map[string]map[string]any{"left out": nil, "null": {"target_domain": nil}, "empty": {"target_domain": ""}} {
		if answer := ada.Mint(fields); answer.Text("target_domain") != testkit.Target {
			t.Errorf("%s: %d %s", name, answer.Status, answer.Raw)
		}
	}
}

// I2: Redis is told to forget the claims by the time at which the token is over.
func TestI2_redisForgetsInTime(t *testing.T) {
	t.Parallel()
	s := testkit.Start(t, testkit.Options{})
	s.SignIn(t, s.Member(t, "ada@example.org")).MintToken()
	if ttl := s.Redis.PTTL(t.Context(), claimsKey(t, s)).Val(); ttl <= 0 || ttl > time.Minute {
		t.Errorf("the key lives for %v", ttl)
	}
}

func TestMint_whatItDoesNotTake(t *testing.T) {
	t.Parallel()
	s := testkit.Start(t, testkit.Options{})
	ada := s.SignIn(t, s.Member(t, "ada@example.org"))
	before := stored(t, s)
	for name, c := range map[string]struct {
		fields map[string]any
		field  string
	}{
		"no product":             {map[string]any{"entry_product": ""}, "entry_product"},
		"an unknown product":     {map[string]any{"entry_product": "casino"}, "entry_product"},
		"a product's other case": {map[string]any{"entry_product": "Think-Tank"}, "entry_product"},
		"an unknown target":      {map[string]any{"target_domain": "evil.test"}, "target_domain"},
		"a target's other case":  {map[string]any{"target_domain": strings.ToUpper(testkit.Target)}, "target_domain"},
		"a target with a dot":    {map[string]any{"target_domain": testkit.Target + "."}, "target_domain"},
		"an open redirect":       {map[string]any{"return_path": "//evil.test"}, "return_path"},
		"an empty return path":   {map[string]any{"return_path": ""}, "return_path"},
		"a plain challenge":      {map[string]any{"challenge": "x"}, "challenge"},
		"an unknown mode":        {map[string]any{"response_mode": "web_message"}, "response_mode"},
		"an age of nothing":      {map[string]any{"max_age": 0}, "max_age"},
		"an age below nothing":   {map[string]any{"max_age": -1}, "max_age"},
		"an age beyond a week":   {map[string]any{"max_age": 604801}, "max_age"},
		"an age beyond time":     {map[string]any{"max_age": 9223372036854775807}, "max_age"},
		"an age in words":        {map[string]any{"max_age": "60"}, "max_age"},
		"an unknown field":       {map[string]any{"user_id": uuid.NewString()}, "user_id"},
		"a wrong type":           {map[string]any{"return_path": 7}, "return_path"},
	} {
		answer := ada.Mint(c.fields)
		wantProblem(t, answer, http.StatusBadRequest, "invalid_request", "mint")
		faults, _ := answer.Body["errors"].([]any)
		if len(faults) != 1 || !strings.Contains(answer.Raw, `"field":"`+c.field+`"`) || strings.Contains(answer.Raw, "evil.test") {
			t.Errorf("%s: %s", name, answer.Raw)
		}
	}
	if stored(t, s) != before {
		t.Error("something was written")
	}
}

// I10: a front end that wants a fresh sign-in says so, and learns that it has none.
func TestI10_mint_whoSignedInTooLongAgo(t *testing.T) {
	t.Parallel()
	s := testkit.Start(t, testkit.Options{})
	ada := s.SignIn(t, s.Member(t, "ada@example.org"))
	s.Clock.Advance(2 * time.Minute)
	wantProblem(t, ada.Mint(map[string]any{"max_age": 119}), http.StatusUnauthorized, "login_required", "mint")
	if fresh := ada.Mint(map[string]any{"max_age": 120}); fresh.Status != http.StatusOK {
		t.Errorf("signed in 120 s ago: %d %s", fresh.Status, fresh.Raw)
	}
}

// The token stands where the front end wants it, and nowhere else.
func TestMint_responseModes(t *testing.T) {
	t.Parallel()
	s := testkit.Start(t, testkit.Options{})
	ada := s.SignIn(t, s.Member(t, "ada@example.org"))
	for mode, want := range map[string]string{"query": "?token=", "fragment": "#token=", "form_post": ""} {
		answer := ada.Mint(map[string]any{"response_mode": mode})
		landing, found, _ := strings.Cut(answer.Text("redirect_url"), want+answer.Text("token"))
		if want == "" {
			landing, found = answer.Text("redirect_url"), ""
		}
		if answer.Status != http.StatusOK || landing != "https://"+testkit.Target+"/cross-domain" || found != "" {
			t.Errorf("%s: %d %s", mode, answer.Status, answer.Text("redirect_url"))
		}
	}
}

// Who may not hand off is told so, under an id that the audit row has too.
func TestMint_whoMayNot(t *testing.T) {
	t.Parallel()
	s := testkit.Start(t, testkit.Options{})
	for _, c := range []struct {
		name, code string
		change     func(*member.Account)
	}{
		{"unverified", "email_unverified", func(a *member.Account) { a.EmailVerified = false }},
		{"pending", "account_inactive", func(a *member.Account) { a.Status = member.Pending }},
	} {
		answer := s.SignIn(t, s.Member(t, c.name+"@example.org", c.change)).Mint(nil)
		wantProblem(t, answer, http.StatusForbidden, c.code, "mint")
		n := testkit.Count(t, s.DAO, `SELECT count(*) FROM audit_log WHERE event = 'handoff.refused' AND reason = $1 AND handoff_id::text = $2`,
			c.code, answer.Text("handoff_id"))
		if n != 1 {
			t.Errorf("%s: %d audit rows have the answer's hand-off id %q", c.name, n, answer.Text("handoff_id"))
		}
	}
	suspended := s.SignIn(t, s.Member(t, "suspended@example.org"))
	testkit.Exec(t, s.DAO, `UPDATE members SET membership_status = 'suspended' WHERE email_canonical = 'suspended@example.org'`)
	wantProblem(t, suspended.Mint(nil), http.StatusUnauthorized, "session_revoked", "mint")

	idle := s.SignIn(t, s.Member(t, "idle@example.org"))
	s.Clock.Advance(30 * time.Minute)
	wantProblem(t, idle.Mint(nil), http.StatusUnauthorized, "session_required", "mint")
	if n := testkit.Count(t, s.DAO, `SELECT count(*) FROM handoffs`); n != 0 {
		t.Errorf("%d rows in the ledger", n)
	}
	if keys := keysIn(t, s); len(keys) != 0 {
		t.Errorf("redis holds %v", keys)
	}
}

// The signed double submit: a page of ours has read the value, for this session.
func TestMint_demandsTheCSRFValueOfThisSession(t *testing.T) {
	t.Parallel()
	s := testkit.Start(t, testkit.Options{})
	ada, mallory := s.SignIn(t, s.Member(t, "ada@example.org")), s.SignIn(t, s.Member(t, "mallory@example.org"))
	own, foreign := ada.CSRF, mallory.CSRF
	for _, c := range []struct {
		name, cookie, value string
		code                string
	}{
		{"no header", own, "", "csrf_failed"},
		{"a guessed header", own, "guess", "csrf_failed"},
		{"another session's header", own, foreign, "csrf_failed"},
		{"a planted cookie", foreign, own, "csrf_failed"},
		{"both of another session, planted by a sibling", foreign, foreign, "csrf_failed"},
	} {
		ada.SetCookie(s.DAOURL, "csrf_token", c.cookie)
		ada.CSRF = c.value
		answer := ada.Mint(nil)
		wantProblem(t, answer, http.StatusForbidden, c.code, "mint")
		if out := ada.Post(s.DAOURL+logoutPath, nil, header("X-CSRF-Token", c.value)); out.Status != http.StatusForbidden {
			t.Errorf("%s: logout is %d", c.name, out.Status)
		}
	}
	nobody := s.Browser(t)
	nobody.SetCookie(s.DAOURL, "csrf_token", own)
	nobody.CSRF = own
	wantProblem(t, nobody.Mint(nil), http.StatusUnauthorized, "session_required", "mint")
	wantEvents(t, s)
}
