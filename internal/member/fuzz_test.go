package member_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"regexp"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/hello-world-co-op/handoff/internal/member"
	"github.com/hello-world-co-op/handoff/internal/privacy"
)

// 32 bytes in base64url have one spelling: 42 characters that may be any, and one whose
// last two bits are zero.
var spelling = regexp.MustCompile(`\A[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]\z`)

// FuzzParseCookie: what is taken is 32 bytes in their one spelling, and comes back as it
// was; everything else is no session, and nothing panics.
func FuzzParseCookie(f *testing.F) {
	good := cookieValue(f)
	for _, seed := range []string{good, good[1:], good + "=", good + "A", good[:42] + "B", "", "%00", good[:20] + "\n" + good[20:], strings.Repeat("=", 43), strings.Repeat("/", 43), "\"" + good + "\""} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		cookie, err := member.ParseCookie(text)
		if !spelling.MatchString(text) {
			if !errors.Is(err, member.ErrNoSession) {
				t.Fatalf("%q is taken: %v", text, err)
			}
			return
		}
		raw, _ := base64.RawURLEncoding.DecodeString(text)
		want := sha256.Sum256(raw)
		if err != nil || cookie.Reveal() != text || !bytes.Equal(cookie.Digest(), want[:]) {
			t.Fatalf("%q: %q, %v", text, cookie.Reveal(), err)
		}
	})
}

func cookieValue(f *testing.F) string {
	f.Helper()
	cookie, err := member.NewCookie(bytes.NewReader(bytes.Repeat([]byte{0xa5}, 32)))
	if err != nil {
		f.Fatal(err)
	}
	return cookie.Reveal()
}

// FuzzCSRF: no value passes that was not made here, whatever header and cookie are, and
// one that was is good for its own session only.
func FuzzCSRF(f *testing.F) {
	session := uuid.MustParse("0190a000-0000-7000-8000-000000000001")
	// The same value in every process that takes part.
	csrf, err := member.NewCSRF([]privacy.Key{keyOf(f, "a"), keyOf(f, "b")}, strings.NewReader(strings.Repeat("nonce", 4)))
	if err != nil {
		f.Fatal(err)
	}
	good, err := csrf.Make(session)
	if err != nil {
		f.Fatal(err)
	}
	last := len(good) - 1
	for _, seed := range [][2]string{
		{good, good}, {good, ""}, {"", good}, {"", ""}, {good[:last], good[:last]}, {good + "A", good + "A"}, {good + "=", good + "="}, {good[:40] + "\n" + good[40:], good[:40] + "\n" + good[40:]},
		{"A" + good[1:], "A" + good[1:]}, {strings.Repeat("A", 86), strings.Repeat("A", 86)}, {"planted", "planted"}, {good, " " + good},
	} {
		f.Add(seed[0], seed[1])
	}
	f.Fuzz(func(t *testing.T, header, cookie string) {
		goodFor, err := csrf.Check(header, cookie)
		if err == nil {
			// Go's decoder skips line breaks: the value may be spelt with them, on both sides.
			plain := strings.NewReplacer("\r", "", "\n", "").Replace(header)
			if header != cookie || plain != good || goodFor != session {
				t.Fatalf("%q and %q pass for %v", header, cookie, goodFor)
			}
			return
		}
		if !errors.Is(err, member.ErrCSRF) || goodFor != uuid.Nil || header == good && cookie == good {
			t.Fatalf("%q and %q: %v, %v", header, cookie, goodFor, err)
		}
		if csrf.IsCurrent(header, session) && strings.NewReplacer("\r", "", "\n", "").Replace(header) != good {
			t.Fatalf("%q is current", header)
		}
	})
}
