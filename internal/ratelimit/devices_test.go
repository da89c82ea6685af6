package ratelimit_test

import (
	"crypto/rand"
	"encoding/base64"
	"errors"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/hello-world-co-op/handoff/internal/privacy"
	"github.com/hello-world-co-op/handoff/internal/ratelimit"
)

const (
	ada = "ada@example.org"
	eve = "eve@example.org"
)

func TestDevices_knowABrowserForNinetyDays(t *testing.T) {
	t.Parallel()
	devices := devicesOf(t, "k")
	value := deviceFor(t, devices, ada, noon)
	first, ok := devices.Check(value, ada, noon)
	if !ok || len(first) != 32 {
		t.Fatalf("id %q, %v", first, ok)
	}
	for name, at := range map[string]time.Time{
		"just before the end": noon.Add(90*24*time.Hour - time.Second),
		// Made on a replica whose clock is a little ahead.
		"a little before its making": noon.Add(-time.Minute),
	} {
		if id, ok := devices.Check(value, ada, at); !ok || id != first {
			t.Errorf("%s: %q, %v", name, id, ok)
		}
	}
	// Accounts compare with ASCII letters folded, and so do their devices.
	if id, ok := devices.Check(value, "ADA@Example.ORG", noon); !ok || id != first {
		t.Error("another spelling of the account is another account")
	}
	if other, _ := devices.Check(deviceFor(t, devices, ada, noon), ada, noon); other == first {
		t.Error("two browsers have one id")
	}
	if ratelimit.DeviceTTL != 90*24*time.Hour {
		t.Error("the cookie that carries it has another life")
	}
	if strings.ContainsAny(value, `=+/;, "`) {
		t.Errorf("%q needs quoting in a cookie", value)
	}
	// Not "ada": one value in a few thousand spells that by chance.
	if raw, err := base64.RawURLEncoding.DecodeString(value); err != nil || strings.Contains(string(raw), "ada@") {
		t.Error("the value names its account")
	}
}

// The attacks: a value of the attacker's own for somebody else's account; one that
// is too old, from the future, forged, cut, lengthened or spelt otherwise.
func TestI12_devicesRefuseWhatWasNotMadeHereForThisAccount(t *testing.T) {
	t.Parallel()
	devices := devicesOf(t, "k", "p")
	good := deviceFor(t, devices, ada, noon)
	raw, err := base64.RawURLEncoding.DecodeString(good)
	if err != nil {
		t.Fatal(err)
	}
	for name, value := range map[string]string{
		"nothing":                "",
		"no base64":              "!" + good[1:],
		"of another account":     deviceFor(t, devices, eve, noon),
		"under another key":      deviceFor(t, devicesOf(t, "x"), ada, noon),
		"for a longer account":   deviceFor(t, devices, ada+"x", noon),
		"for the empty account":  deviceFor(t, devices, "", noon),
		"ninety days old":        deviceFor(t, devices, ada, noon.Add(-90*24*time.Hour)),
		"from the future":        deviceFor(t, devices, ada, noon.Add(time.Minute+time.Second)),
		"cut":                    good[:len(good)-1],
		"lengthened":             good + "A",
		"padded":                 good + "=",
		"with a line break":      good[:20] + "\n" + good[20:],
		"with one in its place":  good[:20] + "\n" + good[21:],
		"in the other alphabet":  base64.RawStdEncoding.EncodeToString(append([]byte{1, 0xfb, 0xff}, raw[3:]...)),
		"of line breaks":         strings.Repeat("\n", len(good)),
		"twice":                  good + good,
		"of the right size only": base64.RawURLEncoding.EncodeToString(make([]byte, len(raw))),
	} {
		if id, ok := devices.Check(value, ada, noon); ok || id != "" {
			t.Errorf("a value %s is good for %q", name, id)
		}
	}
	for i := range raw { // each byte is signed: version, id, time and the MAC itself
		raw[i] ^= 1
		if _, ok := devices.Check(base64.RawURLEncoding.EncodeToString(raw), ada, noon); ok {
			t.Errorf("byte %d can be changed", i)
		}
		raw[i] ^= 1
	}
	if _, ok := devices.Check(base64.RawURLEncoding.EncodeToString(raw), ada, noon); !ok {
		t.Error("the value itself is refused")
	}
}

// A key is changed in three rollouts, and no browser becomes unknown.
func TestDevices_surviveARotation(t *testing.T) {
	t.Parallel()
	before, during, after := devicesOf(t, "o", "n"), devicesOf(t, "n", "o"), devicesOf(t, "n")
	old := deviceFor(t, before, ada, noon)
	for name, replica := range map[string]*ratelimit.Devices{"before": before, "during": during} {
		if _, ok := replica.Check(old, ada, noon); !ok {
			t.Errorf("%s: the old key's value is refused", name)
		}
		if _, ok := replica.Check(deviceFor(t, during, ada, noon), ada, noon); !ok {
			t.Errorf("%s: the new key's value is refused", name)
		}
	}
	if _, ok := after.Check(old, ada, noon); ok {
		t.Error("a key that is gone still verifies")
	}
	if _, ok := after.Check(deviceFor(t, during, ada, noon), ada, noon); !ok {
		t.Error("the first key does not make the values")
	}
}

func TestDevices_needKeysAndRandomness(t *testing.T) {
	t.Parallel()
	for name, keys := range map[string][]privacy.Key{"none": nil, "a short one": {keyOf("k"), shortKeyOf("k", 31)}} {
		if devices, err := ratelimit.NewDevices(keys, rand.Reader); err == nil || devices != nil {
			t.Errorf("%s: accepted", name)
		}
	}
	dry := errors.New("dry")
	devices, err := ratelimit.NewDevices([]privacy.Key{keyOf("k")}, iotest.ErrReader(dry))
	if err != nil {
		t.Fatal(err)
	}
	if value, err := devices.Make(ada, noon); !errors.Is(err, dry) || value != "" {
		t.Errorf("%q, %v", value, err)
	}
}
