package config_test

import (
	"encoding/base64"
	"encoding/hex"
	"strings"
	"testing"

	"github.com/hello-world-co-op/handoff/internal/privacy"
)

func revealed[T interface{ Reveal() string }](secrets []T) string {
	var all []string
	for _, s := range secrets {
		all = append(all, s.Reveal())
	}
	return strings.Join(all, "|")
}

// I3: without a service token the process starts, has none, and makes none up. I12:
// nothing then equals "the" token, the empty bearer included.
func TestI3_NoServiceTokenIsNoFault(t *testing.T) {
	c := mustLoad(t, production().without("CROSS_DOMAIN_SERVICE_TOKEN"))
	if len(c.ServiceTokens) != 0 {
		t.Fatal("a service token out of nothing")
	}
	for _, w := range c.Warnings() {
		if strings.HasPrefix(w, "CROSS_DOMAIN_SERVICE_TOKEN: ") {
			return
		}
	}
	t.Error("nobody is told that the exchange is off")
}

// The service token rotates as a pair, the one that is sent first.
func TestI3_ServiceTokenRotation(t *testing.T) {
	c := mustLoad(t, production().with(environ{"CROSS_DOMAIN_SERVICE_TOKEN_PREVIOUS": serviceToken2}))
	if got := revealed(c.ServiceTokens); got != serviceToken+"|"+serviceToken2 {
		t.Errorf("tokens are %s", got)
	}
	// The second without the first would keep open a door that was meant shut.
	wantFault(t, production().without("CROSS_DOMAIN_SERVICE_TOKEN").with(environ{
		"CROSS_DOMAIN_SERVICE_TOKEN_PREVIOUS": serviceToken2,
	}), "CROSS_DOMAIN_SERVICE_TOKEN_PREVIOUS", "counts as none")
}

// Three rollouts of JWT_SECRET_KEY: the new one verifies, then signs, then the old
// one goes. The text itself is the key: it is never decoded, even where it could be.
func TestI12_JWTKeyRotation(t *testing.T) {
	for _, step := range []struct{ key, previous, want string }{
		{jwtKey, jwtKey2, jwtKey + "|" + jwtKey2},
		{jwtKey2, " " + jwtKey + " ,, " + jwtKey3, jwtKey2 + "|" + jwtKey + "|" + jwtKey3},
		{jwtKey2, "", jwtKey2},
		{serviceToken2, "", serviceToken2},
		{" " + jwtKey + "=\t", "", " " + jwtKey + "=\t"},
	} {
		c := mustLoad(t, development().with(environ{"JWT_SECRET_KEY": step.key, "JWT_SECRET_KEY_PREVIOUS": step.previous}))
		if got := revealed(append([]privacy.Secret{c.FOS.JWT.Key}, c.FOS.JWT.Previous...)); got != step.want {
			t.Errorf("%+v gives %s", step, got)
		}
	}
}

// Sealing and pseudonym keys are lists of decoded keys in their order, in whatever
// encoding a secret store hands them out: hexadecimal first, then base64 in both
// alphabets, padded or not.
func TestKeyListsAreDecodedInOrder(t *testing.T) {
	raw, err := hex.DecodeString("fbefbe" + sealingKey)
	if err != nil {
		t.Fatal(err)
	}
	for name, encoded := range map[string]string{
		"hex": hex.EncodeToString(raw), "HEX": strings.ToUpper(hex.EncodeToString(raw)),
		"std": base64.StdEncoding.EncodeToString(raw), "raw std": base64.RawStdEncoding.EncodeToString(raw),
		"url": base64.URLEncoding.EncodeToString(raw), "raw url": base64.RawURLEncoding.EncodeToString(raw),
	} {
		c := mustLoad(t, development().with(environ{"HANDOFF_SEALING_KEYS": encoded + " , " + sealingKey}))
		second, err := hex.DecodeString(sealingKey)
		if err != nil {
			t.Fatal(err)
		}
		if got := revealed(c.DAO.SealingKeys); got != string(raw)+"|"+string(second) {
			t.Errorf("%s: %x", name, got)
		}
	}
	// 64 hexadecimal digits are base64 as well, of 48 bytes; hexadecimal wins.
	c := mustLoad(t, development().with(environ{"AUDIT_PSEUDONYM_KEYS": serviceToken2}))
	if n := len(c.PseudonymKeys[0].Reveal()); n != 32 {
		t.Errorf("a hexadecimal key has %d bytes", n)
	}
}
