package handoff_test

import (
	"errors"
	"io"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/hello-world-co-op/handoff/internal/handoff"
	"github.com/hello-world-co-op/handoff/internal/outage"
	"github.com/hello-world-co-op/handoff/internal/token"
)

var wordOfOurs = regexp.MustCompile(`\A[A-Za-z0-9][A-Za-z0-9._-]{0,63}\z`)

// FuzzPeerAnswer: whatever the other half answers, it is claims that can be true and can
// be kept, a refusal of the protocol's, or the peer's own outage; nothing panics, and no
// error says a word of the answer (I6).
func FuzzPeerAnswer(f *testing.F) {
	for status, bodies := range map[int][]string{
		200: {
			goodAnswer, "", "null", "{}", "[]", goodAnswer + "{}", "\ufeff" + goodAnswer, goodAnswer[:100], strings.Replace(goodAnswer, "ada@example.org", "a\x00@b", 1),
			strings.Replace(goodAnswer, `"roles":[]`, `"roles":["\u0000"]`, 1), strings.Replace(goodAnswer, `"roles":[]`, `"roles":null`, 1), strings.Replace(goodAnswer, "1795262400000", "1e999", 1),
			strings.Replace(goodAnswer, "1795262400000", "-1", 1), strings.Replace(goodAnswer, "1795262460000", "9223372036854775807", 1), strings.Replace(goodAnswer, `"ic_principal":null`, `"ic_principal":"`+strings.Repeat("p", 256)+`"`, 1),
			strings.Replace(goodAnswer, `"roles":[]`, `"roles":[],"return_path":"//evil.test","amr":["pwd"],"auth_time":1795262460000`, 1), strings.Replace(goodAnswer, `"roles"`, `"email":"eve@example.org","roles"`, 1),
			strings.Replace(goodAnswer, `"roles":[]`, `"roles":[],"handoff_id":"0190a000-0000-7000-8000-000000000001","future":{"a":[1,2]}`, 1), strings.Replace(goodAnswer, "6f1f6b0a", "00000000", 1), strings.Repeat("[", 9000),
		},
		400: {`{"code":"token_used","handoff_id":"0190a000-0000-7000-8000-000000000001"}`, `{"code":"token_expired"}`, `{"code":"token_unknown","handoff_id":7}`, `{"code":"TOKEN_USED"}`, `{"code":["token_used"]}`, "{", `{"code":"token_used","code":"token_expired"}`},
		401: {`{"code":"invalid_service_token"}`}, 503: {`{"code":"dependency_unavailable"}`, `{"code":"exchange_disabled"}`}, 302: {goodAnswer}, 204: {""}, 99: {goodAnswer}, 1000: {goodAnswer},
	} {
		for _, body := range bodies {
			f.Add(status, "application/json", body)
			f.Add(status, "application/problem+json", body)
		}
		f.Add(status, "text/html", goodAnswer)
		f.Add(status, "application/json; charset=utf-16", goodAnswer)
	}
	answers := make(chan func(w http.ResponseWriter), 2)
	peer := foreign(f, func(w http.ResponseWriter, _ *http.Request) { (<-answers)(w) })
	f.Fuzz(func(t *testing.T, status int, media, body string) {
		say := func(w http.ResponseWriter) {
			w.Header()["Content-Type"] = []string{media}
			w.WriteHeader(200 + ((status-200)%800+800)%800) // below 200 it is no answer yet
			_, _ = io.WriteString(w, body)
		}
		answers <- say
		p := shown(t)
		p.IdempotencyKey = "" // nothing is sent twice
		got, err := peer.Exchange(t.Context(), p)
		for len(answers) > 0 {
			<-answers
		}
		if err != nil {
			wantKnown(t, err, body)
			return
		}
		wantPossible(t, got)
	})
}

// wantKnown demands an error of the exchanger's, without a word of the answer.
func wantKnown(t *testing.T, err error, body string) {
	t.Helper()
	var down *outage.Error
	var refused *token.Refused
	if !errors.As(err, &down) && !errors.As(err, &refused) && !errors.Is(err, handoff.ErrDisabled) {
		t.Fatalf("%T %v", err, err)
	}
	for _, word := range []string{"ada@", "eve@", "evil.test", strings.Repeat("a5", 32)} {
		if strings.Contains(err.Error(), word) && strings.Contains(body+strings.Repeat("a5", 32), word) {
			t.Fatalf("I6: %v", err)
		}
	}
}

// wantPossible demands claims that can be true, and that Postgres and a cookie take.
func wantPossible(t *testing.T, c token.Claims) {
	t.Helper()
	texts := append([]string{c.EntryProduct, c.Target, c.Email.Reveal()}, append(slices.Clone(c.Roles), c.AMR...)...)
	for _, text := range []*string{c.DisplayName, c.Principal, c.ReturnPath} {
		if text != nil {
			texts = append(texts, *text)
		}
	}
	for what, broken := range map[string]bool{
		"nobody":                 c.UserID == uuid.Nil || c.HandoffID == uuid.Nil,
		"no target":              c.Target == "",
		"no product":             !wordOfOurs.MatchString(c.EntryProduct),
		"no address":             !strings.Contains(c.Email.Reveal(), "@"),
		"times":                  !c.IssuedAt.Before(c.ExpiresAt) || c.AuthTime.After(c.IssuedAt) || c.ExpiresAt.Year() > 9999 || c.IssuedAt.Year() < 1970,
		"a path that leaves":     c.ReturnPath != nil && !handoff.ValidReturnPath(*c.ReturnPath),
		"a principal too long":   c.Principal != nil && len(*c.Principal) > 255,
		"too many methods":       len(c.AMR) > 16,
		"a challenge":            c.Challenge != "",
		"U+0000, or not Unicode": slices.ContainsFunc(texts, func(text string) bool { return strings.ContainsRune(text, 0) || strings.ToValidUTF8(text, "") != text }),
	} {
		if broken {
			t.Fatalf("%s: %+v", what, c)
		}
	}
}
