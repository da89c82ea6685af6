package token_test

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/hex"
	"testing"
)

// openAs decrypts a sealed text as somebody would who knows how it is made.
func openAs(t *testing.T, subkey, additional, sealed []byte) ([]byte, error) {
	t.Helper()
	block, err := aes.NewCipher(subkey)
	if err != nil {
		t.Fatal(err)
	}
	gcm, err := cipher.NewGCM(block)
	if err != nil {
		t.Fatal(err)
	}
	return gcm.Open(nil, sealed[:gcm.NonceSize()], sealed[gcm.NonceSize():], additional)
}

// A thief of the server key who reads Redis has the digest and the sealed text,
// and not the token: nothing opens. The first two lines also hold the format
// still, on which replicas of two releases must agree for a minute.
func TestSeal_theServerKeyWithoutTheTokenOpensNothing(t *testing.T) {
	t.Parallel()
	key, tok := keyOf(t, "k"), newToken(t)
	digest := tok.Digest()
	raw, err := hex.DecodeString(tok.Reveal())
	if err != nil {
		t.Fatal(err)
	}
	sealed, err := sealerOf(t, "k").Seal(tok, fullClaims(t))
	if err != nil {
		t.Fatal(err)
	}
	expanded := func(purpose string, with []byte) []byte {
		subkey, err := hkdf.Expand(sha256.New, key.Derive(nil, purpose), string(with), 32)
		if err != nil {
			t.Fatal(err)
		}
		return subkey
	}
	if _, err := openAs(t, expanded("handoff claims", raw), digest[:], sealed); err != nil {
		t.Errorf("not AES-256-GCM under HKDF-Expand(HKDF(key, \"handoff claims\"), token) with the digest beside it: %v", err)
	}
	if _, err := openAs(t, expanded("handoff claims", raw), nil, sealed); err == nil {
		t.Error("the digest is not part of what is authenticated")
	}
	for name, subkey := range map[string][]byte{
		"no token": key.Derive(nil, "handoff claims"), "nothing for the token": expanded("handoff claims", nil),
		"the digest for the token": expanded("handoff claims", digest[:]),
		"the key itself":           []byte(key.Reveal()), "another purpose": expanded("parked claims", raw),
	} {
		if _, err := openAs(t, subkey, digest[:], sealed); err == nil {
			t.Errorf("opens with %s", name)
		}
	}
}
