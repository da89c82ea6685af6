package fosapi_test

import (
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hello-world-co-op/handoff/internal/privacy"
	"github.com/hello-world-co-op/handoff/internal/testkit"
	"github.com/hello-world-co-op/handoff/internal/user"
)

// The services behind the gateway and their bearers; billing's is being rotated.
const (
	billingToken = "billing-6b1f0c9e3a7d52846b1f0c9e3a7d5284"
	billingNext  = "billing-0e4d8a2c6f1b3957e0d4a8c2f6b13957"
	mailToken    = "mail-93c5e7a1b0d2f4866893c5e7a1b0d2f48"
	shortToken   = "too-short-to-be-random"
)

func digestOf(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

// withAuthz is the service with its listener for gateways; change adds to its
// environment.
func withAuthz(t testing.TB, change map[string]string) *testkit.Service {
	t.Helper()
	env := map[string]string{
		"AUTHZ_ADDR": "127.0.0.1:0", "TRUSTED_PROXIES": "127.0.0.1",
		"SERVICE_TOKEN_DIGESTS": "billing=" + digestOf(billingToken) + ",mail=" + digestOf(mailToken) +
			",billing=" + digestOf(billingNext) + ",short=" + digestOf(shortToken),
	}
	for name, value := range change {
		env[name] = value
	}
	return testkit.Start(t, testkit.Options{Env: env})
}

func showing(text string) testkit.Header { return header("Authorization", "Bearer "+text) }

// sessionID is what me says that this browser is in.
func sessionIDOf(t testing.TB, b *testkit.Browser) string {
	t.Helper()
	session, _ := b.Me().Body["session"].(map[string]any)
	id, _ := session["id"].(string)
	return id
}

// Who is signed in passes, by cookie or as a program; what the client says of itself is
// replaced, also by nothing. Whoever signs out is out with the next request.
func TestForwardAuth_aLiveSessionPassesAndAnEndedOneDoesNot(t *testing.T) {
	t.Parallel()
	s := withAuthz(t, nil)
	app := protect(t, s, "/authz/session")
	b, answer := arrives(t, s, s.SignIn(t, s.Member(t, "ada@example.org")))
	id, session := userID(answer), sessionIDOf(t, b)
	wantCaller(t, b.Get(app.URL+"/report?token=of-theirs"), caller{"", id, "member", session})
	forged := []testkit.Header{
		header("X-Auth-User", "00000000-0000-0000-0000-000000000001"), header("X-Auth-Role", "founder"),
		header("X-Auth-Session", "any"), header("x-auth-service", "billing"), header("X-Auth-Service", "mail"),
	}
	wantCaller(t, b.Get(app.URL+"/report", forged...), caller{"", id, "member", session})
	access := b.Cookie(s.FOSURL, "access_token")
	wantCaller(t, s.Browser(t).Get(app.URL+"/report", showing(access)), caller{"", id, "member", session})

	app.served.Store(0)
	wantGone(t, b.FOSPost("logout", nil))
	app.wantStopped(t, s.Browser(t).Get(app.URL+"/report", sending(accessToken(access))), http.StatusUnauthorized, "session_revoked")
	app.wantStopped(t, s.Browser(t).Get(app.URL+"/report", showing(access)), http.StatusUnauthorized, "session_revoked")
	app.wantStopped(t, b.Get(app.URL+"/report", forged...), http.StatusUnauthorized, "session_required")
}

// What is no access token of one live session lets nobody pass.
func TestForwardAuth_whatIsNoSession(t *testing.T) {
	t.Parallel()
	s := withAuthz(t, nil)
	app := protect(t, s, "/authz/session")
	b, answer := arrives(t, s, s.SignIn(t, s.Member(t, "ada@example.org")))
	other := s.SignInAtFOS(t, s.User(t, "grace@example.org"))
	pair := tokensOf(t, answer)
	for name, headers := range map[string][]testkit.Header{
		"nothing":                         nil,
		"a refresh token as cookie":       {sending(accessToken(pair.refresh))},
		"a refresh token as bearer":       {showing(pair.refresh)},
		"the halves' service token":       {showing(testkit.ServiceToken)},
		"a service's bearer":              {showing(billingToken)},
		"an access token, spelt as basic": {header("Authorization", "Basic "+pair.access)},
		"two bearers":                     {showing(pair.access), showing(pair.access)},
		// The service behind the gateway may go by the other one.
		"two people: bearer and cookie": {showing(pair.access), sending(accessToken(other.Cookie(s.FOSURL, "access_token")))},
		"two people: two cookies":       {sending(accessToken(pair.access), accessToken(other.Cookie(s.FOSURL, "access_token")))},
	} {
		answer := s.Browser(t).Get(app.URL+"/report", headers...)
		t.Log(name)
		app.wantStopped(t, answer, http.StatusUnauthorized, "session_required")
	}
	testkit.Exec(t, s.FOS, `UPDATE users SET status = 'SUSPENDED' WHERE email = 'grace@example.org'`)
	app.wantStopped(t, other.Get(app.URL+"/report"), http.StatusForbidden, "account_inactive")
	s.Clock.Advance(31 * time.Minute)
	app.wantStopped(t, b.Get(app.URL+"/report"), http.StatusUnauthorized, "session_required")
}

// I10: a founder who came by hand-off is a member to every service, until they step up.
func TestI10_aServiceBehindTheGatewayHearsTheActingRole(t *testing.T) {
	t.Parallel()
	s := withAuthz(t, nil)
	app := protect(t, s, "/authz/session")
	b, _, founder, _ := founderByHandoff(t, s)
	id, session, before := founder.ID.String(), sessionIDOf(t, b), b.Cookie(s.FOSURL, "access_token")
	wantCaller(t, b.Get(app.URL), caller{"", id, "member", session})
	if answer := stepUp(b, testkit.Password); answer.Status != http.StatusOK {
		t.Fatalf("step-up: %d %s", answer.Status, answer.Raw)
	}
	wantCaller(t, b.Get(app.URL), caller{"", id, "founder", session})
	wantCaller(t, s.Browser(t).Get(app.URL, showing(before)), caller{"", id, "member", session})
}

// A bearer is one service's, and no other's; while it is rotated, both are its own.
func TestForwardAuth_aServiceIsKnownByItsOwnBearer(t *testing.T) {
	t.Parallel()
	s := withAuthz(t, nil)
	app := protect(t, s, "/authz/service")
	b := s.Browser(t)
	for token, name := range map[string]string{billingToken: "billing", billingNext: "billing", mailToken: "mail"} {
		for _, method := range []string{http.MethodGet, http.MethodPost} {
			wantCaller(t, b.Do(method, app.URL, nil, showing(token), header("X-Auth-Service", "root"), header("X-Auth-User", "somebody")), caller{name, "", "", ""})
		}
	}
	wantCaller(t, b.Get(app.URL, header("Authorization", "bearer "+mailToken)), caller{"mail", "", "", ""})
	app.served.Store(0)
	ada := s.SignInAtFOS(t, s.User(t, "ada@example.org"))
	for name, headers := range map[string][]testkit.Header{
		"none":                    nil,
		"nothing":                 {header("Authorization", "Bearer")},
		"an empty one":            {header("Authorization", "Bearer ")},
		"the digest":              {showing(digestOf(mailToken))},
		"one character more":      {showing(mailToken + "x")},
		"one less":                {showing(mailToken[1:])},
		"the halves' own":         {showing(testkit.ServiceToken)},
		"one that can be guessed": {showing(shortToken)},
		"another scheme":          {header("Authorization", "Basic "+mailToken)},
		"two":                     {showing(mailToken), showing(mailToken)},
		"a person's access token": {showing(ada.Cookie(s.FOSURL, "access_token"))},
	} {
		answer := b.Get(app.URL, headers...)
		t.Log(name)
		app.wantStopped(t, answer, http.StatusUnauthorized, "invalid_service_token")
		if answer.Header.Get("WWW-Authenticate") != "Bearer" {
			t.Error("it does not say that it wants a bearer")
		}
	}
	app.wantStopped(t, b.Post(app.URL, nil, showing(mailToken), header("Origin", "https://evil.test")), http.StatusForbidden, "origin_not_allowed")
}

// When each bearer was last used is told under its key id, so that the old one may go; and
// the questions are counted apart from what people ask, under what the gateway asked.
func TestForwardAuth_anOperatorSeesWhichBearerIsStillUsed(t *testing.T) {
	t.Parallel()
	s := withAuthz(t, map[string]string{"METRICS_ENABLED": "true", "METRICS_ADDR": "127.0.0.1:0"})
	app := protect(t, s, "/authz/service")
	s.Browser(t).Post(app.URL, nil, showing(billingNext))
	founder := s.SignInAtFOS(t, s.User(t, "founder@example.org", role(user.Founder)))
	answer := founder.Get(s.FOSURL + "/health/detailed")
	want := map[string]any{privacy.NewSecret(billingNext).KeyID(): float64(s.Clock.Now().UnixMilli())}
	if diff := cmp.Diff(want, answer.Body["service_token_last_used"]); diff != "" {
		t.Errorf("last used (-want +got):\n%s\n%s", diff, answer.Raw)
	}
	counted := `handoff_http_request_duration_seconds_count{half="authz",method="GET",route="/authz/service",status="204"} 1`
	// The bearer before the last of a name is the one that is to go; the alert asks for it.
	key := func(secret, use string) string {
		return `handoff_service_token_key{key_id="` + privacy.NewSecret(secret).KeyID() + `",use="` + use + `"} 1`
	}
	figures := founder.Get("http://" + s.Started[0].Addr("metrics") + "/metrics").Raw
	for _, figure := range []string{counted, key(billingToken, "previous"), key(billingNext, "current"), key(mailToken, "current"), key(testkit.ServiceToken, "current")} {
		if !strings.Contains(figures, figure) {
			t.Errorf("there is no %s", figure)
		}
	}
	if n := strings.Count(figures, "\nhandoff_service_token_key{"); n != 5 { // one more whose text is short, which is nobody's
		t.Errorf("%d tokens are accepted", n)
	}
}

// Nothing changes by being asked but when the session was last used, and that its
// newest tokens have arrived: or else an older refresh token, copied from somebody who
// uses other services only, would converge instead of ending the session (I11).
func TestI11_aSessionThatIsUsedBehindTheGatewayIsInUse(t *testing.T) {
	t.Parallel()
	s := withAuthz(t, nil)
	app := protect(t, s, "/authz/session")
	b, answer := arrives(t, s, s.SignIn(t, s.Member(t, "ada@example.org")))
	stolen := tokensOf(t, answer).refresh
	wantRefreshed(t, b.FOSPost("refresh", nil))
	audit, sessions := len(testkit.Events(t, s.FOS)), testkit.Count(t, s.FOS, `SELECT count(*) FROM sessions`)
	for range 3 {
		if answer := b.Get(app.URL); answer.Status != http.StatusOK || len(answer.Cookies) > 0 {
			t.Fatalf("%d %v", answer.Status, answer.Cookies)
		}
	}
	if n := len(testkit.Events(t, s.FOS)); n != audit || testkit.Count(t, s.FOS, `SELECT count(*) FROM sessions`) != sessions {
		t.Errorf("%d audit rows after %d", n, audit)
	}
	s.Clock.Advance(31 * time.Second)
	wantProblem(t, refreshSending(t, s, refreshToken(stolen)), http.StatusUnauthorized, "session_revoked")
	app.served.Store(0)
	app.wantStopped(t, b.Get(app.URL), http.StatusUnauthorized, "session_revoked")
}
