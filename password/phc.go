package password

import (
	"encoding/base64"
	"fmt"
	"strconv"
	"strings"
)

// Lengths in bytes that the PHC string format sets for Argon2
// (github.com/P-H-C/phc-string-format, "Argon2 encoding"). The lower one of the
// digest is a defence: a one-byte digest matches every 256th password.
const (
	minSalt, maxSalt     = 8, 48
	minDigest, maxDigest = 12, 64
)

// Bounds on what a stored hash may ask for. 255 lanes is the format's own limit
// and what the implementation can count to.
const (
	maxMemory = 1 << 20 // KiB, so 1 GiB
	maxPasses = 16
	maxLanes  = 255
)

// maxEncoded is longer than any string that can pass, so that a hash of megabytes
// is turned away before it is split.
const maxEncoded = 256

// cost is what one Argon2id computation takes: memory in KiB, passes over it, and
// lanes (which change the digest, and the work only by running side by side).
type cost struct {
	memory uint32
	passes uint32
	lanes  uint8
}

// argon2Hash is a decoded Argon2id PHC string.
type argon2Hash struct {
	cost   cost
	salt   []byte
	digest []byte
}

// current is what Hash makes: the second recommended option of RFC 9106, section
// 4, and the numbers of the platform's Python side.
var current = cost{memory: 64 * 1024, passes: 3, lanes: 4}

// Sizes that Hash makes, and the least that is not replaced; bytes.
const (
	saltSize   = 16
	digestSize = 32
	fullSize   = 16 // 128 bits are enough for salt and digest, RFC 9106, section 4
)

// b64 is the format's B64: standard alphabet, no padding, and unused bits zero,
// without which one hash has several spellings.
var b64 = base64.RawStdEncoding.Strict()

// parseArgon2id decodes $argon2id$v=19$m=M,t=T,p=P$salt$digest. Only the encoding
// that the format prescribes passes, so encode of the result is the input.
func parseArgon2id(encoded string) (argon2Hash, error) {
	fields := strings.Split(encoded, "$")
	if len(fields) != 6 || fields[0] != "" || fields[1] != "argon2id" || fields[2] != "v=19" {
		return argon2Hash{}, ErrMalformed
	}
	salt, err := decodeB64(fields[4], minSalt, maxSalt)
	if err != nil {
		return argon2Hash{}, err
	}
	digest, err := decodeB64(fields[5], minDigest, maxDigest)
	if err != nil {
		return argon2Hash{}, err
	}
	c, err := parseCost(fields[3])
	if err != nil {
		return argon2Hash{}, err
	}
	return argon2Hash{cost: c, salt: salt, digest: digest}, nil
}

// parseCost decodes m=M,t=T,p=P, in that order and with nothing else: the optional
// keyid and data would change the digest and are not supported.
func parseCost(s string) (cost, error) {
	var n [3]uint64
	fields := strings.Split(s, ",")
	if len(fields) != len(n) {
		return cost{}, ErrMalformed
	}
	for i, name := range []string{"m=", "t=", "p="} {
		digits, ok := strings.CutPrefix(fields[i], name)
		if !ok || !isDecimal(digits) {
			return cost{}, ErrMalformed
		}
		n[i], _ = strconv.ParseUint(digits, 10, 64) // at most ten digits: cannot fail
	}
	memory, passes, lanes := n[0], n[1], n[2]
	// RFC 9106, section 3.1: at least 8 KiB a lane. The implementation would raise
	// a smaller number silently and compute another function than the C library.
	if memory < 8*lanes {
		return cost{}, ErrMalformed
	}
	// The attack: a stored m=4294967295 takes 4 TiB and ends the process.
	if memory > maxMemory || passes > maxPasses || lanes > maxLanes {
		return cost{}, ErrTooCostly
	}
	return cost{memory: uint32(memory), passes: uint32(passes), lanes: uint8(lanes)}, nil
}

// isDecimal: 1 to 10 digits without sign or leading zero, hence at least 1. Zero
// passes or lanes make the implementation panic.
func isDecimal(s string) bool {
	if s == "" || len(s) > 10 || s[0] == '0' {
		return false
	}
	return strings.Trim(s, "0123456789") == ""
}

func decodeB64(s string, least, most int) ([]byte, error) {
	// encoding/base64 skips line breaks, even when strict.
	if strings.ContainsAny(s, "\r\n") {
		return nil, ErrMalformed
	}
	raw, err := b64.DecodeString(s)
	if err != nil || len(raw) < least || len(raw) > most {
		return nil, ErrMalformed // the decoder's error quotes its input
	}
	return raw, nil
}

func (h argon2Hash) encode() string {
	return fmt.Sprintf("$argon2id$v=19$m=%d,t=%d,p=%d$%s$%s", h.cost.memory, h.cost.passes, h.cost.lanes,
		b64.EncodeToString(h.salt), b64.EncodeToString(h.digest))
}

// isCurrent says that Hash would make a hash no better than this one.
func (h argon2Hash) isCurrent() bool {
	return h.cost == current && len(h.salt) >= fullSize && len(h.digest) >= fullSize
}
