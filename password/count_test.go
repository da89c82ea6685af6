package password

import (
	"fmt"
	"slices"
	"testing"
)

// work is what an engine was asked to compute, in units that do not depend on the
// machine: Argon2id block fills (KiB times passes) and bcrypt rounds.
type work struct {
	blocks int
	rounds int
}

// counter records the computations and leaves those out that take time, so that
// tests about full-cost hashes finish at once. A computation that is left out gives
// the digest or the verdict that the test has set.
type counter struct {
	work    work
	calls   []string
	digest  []byte // of left-out Argon2id computations; nil for zeros
	matches bool   // verdict of left-out bcrypt computations
}

const cheapBlocks, cheapCost = 16 * 1024, 6

func (n *counter) argon2id(plain string, salt []byte, c cost, size int) []byte {
	n.work.blocks += int(c.memory * c.passes)
	n.calls = append(n.calls, fmt.Sprintf("argon2id m=%d t=%d p=%d", c.memory, c.passes, c.lanes))
	switch {
	case c.memory*c.passes <= cheapBlocks:
		return computeArgon2id(plain, salt, c, size)
	case n.digest != nil:
		return n.digest
	default:
		return slices.Repeat([]byte{0xff}, size)
	}
}

func (n *counter) bcrypt(h bcryptHash, input []byte) bool {
	n.work.rounds += 1 << h.cost
	n.calls = append(n.calls, fmt.Sprintf("bcrypt %d", h.cost))
	if h.cost <= cheapCost {
		return computeBcrypt(h, input)
	}
	return n.matches
}

func (n *counter) engine(legacyCost int) engine {
	return engine{argon2id: n.argon2id, bcrypt: n.bcrypt, legacyCost: legacyCost}
}

// cheapEngine computes only what takes no time.
func cheapEngine() engine { return new(counter).engine(0) }

// mustHash makes a hash with numbers of the test's choice.
func mustHash(t *testing.T, plain string, c cost) string {
	t.Helper()
	h := argon2Hash{cost: c, salt: []byte("0123456789abcdef")}
	h.digest = computeArgon2id(plain, h.salt, c, digestSize)
	return h.encode()
}
