package member_test

import (
	"bytes"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/hello-world-co-op/handoff/internal/member"
	"github.com/hello-world-co-op/handoff/internal/privacy"
)

func rotationOf(t testing.TB, letters ...string) *member.Rotation {
	t.Helper()
	keys := make([]privacy.Key, 0, len(letters))
	for _, letter := range letters {
		keys = append(keys, keyOf(t, letter))
	}
	rotation, err := member.NewRotation(keys, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return rotation
}

func nextOf(t testing.TB, r *member.Rotation, old member.Cookie) (next member.Cookie, nonce []byte) {
	t.Helper()
	next, nonce, err := r.Next(old)
	if err != nil {
		t.Fatal(err)
	}
	return next, nonce
}

// A tab that comes later is given what the first was given, by any replica that has
// the key.
func TestRotation_findsTheSameSuccessorAgain(t *testing.T) {
	t.Parallel()
	old := newCookie(t)
	next, nonce := nextOf(t, rotationOf(t, "k"), old)
	for range 2 {
		again, err := rotationOf(t, "k").Again(old, nonce, next.Digest())
		if err != nil || again.Reveal() != next.Reveal() || !bytes.Equal(again.Digest(), next.Digest()) {
			t.Errorf("another successor, %v", err)
		}
	}
}

// A tab that has the new cookie already is given that, also when the key that made
// it is gone: then nothing has to be made again.
func TestRotation_keepsWhoHasTheNewCookieAlready(t *testing.T) {
	t.Parallel()
	next, nonce := nextOf(t, rotationOf(t, "k"), newCookie(t))
	for _, key := range []string{"k", "x"} {
		if again, err := rotationOf(t, key).Again(next, nonce, next.Digest()); err != nil || again.Reveal() != next.Reveal() {
			t.Errorf("key %s: another cookie, %v", key, err)
		}
	}
}

// A successor is a cookie like any other: a browser sends it back, and the row has
// its digest.
func TestRotation_aSuccessorIsACookie(t *testing.T) {
	t.Parallel()
	rotation, old := rotationOf(t, "k"), newCookie(t)
	seen := map[string]bool{old.Reveal(): true}
	for range 5 {
		next, nonce := nextOf(t, rotation, old)
		parsed, err := member.ParseCookie(next.Reveal())
		if err != nil || !bytes.Equal(parsed.Digest(), next.Digest()) || parsed.Reveal() != next.Reveal() {
			t.Fatalf("it does not come back as what it was: %v", err)
		}
		if seen[next.Reveal()] {
			t.Fatal("two cookies of one session are alike")
		}
		if len(nonce) != 16 || bytes.Contains(next.Digest(), nonce) {
			t.Errorf("nonce %x", nonce)
		}
		seen[next.Reveal()] = true
		old = parsed
	}
}

// The attack: somebody who has the cookie before, or who reads the row, or both,
// computes the cookie of now. Cookie, nonce and key each count in full.
func TestI12_aSuccessorNeedsCookieNonceAndKey(t *testing.T) {
	t.Parallel()
	rotation, old := rotationOf(t, "k"), newCookie(t)
	next, nonce := nextOf(t, rotation, old)
	if other, again := nextOf(t, rotation, old); other.Reveal() == next.Reveal() || bytes.Equal(again, nonce) {
		t.Error("rotated twice, a cookie has the same successor")
	}
	raw, err := base64.RawURLEncoding.DecodeString(old.Reveal())
	if err != nil {
		t.Fatal(err)
	}
	for i := range raw {
		raw[i] ^= 1
		changed, err := member.ParseCookie(base64.RawURLEncoding.EncodeToString(raw))
		if err != nil {
			t.Fatal(err)
		}
		wantNoSuccessor(t, "another cookie")(rotation.Again(changed, nonce, next.Digest()))
		raw[i] ^= 1
	}
	for i := range nonce {
		nonce[i] ^= 1
		wantNoSuccessor(t, "another nonce")(rotation.Again(old, nonce, next.Digest()))
		nonce[i] ^= 1
	}
	wantNoSuccessor(t, "no nonce")(rotation.Again(old, nil, next.Digest()))
	wantNoSuccessor(t, "another key")(rotationOf(t, "x").Again(old, nonce, next.Digest()))
	wantNoSuccessor(t, "another digest")(rotation.Again(old, nonce, newCookie(t).Digest()))
	wantNoSuccessor(t, "an empty digest")(rotation.Again(old, nonce, nil))
}

func wantNoSuccessor(t *testing.T, name string) func(member.Cookie, error) {
	return func(again member.Cookie, err error) {
		t.Helper()
		if !errors.Is(err, member.ErrNoSession) || again.Reveal() != "" {
			t.Errorf("with %s it leads to a cookie: %v", name, err)
		}
	}
}

// The three rollouts of HANDOFF_SEALING_KEYS, two replicas at every moment: what
// one made, the other finds. Only a key that is gone is gone.
func TestRotation_survivesAKeyRotation(t *testing.T) {
	t.Parallel()
	steps := []*member.Rotation{rotationOf(t, "o"), rotationOf(t, "o", "n"), rotationOf(t, "n", "o"), rotationOf(t, "n")}
	old := newCookie(t)
	for i := range steps[1:] {
		for _, pair := range [][2]*member.Rotation{{steps[i], steps[i+1]}, {steps[i+1], steps[i]}} {
			next, nonce := nextOf(t, pair[0], old)
			if again, err := pair[1].Again(old, nonce, next.Digest()); err != nil || again.Reveal() != next.Reveal() {
				t.Errorf("between step %d and %d: %v", i, i+1, err)
			}
		}
	}
	next, nonce := nextOf(t, steps[0], old)
	wantNoSuccessor(t, "a dropped key")(steps[3].Again(old, nonce, next.Digest()))
	next, nonce = nextOf(t, steps[2], old)
	wantNoSuccessor(t, "the second key")(steps[0].Again(old, nonce, next.Digest())) // the first of the list makes
}

// Replicas of two versions run beside each other during an upgrade, and must find
// each other's successors: the rule is the documented one, under a subkey that
// serves nothing else.
func TestRotation_isTheDocumentedRule(t *testing.T) {
	t.Parallel()
	subkey, err := hkdf.Key(sha256.New, []byte(strings.Repeat("k", 32)), nil, "dao_session rotation", 32)
	if err != nil {
		t.Fatal(err)
	}
	cookie, nonce := bytes.Repeat([]byte{0xcd}, 32), []byte("sixteen bytes...")
	mac := hmac.New(sha256.New, subkey)
	_, _ = mac.Write(append(slices.Clone(cookie), nonce...))
	want := base64.RawURLEncoding.EncodeToString(mac.Sum(nil))

	rotation, err := member.NewRotation([]privacy.Key{keyOf(t, "k")}, bytes.NewReader(nonce))
	if err != nil {
		t.Fatal(err)
	}
	old, err := member.ParseCookie(base64.RawURLEncoding.EncodeToString(cookie))
	if err != nil {
		t.Fatal(err)
	}
	if next, made := nextOf(t, rotation, old); next.Reveal() != want || !bytes.Equal(made, nonce) {
		t.Errorf("%s with the nonce %q, want %s", next.Reveal(), made, want)
	}
}

func TestRotation_needsAKeyAndRandomness(t *testing.T) {
	t.Parallel()
	if _, err := member.NewRotation(nil, rand.Reader); err == nil {
		t.Error("successors without a key")
	}
	dry := errors.New("dry")
	broken, err := member.NewRotation([]privacy.Key{keyOf(t, "k")}, iotest.ErrReader(dry))
	if err != nil {
		t.Fatal(err)
	}
	short, err := member.NewRotation([]privacy.Key{keyOf(t, "k")}, bytes.NewReader(make([]byte, 15)))
	if err != nil {
		t.Fatal(err)
	}
	for name, r := range map[string]*member.Rotation{"no randomness": broken, "too little": short} {
		if next, nonce, err := r.Next(newCookie(t)); err == nil || next.Reveal() != "" || nonce != nil {
			t.Errorf("%s: a successor with the nonce %x, %v", name, nonce, err)
		}
	}
}

// I5: whoever prints one of these prints no key.
func TestI5_whatHoldsKeysCannotPrintThem(t *testing.T) {
	t.Parallel()
	key, err := privacy.NewKey([]byte(strings.Repeat("k", 32)))
	if err != nil {
		t.Fatal(err)
	}
	rotation, err := member.NewRotation([]privacy.Key{key}, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	csrf, err := member.NewCSRF([]privacy.Key{key}, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	for _, holder := range []any{rotation, csrf} {
		text := fmt.Sprintf("%v %+v %#v", holder, holder, holder)
		for _, purpose := range []string{"csrf", "dao_session rotation"} {
			sub := key.Derive(nil, purpose)
			decimals := strings.Trim(fmt.Sprintf("%d", sub), "[]")
			if strings.Contains(text, decimals) || strings.Contains(text, string(sub)) {
				t.Errorf("%T prints its key: %s", holder, text)
			}
		}
	}
}
