package privacy

import (
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net/netip"
	"sync"
	"time"
)

// Key is a key of at least 32 bytes that an operator configured. It prints as
// "[redacted]".
type Key struct{ Secret }

// minKeyBytes is 256 bits, the strength of the HMAC and AES keys derived.
const minKeyBytes = 32

// ErrShortKey says that a key has fewer than 32 bytes.
var ErrShortKey = errors.New("key is shorter than 32 bytes")

// NewKey takes the raw bytes of a key, or returns [ErrShortKey].
func NewKey(raw []byte) (Key, error) {
	if len(raw) < minKeyBytes {
		return Key{}, ErrShortKey
	}
	return Key{NewSecret(string(raw))}, nil
}

// Derive returns a 32-byte subkey for one purpose (HKDF-SHA256, RFC 5869), so
// that one configured key never serves two purposes directly.
func (k Key) Derive(salt []byte, purpose string) []byte {
	sub, err := hkdf.Key(sha256.New, []byte(k.Reveal()), salt, purpose, 32)
	if err != nil {
		// 32 bytes is far below HKDF's limit of 255 blocks; there is no other cause.
		panic("privacy: hkdf: " + err.Error())
	}
	return sub
}

// DeriveKey is [Key.Derive] without salt, for a subkey that is kept: it cannot be
// printed either.
func (k Key) DeriveKey(purpose string) Key { return Key{NewSecret(string(k.Derive(nil, purpose)))} }

// Pseudonym stands for a client address in audit rows and rate limits: 32
// hexadecimal characters (128 bits) and the id of the key it was made with. The
// zero Pseudonym means that no address was known.
type Pseudonym struct {
	Value string
	KeyID string
}

// Pseudonymizer makes pseudonyms. It is safe for concurrent use.
type Pseudonymizer struct {
	key   Key
	keyID string

	mu  sync.Mutex
	day int  // year and day of the year
	mac *MAC // of that day
}

// NewPseudonymizer makes pseudonyms under key, the first of the operator's list;
// the others only matter to an operator who recomputes old ones.
func NewPseudonymizer(key Key) *Pseudonymizer {
	return &Pseudonymizer{key: key, keyID: key.KeyID()}
}

// Of returns the pseudonym of addr on at's UTC day. IPv6 addresses are cut to
// their /64, which is what one customer gets (RFC 6177): the rest changes hourly
// with privacy extensions, and keeping it would tell devices apart.
func (p *Pseudonymizer) Of(addr netip.Addr, at time.Time) Pseudonym {
	if !addr.IsValid() {
		return Pseudonym{}
	}
	addr = addr.Unmap().WithZone("")
	if addr.Is6() {
		addr = netip.PrefixFrom(addr, 64).Masked().Addr()
	}
	return Pseudonym{Value: hex.EncodeToString(p.macOf(at).Of(addr.AsSlice())[:16]), KeyID: p.keyID}
}

func (p *Pseudonymizer) macOf(at time.Time) *MAC {
	utc := at.UTC()
	day := utc.Year()*1000 + utc.YearDay()
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.mac == nil || p.day != day {
		p.day, p.mac = day, Key{NewSecret(string(p.key.Derive([]byte(utc.Format(time.DateOnly)), "audit pseudonym")))}.MAC()
	}
	return p.mac
}
