package privacy_test

import (
	"encoding"
	"encoding/json"
	"strings"
	"testing"

	"github.com/hello-world-co-op/handoff/internal/privacy"
)

// I6: encoders that know no MarshalJSON ask for a text: those of YAML and XML, and
// encoding/json itself where the value is a map's key.
func TestI6_noEncoderGetsTheText(t *testing.T) {
	t.Parallel()
	const text = "hunter2@example.org"
	email, err := privacy.ParseEmail(text)
	if err != nil {
		t.Fatal(err)
	}
	key, err := privacy.NewKey([]byte(strings.Repeat(text, 2)))
	if err != nil {
		t.Fatal(err)
	}
	for name, value := range map[string]encoding.TextMarshaler{"secret": privacy.NewSecret(text), "email": email, "key": key} {
		if out, err := value.MarshalText(); err != nil || containsText(string(out), text) {
			t.Errorf("%s as text is %s, %v", name, out, err)
		}
	}
	if out, err := json.Marshal(map[privacy.Email]int{email: 1}); err != nil || containsText(string(out), text) {
		t.Errorf("an email as a key is %s, %v", out, err)
	}
}
