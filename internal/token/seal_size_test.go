package token_test

import (
	"testing"

	"github.com/google/uuid"

	"github.com/hello-world-co-op/handoff/internal/privacy"
	"github.com/hello-world-co-op/handoff/internal/token"
)

// A live token costs Redis 600 bytes at most. The claims of a member with a
// principal, a name and an address of 25 characters fit into the size of memory below which
// they do: 384 bytes, of which Redis takes six.
func TestSeal_aLiveTokenIsSmall(t *testing.T) {
	t.Parallel()
	email, err := privacy.ParseEmail("ada.lovelace1@example.org")
	if err != nil {
		t.Fatal(err)
	}
	sealed, err := sealerOf(t, "k").Seal(newToken(t), token.Claims{
		HandoffID: uuid.Must(uuid.NewV7()), UserID: uuid.Must(uuid.NewV7()), Email: email, EmailVerified: true, DisplayName: text("Ada Lovelace the 123456th"),
		Principal: text("k2t6j-2nvnp-4zjm3-25dtz-6xhaa-c7boj-5gayf-oj3xs-i43lp-teztq-6ae"), Roles: []string{"member"},
		EntryProduct: "think-tank", Target: "founderyos.example", AuthTime: noon, AMR: []string{"pwd"}, IssuedAt: noon, ExpiresAt: noon.Add(token.TTL),
	})
	if err != nil || len(sealed) > 378 {
		t.Errorf("%d bytes, %v", len(sealed), err)
	}
}

func TestSeal_readsIdsInOneForm(t *testing.T) {
	t.Parallel()
	id := uuid.Must(uuid.NewV7())
	for text, want := range map[string]bool{
		id.String(): false, token.ShortID(id): true, token.ShortID(id)[:21]: false, token.ShortID(id)[:21] + "*": false, "": false, id.String()[:35]: false,
	} {
		got, err := token.ReadShortID(text)
		if (err == nil) != want || want && got != id {
			t.Errorf("%q: %v, %v", text, got, err)
		}
	}
}
