package fosapi_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/google/go-cmp/cmp"

	"github.com/hello-world-co-op/handoff/internal/privacy"
	"github.com/hello-world-co-op/handoff/internal/session"
	"github.com/hello-world-co-op/handoff/internal/testkit"
)

// read opens a token as the platform's other services do: with the shared key and
// a library.
func read(t testing.TB, s *testkit.Service, raw string) (head, claims map[string]any) {
	t.Helper()
	parsed, err := jwt.NewParser(jwt.WithValidMethods([]string{"HS256"}), jwt.WithTimeFunc(s.Clock.Now)).
		Parse(raw, func(*jwt.Token) (any, error) { return []byte(testkit.JWTKey), nil })
	if err != nil {
		t.Fatal(err)
	}
	claims, _ = parsed.Claims.(jwt.MapClaims)
	return parsed.Header, claims
}

func seconds(at time.Time) float64 { return float64(at.Unix()) }

func TestTheTokensSayWhatTheProtocolLists(t *testing.T) {
	t.Parallel()
	eachWay(t, func(t *testing.T, s *testkit.Service) {
		signedIn := s.Clock.Now()
		ada := s.SignIn(t, s.Member(t, "ada@example.org"))
		s.Clock.Advance(10 * time.Minute)
		answer := arrived(t, ada.Arrive(ada.MintToken()))
		now := s.Clock.Now()

		head, access := read(t, s, answer.Cookie("access_token").Value)
		common := map[string]any{
			"iss": "founderyos", "sub": userID(answer), "sid": sessionID(answer), "role": "member", "amr": []any{"pwd"},
			"auth_time": seconds(signedIn), "iat": seconds(now), "nbf": seconds(now),
		}
		want := merged(common, map[string]any{
			"aud": "founderyos-api", "type": "access", "exp": seconds(now.Add(30 * time.Minute)), "jti": access["jti"],
		})
		if diff := cmp.Diff(want, access); diff != "" {
			t.Errorf("access token (-want +got):\n%s", diff)
		}
		if head["alg"] != "HS256" || head["typ"] != "JWT" {
			t.Errorf("header %v", head)
		}

		_, refresh := read(t, s, answer.Cookie("refresh_token").Value)
		want = merged(common, map[string]any{
			"aud": "founderyos-refresh", "type": "refresh", "gen": 1.0, "exp": seconds(now.Add(7 * 24 * time.Hour)), "jti": refresh["jti"],
		})
		if diff := cmp.Diff(want, refresh); diff != "" {
			t.Errorf("refresh token (-want +got):\n%s", diff)
		}
		wantID(t, access["jti"])
		wantID(t, refresh["jti"])
		if access["jti"] == refresh["jti"] {
			t.Error("both tokens have one id")
		}
	})
}

func merged(common, more map[string]any) map[string]any {
	all := map[string]any{}
	for _, part := range []map[string]any{common, more} {
		for name, value := range part {
			all[name] = value
		}
	}
	return all
}

// I12: a token is good for what it was made for, under our key and algorithm, while
// its time lasts, and for nothing else.
func TestI12_whatWeDidNotSignForThisIsNoSession(t *testing.T) {
	t.Parallel()
	s := testkit.Start(t, testkit.Options{})
	ada := s.SignIn(t, s.Member(t, "ada@example.org"))
	answer := arrived(t, ada.Arrive(ada.MintToken()))
	good, refresh := answer.Cookie("access_token").Value, answer.Cookie("refresh_token").Value
	_, claims := read(t, s, good)
	otherKey := testkit.PseudonymKey
	parts := strings.Split(good, ".")

	for name, forged := range map[string]string{
		"refresh as access":        refresh,
		"alg none":                 sign(t, jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType, claims),
		"HS384":                    sign(t, jwt.SigningMethodHS384, []byte(testkit.JWTKey), claims),
		"HS512":                    sign(t, jwt.SigningMethodHS512, []byte(testkit.JWTKey), claims),
		"another key":              sign(t, jwt.SigningMethodHS256, []byte(otherKey), claims),
		"an empty key":             sign(t, jwt.SigningMethodHS256, []byte{}, claims),
		"another issuer":           resign(t, claims, "iss", "somebody"),
		"another audience":         resign(t, claims, "aud", "founderyos-refresh"),
		"a list of audiences":      resign(t, claims, "aud", []string{"founderyos-api", "evil"}),
		"no audience":              resign(t, claims, "aud", nil),
		"type refresh":             resign(t, claims, "type", "refresh"),
		"no type":                  resign(t, claims, "type", nil),
		"over":                     resign(t, claims, "exp", seconds(s.Clock.Now())),
		"without an end":           resign(t, claims, "exp", nil),
		"not yet":                  resign(t, claims, "nbf", seconds(s.Clock.Now().Add(time.Hour))),
		"a session that never was": resign(t, claims, "sid", journeyID),
		"somebody else's session":  resign(t, claims, "sub", journeyID),
		"no session":               resign(t, claims, "sid", nil),
		"no signature":             parts[0] + "." + parts[1] + ".",
		"another's payload":        parts[0] + "." + strings.Split(refresh, ".")[1] + "." + parts[2],
		"empty":                    "",
		"garbage":                  "garbage",
		"huge":                     strings.Repeat("a", 9<<10),
	} {
		answer := meAt(t, s, forged)
		wantProblem(t, answer, http.StatusUnauthorized, "session_required")
		if t.Failed() {
			t.Fatal(name)
		}
	}
	if me := meAt(t, s, good); me.Status != http.StatusOK {
		t.Errorf("the good one: %d %s", me.Status, me.Raw)
	}
}

func sign(t testing.TB, method jwt.SigningMethod, signingKey any, claims map[string]any) string {
	t.Helper()
	raw, err := jwt.NewWithClaims(method, jwt.MapClaims(claims)).SignedString(signingKey)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// resign changes one claim, nil taking it out, and signs with the right key.
func resign(t testing.TB, claims map[string]any, name string, value any) string {
	t.Helper()
	changed := merged(claims, map[string]any{name: value})
	if value == nil {
		delete(changed, name)
	}
	return sign(t, jwt.SigningMethodHS256, []byte(testkit.JWTKey), changed)
}

// A role in a token is what the session acted with when it was signed; what it may
// do now, the row says. So does a key that only verifies.
func TestATokenUnderThePreviousKeyIsStillGood(t *testing.T) {
	t.Parallel()
	s := testkit.Start(t, testkit.Options{})
	ada := s.SignIn(t, s.Member(t, "ada@example.org"))
	answer := arrived(t, ada.Arrive(ada.MintToken()))
	rotated := s.Process(t, map[string]string{
		"JWT_SECRET_KEY": "the-next-signing-key-2b9d7c1f5e3a8064-longer", "JWT_SECRET_KEY_PREVIOUS": testkit.JWTKey,
	})
	if me := meAt(t, rotated, answer.Cookie("access_token").Value); me.Status != http.StatusOK {
		t.Errorf("%d %s", me.Status, me.Raw)
	}
	next := arrived(t, arriveAt(ada, rotated.FOSURL, ada.MintToken()))
	if me := meAt(t, s, next.Cookie("access_token").Value); me.Code() != "session_required" {
		t.Errorf("a replica that does not know the next key yet: %d %s", me.Status, me.Raw)
	}
	signer := s.Signer(t, func(c *session.Config) { c.Key = privacy.NewSecret("the-next-signing-key-2b9d7c1f5e3a8064-longer") })
	if _, err := signer.VerifyAccess(next.Cookie("access_token").Value); err != nil {
		t.Errorf("the new key did not sign: %v", err)
	}
}
