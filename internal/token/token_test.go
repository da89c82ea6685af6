package token_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/hello-world-co-op/handoff/internal/token"
)

var good = strings.Repeat("0123456789abcdef", 4)

func TestParse_takesOneSpellingOnly(t *testing.T) {
	t.Parallel()
	tok, err := token.Parse(good)
	if err != nil {
		t.Fatal(err)
	}
	if tok.Reveal() != good {
		t.Errorf("parsed into %q", tok.Reveal())
	}
	refused := map[string]string{
		"empty":                 "",
		"63 characters":         good[1:],
		"65 characters":         good + "0",
		"upper case":            strings.ToUpper(good),
		"one upper-case letter": good[:63] + "F",
		"not hexadecimal":       good[:63] + "g",
		"0x in front":           "0x" + good[2:],
		"leading space":         " " + good[1:],
		"trailing newline":      good[:63] + "\n",
		"NUL":                   good[:63] + "\x00",
		"a sign":                "+" + good[1:],
		"underscores":           good[:31] + "__" + good[33:],
		"full-width digits":     strings.Repeat("\uff10", 21) + "0", // 64 bytes, and digits to unicode.IsDigit
		"base64 of 48 bytes":    strings.Repeat("QUJD", 16),
		"two tokens":            good + good,
		"a megabyte":            strings.Repeat("a", 1<<20),
	}
	for name, text := range refused {
		if tok, err := token.Parse(text); !errors.Is(err, token.ErrMalformed) {
			t.Errorf("%s: error %v", name, err)
		} else if tok != (token.Token{}) {
			t.Errorf("%s: a token comes with the error", name)
		}
	}
}

// The digest is over the 32 bytes, not over their spelling: the protocol's
// section 1, and what an operator recomputes.
func TestDigest_isTheSHA256OfThe32Bytes(t *testing.T) {
	t.Parallel()
	raw, err := hex.DecodeString(good)
	if err != nil {
		t.Fatal(err)
	}
	tok, err := token.Parse(good)
	if err != nil {
		t.Fatal(err)
	}
	if want := sha256.Sum256(raw); tok.Digest() != want {
		t.Errorf("digest %s, want %x", tok.Digest(), want)
	}
}

func TestNew_readsThirtyTwoFreshBytes(t *testing.T) {
	t.Parallel()
	random := bytes.NewReader(bytes.Repeat([]byte{0xab}, 40))
	tok, err := token.New(random)
	if err != nil {
		t.Fatal(err)
	}
	if want := strings.Repeat("ab", 32); tok.Reveal() != want {
		t.Errorf("%s, want %s", tok.Reveal(), want)
	}
	if random.Len() != 8 {
		t.Errorf("%d bytes are left of 40", random.Len())
	}
	if again, err := token.Parse(tok.Reveal()); err != nil || again.Digest() != tok.Digest() {
		t.Errorf("its own text parses into another token: %v", err)
	}
}

// A random source that gives out must not yield a token with guessable bytes.
func TestNew_failsWithItsRandomSource(t *testing.T) {
	t.Parallel()
	broken := errors.New("no entropy")
	for name, source := range map[string]io.Reader{
		"broken": iotest.ErrReader(broken), "short": bytes.NewReader(make([]byte, 31)),
	} {
		if tok, err := token.New(source); err == nil || tok != (token.Token{}) {
			t.Errorf("%s source: token %v, error %v", name, tok, err)
		}
	}
}

// I6: whatever a careless line does with a token, only its digest comes out.
func TestI6_aTokenPrintsAsItsDigest(t *testing.T) {
	t.Parallel()
	tok := newToken(t)
	type carrier struct {
		Token   token.Token
		private token.Token
	}
	var logged bytes.Buffer
	for _, handler := range []slog.Handler{slog.NewJSONHandler(&logged, nil), slog.NewTextHandler(&logged, nil)} {
		slog.New(handler).Info("x", "token", tok, "inside", carrier{tok, tok}, "list", []token.Token{tok})
	}
	out := []string{logged.String()}
	for _, value := range []any{tok, &tok, carrier{tok, tok}, []token.Token{tok}, fmt.Errorf("bad %v", tok)} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%d", "%x", "%X"} {
			out = append(out, fmt.Sprintf(verb, value))
		}
		if encoded, err := json.Marshal(value); err == nil {
			out = append(out, string(encoded))
		}
	}
	inHex := hex.EncodeToString([]byte(tok.Reveal())) // what %x makes of the text
	for _, line := range out {
		if lower := strings.ToLower(line); strings.Contains(lower, tok.Reveal()) || strings.Contains(lower, inHex) {
			t.Errorf("the token comes out in %q", line)
		}
	}
	if want := "token:" + tok.Digest().String(); tok.String() != want {
		t.Errorf("prints as %q, want %q", tok.String(), want)
	}
}
