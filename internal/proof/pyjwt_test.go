//go:build proof

package proof_test

import (
	"encoding/json"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/hello-world-co-op/handoff/internal/testkit"
)

const (
	issuer          = "founderyos"
	audience        = "founderyos-api"
	refreshAudience = "founderyos-refresh"
)

// today starts the service at the hour that PyJWT goes by, which is the real one.
func today(t *testing.T, env map[string]string) *testkit.Service {
	t.Helper()
	s := testkit.Start(t, testkit.Options{Env: env})
	s.Clock.Advance(time.Since(s.Clock.Now()))
	return s
}

func decode(token, key string, expected *string) question {
	return question{Do: "decode", Token: token, Key: key, Audience: expected, Issuer: issuer}
}

func passing(value string) *string { return &value }

// A verifier with PyJWT and the same key reads our pairs, from both ways to sign in,
// and finds the documented claims, each with its type, and no other.
func TestProof_PyJWTReadsOurPairs(t *testing.T) {
	s := today(t, nil)
	w := newWire(t)
	s.UserWithPassword(t, "grace@example.org")
	byPassword := newJar()
	login := w.post(t, byPassword, s.FOSURL+fosAuth+"login", credentials(t, "grace@example.org", testkit.Password))
	if login.Status != http.StatusOK {
		t.Fatalf("login: %d %s", login.Status, login.Raw)
	}
	byHandoff := arrive(t, s, person)
	arrived := w.get(t, byHandoff.copy(), s.FOSURL+fosAuth+"me")

	for name, c := range map[string]struct {
		jar  *jar
		says testkit.Answer
	}{"password": {byPassword, login}, "hand-off": {byHandoff, arrived}} {
		t.Run(name, func(t *testing.T) {
			access, refresh := c.jar.value(accessCookie), c.jar.value(refreshCookie)
			replies := askPyJWT(t,
				decode(access, testkit.JWTKey, passing(audience)),
				decode(refresh, testkit.JWTKey, passing(refreshAudience)),
			)
			who, _ := c.says.Body["user"].(map[string]any)
			of, _ := c.says.Body["session"].(map[string]any)
			for i, want := range []map[string]any{
				{"iss": issuer, "aud": audience, "sub": who["id"], "sid": of["id"], "role": "member", "type": "access", "amr": []any{"pwd"}},
				{"iss": issuer, "aud": refreshAudience, "sub": who["id"], "sid": of["id"], "role": "member", "type": "refresh", "amr": []any{"pwd"}, "gen": json.Number("1")},
			} {
				wantClaims(t, replies[i], want, of)
			}
			t.Logf("%s: access %v; refresh %v", name, slices.Sorted(maps.Keys(replies[0].Claims)), slices.Sorted(maps.Keys(replies[1].Claims)))
		})
	}
}

