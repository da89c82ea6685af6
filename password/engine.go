package password

import (
	"crypto/rand"
	"crypto/subtle"
	"strings"

	"golang.org/x/crypto/argon2"
	"golang.org/x/crypto/bcrypt"
)

// engine does the computations of a verification and sees to it that all
// verifications do the same amount. The two functions are fields so that the tests
// can count what is asked of them.
type engine struct {
	argon2id func(plain string, salt []byte, c cost, size int) []byte
	bcrypt   func(h bcryptHash, input []byte) bool

	// legacyCost is the bcrypt cost that every verification spends; 0 for none.
	legacyCost int
}

func newEngine() engine { return engine{argon2id: computeArgon2id, bcrypt: computeBcrypt} }

func computeArgon2id(plain string, salt []byte, c cost, size int) []byte {
	return argon2.IDKey([]byte(plain), salt, c.passes, c.memory, c.lanes, uint32(size)) //nolint:gosec // size is at most maxDigest
}

// computeBcrypt compares in constant time, inside the library.
func computeBcrypt(h bcryptHash, input []byte) bool {
	return bcrypt.CompareHashAndPassword([]byte(h.encoded), input) == nil
}

// stored is a decoded hash of either kind.
type stored interface {
	// check compares a password that is not too long.
	check(e engine, plain string) Result
	// memoryKiB is the most that check holds at one time.
	memoryKiB() uint32
}

// nobody stands for the hash of an account that has none: right numbers and sizes,
// and a digest that nothing depends on.
var nobody = argon2Hash{cost: current, salt: make([]byte, saltSize), digest: make([]byte, digestSize)}

// parse decodes a stored hash of either kind within the bounds. It is the only way
// from a string to a computation.
func parse(encoded string) (stored, error) {
	switch {
	case len(encoded) > maxEncoded:
		return nobody, ErrMalformed
	case strings.HasPrefix(encoded, "$argon2id$"):
		return orNobody(parseArgon2id(encoded))
	case strings.HasPrefix(encoded, "$2"):
		return orNobody(parseBcrypt(encoded))
	default:
		return nobody, ErrMalformed
	}
}

// orNobody gives an unreadable hash the work of an unknown account; else the
// quick answer would tell of the account.
func orNobody[S stored](s S, err error) (stored, error) {
	if err != nil {
		return nobody, err
	}
	return s, nil
}

func (e engine) hash(plain string) string {
	h := argon2Hash{cost: current, salt: make([]byte, saltSize)}
	_, _ = rand.Read(h.salt) // never fails: crypto/rand ends the process instead
	h.digest = e.argon2id(plain, h.salt, h.cost, digestSize)
	return h.encode()
}

func (e engine) verify(encoded, plain string) (Result, error) {
	s, err := parse(encoded)
	return e.judge(s, err, plain)
}

// judge does the work first and reports the stored hash's fault after it.
func (e engine) judge(s stored, fault error, plain string) (Result, error) {
	if tooLong(plain) {
		return Result{}, fault
	}
	result := s.check(e, plain)
	if fault != nil {
		return Result{}, fault
	}
	return result, nil
}

func (e engine) verifyNothing(plain string) {
	if !tooLong(plain) {
		nobody.check(e, plain)
	}
}

func (h argon2Hash) memoryKiB() uint32 { return h.cost.memory }

func (h argon2Hash) check(e engine, plain string) Result {
	e.spendBcrypt(plain)
	digest := e.argon2id(plain, h.salt, h.cost, len(h.digest))
	match := subtle.ConstantTimeCompare(digest, h.digest) == 1
	switch {
	case h.isCurrent():
		return Result{Match: match}
	case match:
		return e.replace(plain)
	default:
		e.topUpArgon2id(h.cost, plain)
		return Result{}
	}
}

// memoryKiB is that of the replacement: bcrypt itself takes 4 KiB.
func (h bcryptHash) memoryKiB() uint32 { return current.memory }

func (h bcryptHash) check(e engine, plain string) Result {
	input, mayMatch := bcryptInput(plain)
	match := e.bcrypt(h, input) && mayMatch
	// 2^k rounds, and 2^k + 2^(k+1) + ... + 2^(n-1) more, are the 2^n of everybody else.
	for c := h.cost; c < e.legacyCost; c++ {
		e.bcrypt(fillerBcrypt(c), input)
	}
	// Made before the outcome is looked at: a login that replaces a hash must not
	// take longer than one that fails.
	result := e.replace(plain)
	if !match {
		return Result{}
	}
	return result
}

func (e engine) replace(plain string) Result {
	replacement := e.hash(plain)
	return Result{Match: true, NeedsRehash: true, replacement: &replacement}
}

// spendBcrypt is the bcrypt work of an account that has no bcrypt hash.
func (e engine) spendBcrypt(plain string) {
	if e.legacyCost == 0 {
		return
	}
	input, _ := bcryptInput(plain)
	e.bcrypt(fillerBcrypt(e.legacyCost), input)
}

// topUpArgon2id spends what a computation of cost c left of a current one: memory
// times passes is the number of blocks filled, and the time it takes.
func (e engine) topUpArgon2id(c cost, plain string) {
	want, done := current.memory*current.passes, c.memory*c.passes // bounded: below 2^25
	least := 8 * uint32(current.lanes) * current.passes
	if done+least > want {
		return
	}
	rest := cost{memory: (want - done) / current.passes, passes: current.passes, lanes: current.lanes}
	e.argon2id(plain, nobody.salt, rest, digestSize)
}
