package handoff_test

import (
	"encoding/json"
	"errors"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/hello-world-co-op/handoff/internal/handoff"
	"github.com/hello-world-co-op/handoff/internal/outage"
	"github.com/hello-world-co-op/handoff/internal/testkit"
	"github.com/hello-world-co-op/handoff/internal/token"
)

// The peer of these stories is not ours: it is played by a server of the test.

// foreign is an exchanger whose other half is handle.
func foreign(t testing.TB, handle http.HandlerFunc, change ...func(*handoff.PeerConfig)) *handoff.Peer {
	t.Helper()
	server := httptest.NewServer(handle)
	t.Cleanup(server.Close)
	return peerOf(t, server.URL, change...)
}

// says answers every exchange with one status and one JSON body.
func says(status int, body any) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		text, isText := body.(string)
		if !isText {
			encoded, _ := json.Marshal(body)
			text = string(encoded)
		}
		w.Header().Set("Content-Type", "application/json; charset=utf-8")
		w.WriteHeader(status)
		_, _ = io.WriteString(w, text)
	}
}

// shown is a token that only the foreign peer knows.
func shown(t testing.TB) handoff.Presentation {
	t.Helper()
	tok, err := token.Parse(strings.Repeat("a5", 32))
	if err != nil {
		t.Fatal(err)
	}
	return handoff.Presentation{Token: tok, Target: testkit.Target, IdempotencyKey: firstKey}
}

const issued = 1795262400000 // 2026-11-21 12:00 UTC

// olderAnswer is the nine-field contract as a peer sends it that is older than this
// protocol.
func olderAnswer(changes ...map[string]any) map[string]any {
	answer := map[string]any{
		"user_id": "6f1f6b0a-5c35-4f0e-9d0f-1c1a3b5d7e90", "email": "ada@example.org", "display_name": "Ada Lovelace",
		"ic_principal": "2vxsx-fae", "roles": []string{"member"}, "entry_product": "think-tank",
		"target_domain": testkit.Target, "issued_at": issued, "expires_at": issued + 60_000,
	}
	for _, change := range changes {
		maps.Copy(answer, change)
	}
	maps.DeleteFunc(answer, func(_ string, value any) bool { return value == gone })
	return answer
}

// gone takes a field out of an answer.
const gone = "(gone)"

func TestAnOlderPeersNineFieldsAreEnough(t *testing.T) {
	t.Parallel()
	for name, assume := range map[string]bool{"email not known to be verified": false, "peer known to verify": true} {
		peer := foreign(t, says(http.StatusOK, olderAnswer()), func(c *handoff.PeerConfig) { c.AssumeEmailVerified = assume })
		first, err := peer.Exchange(t.Context(), shown(t))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		display, principal := "Ada Lovelace", "2vxsx-fae"
		want := token.Claims{
			HandoffID: first.HandoffID, UserID: uuid.MustParse("6f1f6b0a-5c35-4f0e-9d0f-1c1a3b5d7e90"),
			Email: testkit.Email(t, "ada@example.org"), EmailVerified: assume, DisplayName: &display, Principal: &principal,
			Roles: []string{"member"}, EntryProduct: "think-tank", Target: testkit.Target,
			AuthTime: time.UnixMilli(issued).UTC(), AMR: []string{},
			IssuedAt: time.UnixMilli(issued).UTC(), ExpiresAt: time.UnixMilli(issued + 60_000).UTC(),
		}
		if diff := cmp.Diff(want, first, claimed); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
		again, err := peer.Exchange(t.Context(), shown(t))
		if err != nil || again.HandoffID != first.HandoffID || first.HandoffID.Version() != 8 {
			t.Errorf("the hand-off was %s and then %s (%v), want one UUIDv8", first.HandoffID, again.HandoffID, err)
		}
	}
}

// The peer's own word stands, whatever is assumed of those who say nothing.
func TestAssumingNeverOverrulesWhatAPeerSays(t *testing.T) {
	t.Parallel()
	peer := foreign(t, says(http.StatusOK, olderAnswer(map[string]any{"email_verified": false})),
		func(c *handoff.PeerConfig) { c.AssumeEmailVerified = true })
	claims, err := peer.Exchange(t.Context(), shown(t))
	if err != nil || claims.EmailVerified {
		t.Errorf("verified %v, %v", claims.EmailVerified, err)
	}
}

