package ratelimit

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/hello-world-co-op/handoff/internal/privacy"
)

// DeviceTTL is how long a browser is known after a good login.
const DeviceTTL = 90 * 24 * time.Hour

// Devices makes and checks the values that known browsers carry in a cookie:
// base64url of
//
//	version (1 byte) ‖ device id (16 random bytes) ‖ issued at (8 bytes, Unix seconds) ‖ MAC (32 bytes)
//
// where MAC is HMAC-SHA256 over what stands before it and the account. Nothing is
// stored. The value opens nothing: it says that somebody once signed in to this
// account in this browser, and moves the browser's tries to a budget of their own.
// It is bound to the account, so that an attacker's own value does not help with
// anybody else's.
//
// A value cannot be called back before its time; whoever copies it shares the
// browser's budget and no more.
type Devices struct {
	keys   []*privacy.MAC
	random io.Reader
}

const (
	deviceVersion = 1
	deviceIDBytes = 16
	signedBytes   = 1 + deviceIDBytes + 8
	deviceBytes   = signedBytes + sha256.Size
)

// clockSkew is by how much the clock of the replica that made a value may be ahead
// of the one that checks it.
const clockSkew = time.Minute

// NewDevices makes values under the first of keys, of at least 32 bytes each, and
// accepts those of all.
func NewDevices(keys []privacy.Key, random io.Reader) (*Devices, error) {
	if len(keys) == 0 {
		return nil, errors.New("ratelimit: no device key")
	}
	d := &Devices{random: random}
	for _, key := range keys {
		if len(key.Reveal()) < minKeyBytes {
			return nil, errShortKey
		}
		d.keys = append(d.keys, key.MAC())
	}
	return d, nil
}

// Make returns a new value for a browser that has signed in to the account. Upper
// and lower case of ASCII letters in account are the same.
func (d *Devices) Make(account string, now time.Time) (string, error) {
	value := make([]byte, 1+deviceIDBytes, deviceBytes)
	value[0] = deviceVersion
	if _, err := io.ReadFull(d.random, value[1:]); err != nil {
		return "", fmt.Errorf("ratelimit: read random bytes: %w", err)
	}
	value = binary.BigEndian.AppendUint64(value, uint64(max(0, now.Unix())))
	value = append(value, deviceMAC(d.keys[0], value, account)...)
	return base64.RawURLEncoding.EncodeToString(value), nil
}

// Check returns the id of the device, 32 hexadecimal characters, if value was made
// here for this account in the last 90 days.
func (d *Devices) Check(value, account string, now time.Time) (id string, ok bool) {
	// Both lengths, for one spelling only: Go's decoder skips line breaks.
	raw, err := base64.RawURLEncoding.Strict().DecodeString(value)
	if err != nil || len(raw) != deviceBytes || len(value) != base64.RawURLEncoding.EncodedLen(deviceBytes) {
		return "", false
	}
	signed, mac := raw[:signedBytes], raw[signedBytes:]
	good := 0
	for _, key := range d.keys { // all of them, whichever fits (I12)
		good |= subtle.ConstantTimeCompare(mac, deviceMAC(key, signed, account))
	}
	if good != 1 || signed[0] != deviceVersion {
		return "", false
	}
	issued := binary.BigEndian.Uint64(signed[1+deviceIDBytes:])
	age := now.Sub(time.Unix(int64(issued), 0)) //nolint:gosec // G115: signed by us, from an int64
	if age < -clockSkew || age >= DeviceTTL {
		return "", false
	}
	return hex.EncodeToString(signed[1 : 1+deviceIDBytes]), true
}

// deviceMAC signs a value for an account. What stands before the account has a
// fixed length, so that no two pairs are written alike.
func deviceMAC(key *privacy.MAC, signed []byte, account string) []byte {
	return key.Of(signed, []byte(fold(account)))
}

// fold makes "Ada@example.org" the account that it is. The attack: the same account
// in as many spellings as it has letters, each with a budget of its own. ASCII
// only, as accounts are compared (package privacy).
func fold(account string) string {
	folded := []byte(account)
	for i, c := range folded {
		if 'A' <= c && c <= 'Z' {
			folded[i] = c + ('a' - 'A')
		}
	}
	return string(folded)
}
