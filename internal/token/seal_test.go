package token_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/hello-world-co-op/handoff/internal/privacy"
	"github.com/hello-world-co-op/handoff/internal/token"
)

var byText = cmp.Comparer(func(a, b privacy.Email) bool { return a.Reveal() == b.Reveal() })

func TestSeal_opensAsItWas(t *testing.T) {
	t.Parallel()
	full := fullClaims(t)
	bare := token.Claims{
		HandoffID: uuid.New(), UserID: uuid.New(), Email: full.Email, EntryProduct: "dao", Target: "founderyos.test",
		AuthTime: noon, IssuedAt: noon, ExpiresAt: noon.Add(token.TTL),
	}
	for name, claims := range map[string]token.Claims{"every field": full, "only what must be": bare} {
		sealer, tok := sealerOf(t, "k"), newToken(t)
		sealed, err := sealer.Seal(tok, claims)
		if err != nil {
			t.Fatal(err)
		}
		opened, err := sealer.Open(tok, sealed)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(claims, opened, byText); diff != "" {
			t.Errorf("%s changed (-sealed +opened):\n%s", name, diff)
		}
	}
}

// A null name and an empty one are different answers to whoever consumes them.
func TestSeal_keepsNullAndEmptyApart(t *testing.T) {
	t.Parallel()
	sealer, tok, claims := sealerOf(t, "k"), newToken(t), fullClaims(t)
	claims.DisplayName, claims.ReturnPath = text(""), nil
	sealed, err := sealer.Seal(tok, claims)
	if err != nil {
		t.Fatal(err)
	}
	opened, err := sealer.Open(tok, sealed)
	if err != nil {
		t.Fatal(err)
	}
	if opened.DisplayName == nil || *opened.DisplayName != "" || opened.ReturnPath != nil {
		t.Errorf("display name %v, return path %v", opened.DisplayName, opened.ReturnPath)
	}
}

// The three rollouts of a rotation: the new key is there to open, then seals,
// then the old one goes. At each step what the other replicas sealed opens.
func TestSeal_everyKeyOfTheListOpens(t *testing.T) {
	t.Parallel()
	steps := []*token.Sealer{sealerOf(t, "o"), sealerOf(t, "o", "n"), sealerOf(t, "n", "o"), sealerOf(t, "n")}
	tok, claims := newToken(t), fullClaims(t)
	for i := range steps[1:] {
		for _, pair := range [][2]*token.Sealer{{steps[i], steps[i+1]}, {steps[i+1], steps[i]}} {
			sealed, err := pair[0].Seal(tok, claims)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := pair[1].Open(tok, sealed); err != nil {
				t.Errorf("between step %d and %d: %v", i, i+1, err)
			}
		}
	}
}

// I5, I6 and the paragraph on sealing: Redis' reader learns nothing, Redis'
// writer forges nothing.
func TestSeal_opensForNobodyElse(t *testing.T) {
	t.Parallel()
	sealer, tok, claims := sealerOf(t, "k"), newToken(t), fullClaims(t)
	sealed, err := sealer.Seal(tok, claims)
	if err != nil {
		t.Fatal(err)
	}
	refuse := func(name string, with *token.Sealer, of token.Token, what []byte) {
		t.Helper()
		opened, err := with.Open(of, what)
		if !errors.Is(err, token.ErrSealBroken) {
			t.Errorf("%s: %v", name, err)
		}
		if diff := cmp.Diff(token.Claims{}, opened, byText); diff != "" {
			t.Errorf("%s: claims come with the error: %s", name, diff)
		}
	}
	refuse("another token", sealer, newToken(t), sealed)
	refuse("another server's key", sealerOf(t, "x", "y"), tok, sealed)
	refuse("one byte more", sealer, tok, append(bytes.Clone(sealed), 0))
	for length := range sealed {
		refuse("cut short", sealer, tok, sealed[:length])
	}
	for i := range sealed {
		for bit := range 8 {
			flipped := bytes.Clone(sealed)
			flipped[i] ^= 1 << bit
			refuse("one bit flipped", sealer, tok, flipped)
		}
	}
}

// I5: nothing of the person stands in what Redis holds.
func TestI5_theSealedTextShowsNothing(t *testing.T) {
	t.Parallel()
	tok, claims := newToken(t), fullClaims(t)
	sealed, err := sealerOf(t, "k").Seal(tok, claims)
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range []string{
		"Ada", "ada", "example", "Lovelace", "2vxsx", "steward", "think-tank", "founderyos", "/plans", "pwd",
		tok.Reveal(), claims.UserID.String(), string(claims.UserID[:]), string(claims.HandoffID[:]),
	} {
		if strings.Contains(string(sealed), part) {
			t.Errorf("%q is readable", part)
		}
	}
}

// Each (server key, token) pair has a key of its own; a nonce is drawn besides.
func TestSeal_neverRepeatsItself(t *testing.T) {
	t.Parallel()
	sealer, tok, claims := sealerOf(t, "k"), newToken(t), fullClaims(t)
	first, err := sealer.Seal(tok, claims)
	if err != nil {
		t.Fatal(err)
	}
	second, err := sealer.Seal(tok, claims)
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Equal(first, second) || bytes.Equal(first[:12], second[:12]) {
		t.Error("two texts share a nonce")
	}
}

func TestSeal_failsWithItsRandomSource(t *testing.T) {
	t.Parallel()
	sealer, err := token.NewSealer([]privacy.Key{keyOf(t, "k")}, iotest.ErrReader(errors.New("no entropy")))
	if err != nil {
		t.Fatal(err)
	}
	if sealed, err := sealer.Seal(newToken(t), fullClaims(t)); err == nil || sealed != nil {
		t.Errorf("sealed %d bytes without a nonce, error %v", len(sealed), err)
	}
}

func TestNewSealer_needsAKey(t *testing.T) {
	t.Parallel()
	if _, err := token.NewSealer(nil, nil); err == nil {
		t.Error("a sealer without a key")
	}
}

// Times travel in milliseconds; what is finer is cut, never rounded up past the
// stored expiry.
func TestSeal_cutsTimesToMilliseconds(t *testing.T) {
	t.Parallel()
	sealer, tok, claims := sealerOf(t, "k"), newToken(t), fullClaims(t)
	claims.ExpiresAt = noon.Add(999_999 * time.Nanosecond)
	sealed, err := sealer.Seal(tok, claims)
	if err != nil {
		t.Fatal(err)
	}
	opened, err := sealer.Open(tok, sealed)
	if err != nil {
		t.Fatal(err)
	}
	if !opened.ExpiresAt.Equal(noon) || opened.ExpiresAt.Location() != time.UTC {
		t.Errorf("expires at %v", opened.ExpiresAt)
	}
}
