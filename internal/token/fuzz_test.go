package token_test

import (
	"bytes"
	"errors"
	"regexp"
	"strings"
	"testing"

	"github.com/hello-world-co-op/handoff/internal/token"
)

var spelling = regexp.MustCompile(`\A[0-9a-f]{64}\z`)

// FuzzParse: what is taken is 64 lowercase hexadecimal characters and comes back
// as it was; everything else is malformed, and nothing panics.
func FuzzParse(f *testing.F) {
	f.Add(good)
	f.Add(strings.ToUpper(good))
	f.Add(good[:63] + "\n")
	f.Add("")
	f.Fuzz(func(t *testing.T, input string) {
		tok, err := token.Parse(input)
		switch {
		case spelling.MatchString(input):
			if err != nil || tok.Reveal() != input {
				t.Errorf("%q: %q, %v", input, tok.Reveal(), err)
			}
		case !errors.Is(err, token.ErrMalformed):
			t.Errorf("%q is taken: %v", input, err)
		}
	})
}

// FuzzOpen: nothing but what was sealed for this token opens (I1: who writes
// Redis forges no identity).
func FuzzOpen(f *testing.F) {
	sealer, tok := sealerOf(f, "k"), newToken(f)
	sealed, err := sealer.Seal(tok, fullClaims(f))
	if err != nil {
		f.Fatal(err)
	}
	f.Add([]byte{})
	f.Add(sealed[:12])
	f.Add(sealed[1:])
	f.Add(append(append([]byte{}, sealed...), 0))
	f.Fuzz(func(t *testing.T, forged []byte) {
		if bytes.Equal(forged, sealed) {
			return
		}
		if claims, err := sealer.Open(tok, forged); !errors.Is(err, token.ErrSealBroken) {
			t.Errorf("%x opens: %+v, %v", forged, claims, err)
		}
	})
}
