package password

import (
	"fmt"
	"strings"
)

// Costs (powers of two of rounds) that are accepted. 4 is bcrypt's own minimum and
// 31 its maximum; 14 took 1.3 s where it was measured, and an answer has 3 s.
const (
	minBcryptCost = 4
	topBcryptCost = 31
	maxBcryptCost = 14
)

// bcryptBytes is how much of a password bcrypt reads.
const bcryptBytes = 72

// bcryptAlphabet is bcrypt's own base64, not the standard one.
const bcryptAlphabet = "./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"

// bcryptHash is a decoded bcrypt string: its cost, and the string itself in the one
// spelling that the implementation compares.
type bcryptHash struct {
	cost    int
	encoded string
}

// parseBcrypt decodes $2b$CC$, 22 characters of salt and 31 of digest. The three
// accepted letters name the same computation. $2x$ marks hashes of a broken library
// (CVE-2011-2483), which passlib does not read either; $2$ is bcrypt's first form
// of 1999, which passlib reads and never wrote by default.
//
// The check is our own because the implementation ignores whatever follows the
// 60th character and takes any letter.
func parseBcrypt(encoded string) (bcryptHash, error) {
	if len(encoded) != 60 || encoded[0:2] != "$2" || encoded[3] != '$' || encoded[6] != '$' {
		return bcryptHash{}, ErrMalformed
	}
	if strings.Trim(encoded[2:3], "aby") != "" || strings.Trim(encoded[4:6], "0123456789") != "" ||
		strings.Trim(encoded[7:], bcryptAlphabet) != "" {
		return bcryptHash{}, ErrMalformed
	}
	c := int(encoded[4]-'0')*10 + int(encoded[5]-'0')
	if c < minBcryptCost || c > topBcryptCost {
		return bcryptHash{}, ErrMalformed
	}
	if c > maxBcryptCost {
		return bcryptHash{}, ErrTooCostly
	}
	return bcryptHash{cost: c, encoded: clearUnusedBits(encoded)}, nil
}

// clearUnusedBits sets the two bits of the last character that carry nothing to
// zero, as passlib does before it compares. Unused bits of the salt need no such
// care: they are dropped in decoding, and old passlib versions did write them.
func clearUnusedBits(encoded string) string {
	last := strings.IndexByte(bcryptAlphabet, encoded[59])
	return encoded[:59] + bcryptAlphabet[last&^3:][:1]
}

// bcryptInput is the part of a password that bcrypt reads, and whether a match may
// count. Truncation is what the platform's library does; that the cut may fall
// inside a character is part of it.
//
// The attack on NUL: bcrypt repeats password and NUL up to 72 bytes, so that "a"
// and "a\x00a" have one hash. passlib refuses such passwords, and passwords over
// 4096 bytes, when it hashes and when it verifies.
func bcryptInput(plain string) (input []byte, mayMatch bool) {
	mayMatch = len(plain) <= MaxLength && !strings.Contains(plain, "\x00")
	return []byte(plain[:min(len(plain), bcryptBytes)]), mayMatch
}

// fillerBcrypt is a hash of the given cost that is only computed against, never
// matched: what it takes is what any other of that cost takes.
func fillerBcrypt(cost int) bcryptHash {
	return bcryptHash{cost: cost, encoded: fmt.Sprintf("$2b$%02d$%s", cost, strings.Repeat(".", 53))}
}