var (
	wholeSeconds = regexp.MustCompile(`^[0-9]{10}$`)
	tokenID      = regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`)
)

// wantClaims demands those claims, the times and an id, and nothing else; and the
// ends that the answer told.
func wantClaims(t *testing.T, got reply, want, told map[string]any) {
	t.Helper()
	if got.Refused != "" {
		t.Fatalf("refused: %s", got.Refused)
	}
	want = maps.Clone(want)
	seconds := map[string]int64{}
	for _, name := range []string{"auth_time", "iat", "nbf", "exp"} {
		number, is := got.Claims[name].(json.Number)
		if !is || !wholeSeconds.MatchString(number.String()) {
			t.Errorf("%s is %v, want whole seconds", name, got.Claims[name])
		}
		seconds[name], _ = number.Int64()
		want[name] = number
	}
	id, _ := got.Claims["jti"].(string)
	if !tokenID.MatchString(id) {
		t.Errorf("jti is %v, want a UUIDv8", got.Claims["jti"])
	}
	want["jti"] = id
	if diff := cmp.Diff(want, got.Claims); diff != "" {
		t.Errorf("claims (-documented +read):\n%s", diff)
	}
	if seconds["iat"] != seconds["nbf"] || seconds["auth_time"] > seconds["iat"] {
		t.Errorf("times %v", seconds)
	}
	end := map[any]string{"access": "access_expires_at", "refresh": "refresh_expires_at"}[want["type"]]
	if ms, _ := told[end].(float64); int64(ms)/1000 != seconds["exp"] {
		t.Errorf("exp is %d, and the answer says %v", seconds["exp"], told[end])
	}
	if got.Header["alg"] != "HS256" || got.Header["typ"] != "JWT" || len(got.Header) != 3 {
		t.Errorf("header %v", got.Header)
	}
}

// What PyJWT refuses of ours, and by which of its checks.
func TestProof_PyJWTRefusesWhatItShould(t *testing.T) {
	s := today(t, nil)
	j := arrive(t, s, person)
	access, refresh := j.value(accessCookie), j.value(refreshCookie)
	none := today(t, map[string]string{"JWT_AUDIENCE": ""})
	free := arrive(t, none, person)
	for name, c := range map[string]struct {
		ask     question
		refused string
	}{
		"a refresh token as access":              {decode(refresh, testkit.JWTKey, passing(audience)), "InvalidAudienceError"},
		"an access token as refresh":             {decode(access, testkit.JWTKey, passing(refreshAudience)), "InvalidAudienceError"},
		"another key":                            {decode(access, testkit.OtherPseudonymKey, passing(audience)), "InvalidSignatureError"},
		"an audience that nobody asked for":      {decode(access, testkit.JWTKey, nil), "InvalidAudienceError"},
		"another issuer":                         {question{Do: "decode", Token: access, Key: testkit.JWTKey, Audience: passing(audience), Issuer: "another"}, "InvalidIssuerError"},
		"JWT_AUDIENCE= for who passes none":      {decode(free.value(accessCookie), testkit.JWTKey, nil), ""},
		"JWT_AUDIENCE= for who passes one":       {decode(free.value(accessCookie), testkit.JWTKey, passing(audience)), "MissingRequiredClaimError"},
		"JWT_AUDIENCE=, a refresh token":         {decode(free.value(refreshCookie), testkit.JWTKey, nil), "InvalidAudienceError"},
		"JWT_AUDIENCE=, a refresh token as such": {decode(free.value(refreshCookie), testkit.JWTKey, passing(refreshAudience)), ""},
	} {
		if got := askPyJWT(t, c.ask)[0]; got.Refused != c.refused {
			t.Errorf("%s: %q, want %q", name, got.Refused, c.refused)
		}
	}
	if claims := askPyJWT(t, decode(free.value(accessCookie), testkit.JWTKey, nil))[0].Claims; claims["aud"] != nil || len(claims) != 11 {
		t.Errorf("without an audience: %v", claims)
	}
}

// The other way: what the platform's Python side signs with PyJWT, without a "kid",
// is good here, and only with the claims that the protocol lists.
func TestProof_WeReadWhatPyJWTSigns(t *testing.T) {
	s := today(t, nil)
	w := newWire(t)
	j := arrive(t, s, person)
	ours := askPyJWT(t, decode(j.value(accessCookie), testkit.JWTKey, passing(audience)), decode(j.value(refreshCookie), testkit.JWTKey, passing(refreshAudience)))
	sign := func(claims map[string]any, key, algorithm string, change map[string]any) string {
		claims = maps.Clone(claims)
		claims["jti"] = uuid.NewString() // Python's are version 4
		for name, value := range change {
			claims[name] = value
			if value == nil {
				delete(claims, name)
			}
		}
		return askPyJWT(t, question{Do: "encode", Claims: claims, Key: key, Algorithm: algorithm})[0].Token
	}
	me := func(access string) testkit.Answer {
		shown := newJar()
		shown.cookies[accessCookie] = access
		return w.get(t, shown, s.FOSURL+fosAuth+"me")
	}
	access, refresh := ours[0].Claims, ours[1].Claims
	if answer := me(sign(access, testkit.JWTKey, "HS256", nil)); answer.Status != http.StatusOK {
		t.Errorf("PyJWT's token is not good: %d %s", answer.Status, answer.Raw)
	}
	now := s.Clock.Now().Unix()
	refused := map[string]string{
		"another key":          sign(access, testkit.OtherPseudonymKey, "HS256", nil),
		"HS512":                sign(access, testkit.JWTKey, "HS512", nil),
		"none":                 sign(access, "", "none", nil),
		"a refresh token":      sign(refresh, testkit.JWTKey, "HS256", nil),
		"no audience":          sign(access, testkit.JWTKey, "HS256", map[string]any{"aud": nil}),
		"type refresh":         sign(access, testkit.JWTKey, "HS256", map[string]any{"type": "refresh"}),
		"ended":                sign(access, testkit.JWTKey, "HS256", map[string]any{"exp": now - 1}),
		"no end":               sign(access, testkit.JWTKey, "HS256", map[string]any{"exp": nil}),
		"nobody's session":     sign(access, testkit.JWTKey, "HS256", map[string]any{"sid": uuid.NewString()}),
		"another's session":    sign(access, testkit.JWTKey, "HS256", map[string]any{"sub": uuid.NewString()}),
		"a list as audience":   sign(access, testkit.JWTKey, "HS256", map[string]any{"aud": []string{audience}}),
		"another's issue":      sign(access, testkit.JWTKey, "HS256", map[string]any{"iss": "another"}),
		"tomorrow's beginning": sign(access, testkit.JWTKey, "HS256", map[string]any{"nbf": now + 86400}),
	}
	for name, token := range refused {
		if answer := me(token); answer.Status != http.StatusUnauthorized {
			t.Errorf("%s: %d %s", name, answer.Status, answer.Raw)
		}
	}
	shown := newJar()
	shown.cookies[refreshCookie] = sign(refresh, testkit.JWTKey, "HS256", nil)
	wantRefreshed(t, w.post(t, shown, s.FOSURL+fosAuth+"refresh", ""))
	t.Logf("one access and one refresh token of PyJWT are taken, %d others refused", len(refused))
}
