package privacy_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/hello-world-co-op/handoff/internal/privacy"
)

// FuzzParseEmail: what is taken has the shape of an address, comes back as it was
// written, does not print (I6), and is compared with only A to Z folded: folding more
// would make one person's address another's.
func FuzzParseEmail(f *testing.F) {
	for _, seed := range []string{
		"ada@example.org", "Ada@Example.ORG", "\u212Aate@example.org", "ſ@example.org", "a@b", "@", "a@", "@b", "a@b@c", "a b@c", "a\x00@b", "a@b\n", "\x7f@b", "\xff@b", "é@b",
		"", strings.Repeat("a", 252) + "@b", strings.Repeat("a", 253) + "@b", `"a b"@c`, "a@[127.0.0.1]", "İ@b",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		email, err := privacy.ParseEmail(text)
		if err != nil {
			if !errors.Is(err, privacy.ErrEmail) || email.Reveal() != "" || len(text) > 3 && strings.Contains(err.Error(), text) {
				t.Fatalf("%q: %v, %q", text, err, email.Reveal())
			}
			return
		}
		at := strings.IndexByte(text, '@')
		if at < 1 || at == len(text)-1 || strings.Count(text, "@") != 1 || len(text) > 254 || strings.ContainsAny(text, " \t\r\n\x00\x7f") {
			t.Fatalf("%q is taken", text)
		}
		if email.Reveal() != text {
			t.Fatalf("%q is %q", text, email.Reveal())
		}
		if printed := fmt.Sprintf("%v %+v %#v %s", email, email, email, email); strings.Contains(printed, text) && len(text) > 8 {
			t.Fatalf("%q prints", text)
		}
		canonical := email.Canonical()
		if len(canonical) != len(text) {
			t.Fatalf("%q is compared as %q", text, canonical)
		}
		for i := range len(text) {
			upper := 'A' <= text[i] && text[i] <= 'Z'
			if upper && canonical[i] != text[i]|0x20 || !upper && canonical[i] != text[i] {
				t.Fatalf("%q is compared as %q", text, canonical)
			}
		}
		again, err := privacy.ParseEmail(canonical)
		if err != nil || again.Canonical() != canonical {
			t.Fatalf("%q: %v", canonical, err)
		}
	})
}
