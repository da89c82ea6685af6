package ratelimit_test

import (
	"encoding/base64"
	"strings"
	"testing"
	"time"

	"github.com/hello-world-co-op/handoff/internal/privacy"
	"github.com/hello-world-co-op/handoff/internal/ratelimit"
)

// FuzzDevice: no browser is known by a value that was not made here for that account,
// in that spelling and in the last 90 days.
func FuzzDevice(f *testing.F) {
	// The same value in every process that takes part.
	devices, err := ratelimit.NewDevices([]privacy.Key{keyOf("k")}, strings.NewReader(strings.Repeat("device", 4)))
	if err != nil {
		f.Fatal(err)
	}
	good := deviceFor(f, devices, ada, noon)
	raw, err := base64.RawURLEncoding.DecodeString(good)
	if err != nil {
		f.Fatal(err)
	}
	future := append([]byte{}, raw...)
	future[17] = 0xff // the issue time's highest byte
	for _, value := range []string{
		good, good[1:], good + "=", good + "A", good[:9] + "\n" + good[9:], "", "%00", strings.Repeat("A", len(good)), base64.RawURLEncoding.EncodeToString(future),
	} {
		f.Add(value, ada, int64(0))
	}
	f.Add(good, eve, int64(0))
	f.Add(good, "ADA@example.ORG", int64(90*24*time.Hour/time.Second)-1)
	f.Add(good, ada, int64(90*24*time.Hour/time.Second))
	f.Add(good, ada, int64(-61))
	f.Add(good, ada, int64(-1<<62))
	f.Fuzz(func(t *testing.T, value, account string, seconds int64) {
		if seconds > 1e9 || seconds < -1e9 { // beyond, a Duration ends
			seconds %= 1e9
		}
		id, known := devices.Check(value, account, noon.Add(time.Duration(seconds)*time.Second))
		mine := value == good && asciiLower(account) == ada && seconds >= -60 && seconds < int64(90*24*time.Hour/time.Second)
		if known != mine || known != (id != "") {
			t.Fatalf("%q of %q after %d s: %q, %v", value, account, seconds, id, known)
		}
	})
}

// asciiLower folds A to Z and nothing else.
func asciiLower(text string) string {
	folded := []byte(text)
	for i, c := range folded {
		if 'A' <= c && c <= 'Z' {
			folded[i] = c | 0x20
		}
	}
	return string(folded)
}
