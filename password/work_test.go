package password

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
)

// account is a row that a stranger may be trying a password against.
type account struct {
	name    string
	encoded string
}

func accounts() []account {
	argon := func(c cost) string {
		return argon2Hash{cost: c, salt: make([]byte, 16), digest: make([]byte, 32)}.encode()
	}
	return []account{
		{"current", argon(current)},
		{"current, 16-byte digest", argon2Hash{cost: current, salt: make([]byte, 16), digest: make([]byte, 16)}.encode()},
		{"older: m=19456,t=2,p=1", argon(cost{19456, 2, 1})},
		{"older: m=65536,t=2,p=4", argon(cost{65536, 2, 4})},
		{"older: m=8,t=1,p=1", argon(cost{8, 1, 1})},
		{"bcrypt 4", fillerBcrypt(4).encoded},
		{"bcrypt 10", fillerBcrypt(10).encoded},
		{"bcrypt 12", fillerBcrypt(12).encoded},
		{"malformed", "$argon2id$v=19$damaged"},
		{"no password: empty column", ""},
		{"too costly", "$argon2id$v=19$m=4294967295,t=3,p=4$" + salt16 + "$" + digest32},
		{"too costly bcrypt", fillerBcrypt(15).encoded},
	}
}

// The attack: a stranger tries any password at many addresses and reads from the
// time of the answer which accounts exist, and which still have an old hash. So
// unknown, current, older, bcrypt and damaged accounts all do the same work
// (protocol: invalid_credentials in equal time; ASVS 5.0, 6.3.8).
func TestAFailedLoginDoesTheSameWorkForEveryAccount(t *testing.T) {
	for _, plain := range []string{"guess", "", strings.Repeat("long", 50), "with\x00NUL"} {
		t.Run(fmt.Sprintf("%.10q", plain), func(t *testing.T) {
			var unknown counter
			unknown.engine(12).verifyNothing(plain)
			if want := (work{blocks: 3 * 65536, rounds: 1 << 12}); unknown.work != want {
				t.Fatalf("an unknown account: %+v, want %+v", unknown.work, want)
			}
			for _, a := range accounts() {
				var n counter
				if got, _ := n.engine(12).verify(a.encoded, plain); got.Match {
					t.Fatalf("%s: the guess matches", a.name)
				}
				// Memory comes in steps of 4 blocks a lane; that much is not made up.
				if short := unknown.work.blocks - n.work.blocks; short < 0 || short > 3*32 {
					t.Errorf("%s: %d blocks, an unknown account %d: %v", a.name, n.work.blocks, unknown.work.blocks, n.calls)
				}
				if n.work.rounds != unknown.work.rounds {
					t.Errorf("%s: %d rounds, an unknown account %d: %v", a.name, n.work.rounds, unknown.work.rounds, n.calls)
				}
			}
		})
	}
}

// When no bcrypt hash is left, nobody pays for one.
func TestWithoutLegacyHashesNoBcryptIsComputed(t *testing.T) {
	var n counter
	e := n.engine(0)
	e.verifyNothing("guess")
	_, _ = e.verify(good, "guess")
	if want := slices.Repeat([]string{"argon2id m=65536 t=3 p=4"}, 2); !slices.Equal(n.calls, want) {
		t.Errorf("computed %v, want %v", n.calls, want)
	}
}

// The login that replaces a bcrypt hash does not stand out: the computation that
// hides the account is the one that makes the replacement.
func TestReplacingABcryptHashTakesNoLongerThanAFailedLogin(t *testing.T) {
	for _, legacyCost := range []int{0, 12} {
		encoded := fillerBcrypt(12).encoded
		right, wrong := counter{matches: true}, counter{}
		success, _ := right.engine(legacyCost).verify(encoded, "right")
		failure, _ := wrong.engine(legacyCost).verify(encoded, "wrong")
		if !success.NeedsRehash || success.Replacement() == "" || failure != (Result{}) {
			t.Fatalf("success %+v, failure %+v", success, failure)
		}
		if right.work != wrong.work {
			t.Errorf("legacy cost %d: success takes %v, failure %v", legacyCost, right.calls, wrong.calls)
		}
	}
}

// A hash that costs more than the limits foresee is verified; its work shows, as
// the package comment says, and is not added to.
func TestAHashAboveTheCommonWorkIsNotToppedUp(t *testing.T) {
	tests := map[string]struct {
		encoded string
		want    work
	}{
		"passlib's old defaults": {argon2Hash{cost{102400, 2, 8}, make([]byte, 16), make([]byte, 16)}.encode(), work{2 * 102400, 1 << 10}},
		"bcrypt over the limit":  {fillerBcrypt(13).encoded, work{3 * 65536, 1 << 13}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			var n counter
			if _, err := n.engine(10).verify(test.encoded, "guess"); err != nil || n.work != test.want {
				t.Errorf("%+v, %v, want %+v: %v", n.work, err, test.want, n.calls)
			}
		})
	}
}

// FuzzVerify: whatever is stored and whatever is typed, verifying does not panic,
// asks for no computation over the bounds (I13), and for none under the work of an
// unknown account. The computations are counted and not done.
func FuzzVerify(f *testing.F) {
	for _, a := range accounts() {
		f.Add(a.encoded, "guess")
	}
	f.Add("$argon2id$v=19$m=1048576,t=16,p=255$"+salt16+"$"+digest32, strings.Repeat("long", 50))
	f.Add(goodBc, "with\x00NUL")
	f.Add(good, strings.Repeat("x", MaxLength+1))
	f.Fuzz(func(t *testing.T, encoded, plain string) {
		asked := bounded(t)
		_, err := asked.verify(encoded, plain)
		if err != nil && !errors.Is(err, ErrMalformed) && !errors.Is(err, ErrTooCostly) {
			t.Fatalf("another error: %v", err)
		}
		switch unknown := (work{blocks: 3 * 65536, rounds: 1 << 12}); {
		case tooLong(plain):
			if asked.work != (work{}) {
				t.Fatalf("%+v for a password that is too long", asked.work)
			}
		case err != nil && asked.work != unknown:
			t.Fatalf("%q is %v after %+v, want %+v", encoded, err, asked.work, unknown)
		case asked.work.blocks < unknown.blocks-3*32 || asked.work.rounds < unknown.rounds:
			t.Fatalf("%q takes %+v, an unknown account %+v", encoded, asked.work, unknown)
		case asked.work.blocks > 16<<20 || asked.work.rounds > 1<<14:
			t.Fatalf("%q takes %+v", encoded, asked.work)
		}
	})
}

// boundedEngine is an engine that computes nothing and holds every single
// computation to its bounds.
type boundedEngine struct {
	engine
	work work
}

func bounded(t *testing.T) *boundedEngine {
	t.Helper()
	b := new(boundedEngine)
	b.legacyCost = 12
	b.argon2id = func(_ string, salt []byte, c cost, size int) []byte {
		checkArgon2idBounds(t, argon2Hash{cost: c, salt: salt, digest: make([]byte, size)})
		b.work.blocks += int(c.memory * c.passes)
		return make([]byte, size)
	}
	b.bcrypt = func(h bcryptHash, input []byte) bool {
		if h.cost < 4 || h.cost > 14 || len(input) > 72 {
			t.Fatalf("bcrypt of cost %d over %d bytes", h.cost, len(input))
		}
		b.work.rounds += 1 << h.cost
		return false
	}
	return b
}