func TestWhatAPeerMayLeaveOutAddOrSayInTwoWays(t *testing.T) {
	t.Parallel()
	for name, story := range map[string]struct {
		change map[string]any
		as     func(token.Claims) bool
	}{
		"principal under its older name only": {
			map[string]any{"ic_principal": gone, "principal": "aaaaa-aa"},
			func(c token.Claims) bool { return c.Principal != nil && *c.Principal == "aaaaa-aa" },
		},
		"principal null under both": {
			map[string]any{"ic_principal": nil, "principal": nil}, func(c token.Claims) bool { return c.Principal == nil },
		},
		"no display name": {
			map[string]any{"display_name": nil}, func(c token.Claims) bool { return c.DisplayName == nil },
		},
		"fields of a newer protocol": {
			map[string]any{"risk": map[string]any{"score": 3}, "locale": "en"}, func(token.Claims) bool { return true },
		},
		// Assurance never grows (I10): nobody signed in after the token was made.
		"signed in after the token was made": {
			map[string]any{"auth_time": issued + 5_000},
			func(c token.Claims) bool { return c.AuthTime.Equal(time.UnixMilli(issued)) },
		},
		"signed in before it": {
			map[string]any{"auth_time": issued - 5_000, "amr": []string{"pwd", "otp"}},
			func(c token.Claims) bool {
				return c.AuthTime.Equal(time.UnixMilli(issued-5_000)) && cmp.Equal(c.AMR, []string{"pwd", "otp"})
			},
		},
	} {
		claims, err := foreign(t, says(http.StatusOK, olderAnswer(story.change))).Exchange(t.Context(), shown(t))
		if err != nil || !story.as(claims) {
			t.Errorf("%s: %+v, %v", name, claims, err)
		}
	}
}

// What cannot be true, or cannot be kept, is the peer's fault and never becomes a
// 500 here: Postgres refuses U+0000 and long index entries, cookies end at 4 KB.
func TestAnswersThatCannotBeUsedAreThePeersFault(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]map[string]any{
		"no user_id":               {"user_id": gone},
		"user_id of zeros":         {"user_id": uuid.Nil.String()},
		"user_id is no UUID":       {"user_id": "42"},
		"no email":                 {"email": gone},
		"email is no address":      {"email": "ada"},
		"no target":                {"target_domain": gone},
		"no entry product":         {"entry_product": gone},
		"no issued_at":             {"issued_at": gone},
		"expired before it was":    {"expires_at": issued - 1},
		"times beyond year 9999":   {"issued_at": 1 << 60, "expires_at": 1<<60 + 60_000},
		"auth_time before 1970":    {"auth_time": -1 << 60},
		"return to another site":   {"return_path": "//evil.test/"},
		"return to another scheme": {"return_path": "https://evil.test/"},
		"return with a backslash":  {"return_path": `/\evil.test`},
		"return with a tab":        {"return_path": "/\t/evil.test"},
		"return path of 513 bytes": {"return_path": "/" + strings.Repeat("a", 512)},
		"U+0000 in display_name":   {"display_name": "Ada\x00"},
		"U+0000 in ic_principal":   {"ic_principal": "\x00"},
		"U+0000 in principal":      {"ic_principal": nil, "principal": "aaaaa\x00"},
		"U+0000 in entry_product":  {"entry_product": "think\x00tank"},
		"U+0000 in amr":            {"amr": []string{"pwd", "\x00"}},
		"U+0000 in roles":          {"roles": []string{"\x00"}},
		"U+0000 in the target":     {"target_domain": testkit.Target + "\x00"},
		"principal of 300 bytes":   {"ic_principal": strings.Repeat("a", 300)},
		"entry product of 300":     {"entry_product": strings.Repeat("a", 300)},
		"amr of 17 values":         {"amr": strings.Split(strings.Repeat("pwd ", 17), " ")},
		"amr with a long value":    {"amr": []string{strings.Repeat("a", 65)}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := foreign(t, says(http.StatusOK, olderAnswer(change))).Exchange(t.Context(), shown(t))
			var down *outage.Error
			if !errors.As(err, &down) {
				t.Fatalf("got %v, want an outage of the peer", err)
			}
			wantSilent(t, shown(t), err)
		})
	}
}
