package token_test

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/hello-world-co-op/handoff/internal/token"
)

func TestParked_opensAsItWas(t *testing.T) {
	t.Parallel()
	claims := fullClaims(t)
	full := token.Parked{
		Claims: claims, Shown: newToken(t).Digest(), Key: newToken(t).Digest(), Nonce: newToken(t).Digest(), SessionID: uuid.New(), UserID: uuid.New(),
		Replaces: uuid.New(), Name: text("Ada"), Email: claims.Email, Until: noon.Add(time.Minute),
	}
	bare := token.Parked{Claims: claims, Email: claims.Email, Until: noon}
	for name, parked := range map[string]token.Parked{"every field": full, "only what must be": bare} {
		sealer, secret := sealerOf(t, "k"), newToken(t)
		sealed, err := sealer.SealParked(secret, parked)
		if err != nil {
			t.Fatal(err)
		}
		opened, err := sealer.OpenParked(secret, sealed)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(parked, opened, byText); diff != "" {
			t.Errorf("%s changed (-sealed +opened):\n%s", name, diff)
		}
	}
}

// A token's claims are no answer to a question, though the keys be the same: the attack
// is to move what one half sealed to where the other half reads.
func TestParked_neitherKindOpensAsTheOther(t *testing.T) {
	t.Parallel()
	sealer, tok, claims := sealerOf(t, "k"), newToken(t), fullClaims(t)
	carried, err := sealer.Seal(tok, claims)
	if err != nil {
		t.Fatal(err)
	}
	parked, err := sealer.SealParked(tok, token.Parked{Claims: claims, Email: claims.Email, Until: noon})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := sealer.OpenParked(tok, carried); !errors.Is(err, token.ErrSealBroken) {
		t.Errorf("claims as parked: %v", err)
	}
	if _, err := sealer.Open(tok, parked); !errors.Is(err, token.ErrSealBroken) {
		t.Errorf("parked as claims: %v", err)
	}
	if _, err := sealer.OpenParked(newToken(t), parked); !errors.Is(err, token.ErrSealBroken) {
		t.Errorf("with another browser's secret: %v", err)
	}
}
