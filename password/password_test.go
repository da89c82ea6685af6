package password

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"testing"
)

// This is the platform's contract to the letter: what cmd/seed writes into
// users.password_hash, the Python side takes for one of its own.
func TestHashIsThePlatformsForm(t *testing.T) {
	encoded, err := Hash("correct horse")
	if err != nil {
		t.Fatal(err)
	}
	form := regexp.MustCompile(`^\$argon2id\$v=19\$m=65536,t=3,p=4\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}$`)
	if !form.MatchString(encoded) {
		t.Errorf("not the platform's form: %s", encoded)
	}
	for plain, want := range map[string]Result{
		"correct horse":  {Match: true},
		"correct horse ": {},
	} {
		got, err := Verify(encoded, plain)
		if err != nil || got != want {
			t.Errorf("Verify(%q) = %+v, %v, want %+v", plain, got, err, want)
		}
	}
}

func TestTwoHashesOfOnePasswordDiffer(t *testing.T) {
	e := cheapEngine()
	if one, two := e.hash("same"), e.hash("same"); one == two {
		t.Errorf("the salt is not random: %s twice", one)
	}
}

func TestEmptyPasswordIsAPassword(t *testing.T) {
	encoded := mustHash(t, "", cost{64, 1, 1})
	for plain, want := range map[string]bool{"": true, "\x00": false, " ": false} {
		got, err := cheapEngine().verify(encoded, plain)
		if err != nil || got.Match != want {
			t.Errorf("verify(%q) = %v, %v, want match %v", plain, got.Match, err, want)
		}
	}
}

// The limit is passlib's, in characters: neither side makes a hash that the other
// refuses to verify.
func TestPasswordsAreBoundedInCharacters(t *testing.T) {
	tests := map[string]struct {
		plain string
		long  bool
	}{
		"4096 bytes":                {strings.Repeat("x", 4096), false},
		"4097 bytes":                {strings.Repeat("x", 4097), true},
		"4096 two-byte characters":  {strings.Repeat("é", 4096), false},
		"4097 two-byte characters":  {strings.Repeat("é", 4097), true},
		"4096 four-byte characters": {strings.Repeat("🔑", 4096), false},
		"4097 four-byte characters": {strings.Repeat("🔑", 4097), true},
		"4096 bytes of no text":     {strings.Repeat("\xff", 4096), false},
		"4097 bytes of no text":     {strings.Repeat("\xff", 4097), true},
		"a megabyte":                {strings.Repeat("x", 1<<20), true},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			if got := tooLong(test.plain); got != test.long {
				t.Errorf("tooLong = %v, want %v", got, test.long)
			}
		})
	}
}

// A login with a password of megabytes costs nothing, whatever is stored.
func TestTooLongPasswordNeverMatchesAndCostsNothing(t *testing.T) {
	long := strings.Repeat("x", MaxLength+1)
	if _, err := Hash(long); !errors.Is(err, ErrTooLong) {
		t.Errorf("Hash: %v, want ErrTooLong", err)
	}
	var n counter
	e := n.engine(12)
	for _, encoded := range []string{nobody.encode(), mustHash(t, long, cost{64, 1, 1}), fillerBcrypt(4).encoded} {
		got, err := e.verify(encoded, long)
		if err != nil || got.Match {
			t.Errorf("verify against %.20s...: %+v, %v, want no match and no error", encoded, got, err)
		}
	}
	e.verifyNothing(long)
	if len(n.calls) != 0 {
		t.Errorf("computed %v", n.calls)
	}
	if _, err := e.verify("$argon2id$junk", long); !errors.Is(err, ErrMalformed) {
		t.Errorf("a malformed hash is still reported: %v", err)
	}
}

// Old hashes are replaced, hashes that the Python side makes with the platform's
// numbers are not: two servers must not rewrite each other's at every login.
func TestNeedsRehash(t *testing.T) {
	salt, digest := make([]byte, 24), make([]byte, 64)
	hash := func(c cost, saltLen, digestLen int) string {
		return argon2Hash{cost: c, salt: salt[:saltLen], digest: digest[:digestLen]}.encode()
	}
	tests := map[string]struct {
		encoded string
		want    bool
	}{
		"what Hash makes":                {hash(current, 16, 32), false},
		"passlib on argon2-cffi 21.1":    {hash(current, 16, 16), false},
		"longer salt and digest":         {hash(current, 24, 64), false},
		"short salt":                     {hash(current, 8, 32), true},
		"short digest":                   {hash(current, 16, 12), true},
		"passlib's defaults before 21.2": {hash(cost{102400, 2, 8}, 16, 16), true},
		"less memory":                    {hash(cost{65535, 3, 4}, 16, 32), true},
		"more memory":                    {hash(cost{131072, 3, 4}, 16, 32), true},
		"fewer passes":                   {hash(cost{65536, 2, 4}, 16, 32), true},
		"more passes":                    {hash(cost{65536, 4, 4}, 16, 32), true},
		"other lanes":                    {hash(cost{65536, 3, 1}, 16, 32), true},
		"bcrypt $2a$":                    {strings.Replace(fillerBcrypt(12).encoded, "2b", "2a", 1), true},
		"bcrypt $2b$":                    {fillerBcrypt(12).encoded, true},
		"bcrypt $2y$ of the top cost":    {strings.Replace(fillerBcrypt(14).encoded, "2b", "2y", 1), true},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			s, err := parse(test.encoded)
			if err != nil {
				t.Fatal(err)
			}
			n := counter{matches: true}
			if h, ok := s.(argon2Hash); ok {
				n.digest = h.digest // the password is right
			}
			got, err := n.engine(0).verify(test.encoded, "right")
			if err != nil || !got.Match || got.NeedsRehash != test.want {
				t.Errorf("right password: %+v, %v, want a match and NeedsRehash %v", got, err, test.want)
			}
			wrong, err := cheapEngine().verify(test.encoded, "wrong")
			if err != nil || wrong != (Result{}) {
				t.Errorf("wrong password: %+v, %v, want nothing", wrong, err)
			}
		})
	}
}

// The replacement is a current hash of the password that was typed, so that the
// login after the next one is an ordinary one.
func TestReplacementIsACurrentHashOfTheSamePassword(t *testing.T) {
	const bcryptOfTest = "$2a$04$5BJqKfqMQvV7nS.yUguNcueVirQqDBGaLXSqj.rs.pZPlNR0UX/HK"
	old, err := newEngine().verify(bcryptOfTest, "test")
	if err != nil || !old.Match || !old.NeedsRehash {
		t.Fatalf("verify = %+v, %v", old, err)
	}
	renewed, err := Verify(old.Replacement(), "test")
	if err != nil || renewed != (Result{Match: true}) {
		t.Errorf("verify of the replacement = %+v, %v", renewed, err)
	}
}

// Results and errors end up in logs: neither shows a hash (I5, I6).
func TestNothingPrintsAHash(t *testing.T) {
	got, err := cheapEngine().verify(mustHash(t, "right", cost{64, 1, 1}), "right")
	if err != nil || got.Replacement() == "" {
		t.Fatalf("verify = %+v, %v, want a replacement", got, err)
	}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s"} {
		if printed := fmt.Sprintf(verb, got); strings.Contains(printed, "argon2") {
			t.Errorf("%s prints %s", verb, printed)
		}
	}
	for _, encoded := range []string{"$argon2id$hunter2", "$2b$hunter2", "hunter2", "$argon2id$v=19$m=65536,t=3,p=4$hunter2$hunter2!"} {
		if _, err := parse(encoded); err == nil || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("error quotes the hash: %v", err)
		}
	}
}
