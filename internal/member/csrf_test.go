package member_test

import (
	"encoding/base64"
	"errors"
	"testing"
	"testing/iotest"

	"github.com/google/uuid"

	"github.com/hello-world-co-op/handoff/internal/member"
	"github.com/hello-world-co-op/handoff/internal/privacy"
)

func valueOf(t *testing.T, c *member.CSRF, session uuid.UUID) string {
	t.Helper()
	value, err := c.Make(session)
	if err != nil {
		t.Fatal(err)
	}
	return value
}

func TestCSRF_namesTheSessionItWasMadeFor(t *testing.T) {
	t.Parallel()
	csrf, session := csrfOf(t, "k"), uuid.New()
	value := valueOf(t, csrf, session)
	for range 2 { // it survives its use: a page sends it with every request
		if got, err := csrf.Check(value, value); err != nil || got != session {
			t.Errorf("good for %v, %v", got, err)
		}
	}
	if valueOf(t, csrf, session) == value {
		t.Error("two values for one session are alike")
	}
	for _, c := range value {
		if c == '=' || c == '+' || c == '/' || c == ';' || c == ',' || c == ' ' || c == '"' {
			t.Errorf("%q needs quoting in a cookie", c)
		}
	}
}

// The attacks: another site knows no value; a sibling subdomain plants a cookie
// of its own; somebody turns their own good value into another session's.
func TestCSRF_refusesWhatThePageDidNotRead(t *testing.T) {
	t.Parallel()
	csrf, victim, attacker := csrfOf(t, "k"), uuid.New(), uuid.New()
	good, own := valueOf(t, csrf, victim), valueOf(t, csrf, attacker)
	raw, err := base64.RawURLEncoding.DecodeString(own)
	if err != nil {
		t.Fatal(err)
	}
	copy(raw, victim[:]) // the victim's id in front of the attacker's nonce and MAC
	grafted := base64.RawURLEncoding.EncodeToString(raw)
	foreign := valueOf(t, csrfOf(t, "x"), victim)

	for name, pair := range map[string][2]string{
		"nothing at all":                     {"", ""},
		"the cookie alone":                   {"", good},
		"the header alone":                   {good, ""},
		"two good values that differ":        {good, valueOf(t, csrf, victim)},
		"a planted cookie, the page's value": {good, own},
		"the page's cookie, a guessed value": {own, good},
		"another session's id grafted on":    {grafted, grafted},
		"under another server's key":         {foreign, foreign},
		"any text, twice":                    {"aaaa", "aaaa"},
		"one character more":                 {good + "A", good + "A"},
		"padded":                             {good + "=", good + "="},
		"standard base64":                    {"+" + good[1:], "+" + good[1:]},
	} {
		if session, err := csrf.Check(pair[0], pair[1]); !errors.Is(err, member.ErrCSRF) || session != uuid.Nil {
			t.Errorf("%s: good for %v, %v", name, session, err)
		}
	}
}

func TestCSRF_refusesEveryChangedByte(t *testing.T) {
	t.Parallel()
	csrf := csrfOf(t, "k")
	good := valueOf(t, csrf, uuid.New())
	for i := range good {
		for _, other := range []byte("ABQw_") {
			changed := []byte(good)
			changed[i] = other
			if _, err := csrf.Check(string(changed), string(changed)); good[i] != other && !errors.Is(err, member.ErrCSRF) {
				t.Errorf("byte %d may be %c instead of %c", i, other, good[i])
			}
		}
	}
	raw, err := base64.RawURLEncoding.DecodeString(good)
	if err != nil {
		t.Fatal(err)
	}
	for length := range raw {
		short := base64.RawURLEncoding.EncodeToString(raw[:length])
		if _, err := csrf.Check(short, short); !errors.Is(err, member.ErrCSRF) {
			t.Errorf("cut to %d bytes it passes", length)
		}
	}
}

// The three rollouts of HANDOFF_SEALING_KEYS: a page that read its value before a
// step can still use it after.
func TestCSRF_aKeyRotationSignsNobodyOut(t *testing.T) {
	t.Parallel()
	steps := []*member.CSRF{csrfOf(t, "o"), csrfOf(t, "o", "n"), csrfOf(t, "n", "o"), csrfOf(t, "n")}
	session := uuid.New()
	for i := range steps[1:] {
		for _, pair := range [][2]*member.CSRF{{steps[i], steps[i+1]}, {steps[i+1], steps[i]}} {
			value := valueOf(t, pair[0], session)
			if got, err := pair[1].Check(value, value); err != nil || got != session {
				t.Errorf("between step %d and %d: %v, %v", i, i+1, got, err)
			}
		}
	}
	old := valueOf(t, steps[0], session)
	if _, err := steps[3].Check(old, old); !errors.Is(err, member.ErrCSRF) {
		t.Error("a key that is gone still makes values")
	}
}

// What the key before made is good, and to be replaced while it is.
func TestCSRF_isCurrentUnderTheFirstKeyOnly(t *testing.T) {
	t.Parallel()
	during, session := csrfOf(t, "n", "o"), uuid.New()
	for name, row := range map[string]struct {
		value   string
		session uuid.UUID
		want    bool
	}{
		"of now":                    {valueOf(t, csrfOf(t, "n"), session), session, true},
		"of the key before":         {valueOf(t, csrfOf(t, "o"), session), session, false},
		"of another session":        {valueOf(t, csrfOf(t, "n"), uuid.New()), session, false},
		"of nobody":                 {"", session, false},
		"of nobody, for no session": {"", uuid.Nil, false},
	} {
		if got := during.IsCurrent(row.value, row.session); got != row.want {
			t.Errorf("a value %s is current: %v", name, got)
		}
	}
}

func TestCSRF_needsAKeyAndRandomness(t *testing.T) {
	t.Parallel()
	if _, err := member.NewCSRF(nil, nil); err == nil {
		t.Error("values without a key")
	}
	csrf, err := member.NewCSRF([]privacy.Key{keyOf(t, "k")}, iotest.ErrReader(errors.New("no entropy")))
	if err != nil {
		t.Fatal(err)
	}
	if value, err := csrf.Make(uuid.New()); err == nil || value != "" {
		t.Errorf("made %q without a nonce, %v", value, err)
	}
}
