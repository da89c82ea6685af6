package password

import (
	"errors"
	"strings"
	"testing"
)

const (
	salt16   = "MDEyMzQ1Njc4OWFiY2RlZg"
	digest32 = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"
	numbers  = "m=65536,t=3,p=4"
	good     = "$argon2id$v=19$" + numbers + "$" + salt16 + "$" + digest32
	goodBc   = "$2b$12$......................" + "..............................." // salt, digest
)

// Readable hashes, and the edges of what is readable.
func TestParseReads(t *testing.T) {
	zeros := func(n int) string { return b64.EncodeToString(make([]byte, n)) }
	tests := map[string]string{
		"the platform's":   good,
		"least of all":     "$argon2id$v=19$m=8,t=1,p=1$" + zeros(8) + "$" + zeros(12),
		"most of all":      "$argon2id$v=19$m=1048576,t=16,p=255$" + zeros(48) + "$" + zeros(64),
		"8 KiB a lane":     "$argon2id$v=19$m=2040,t=1,p=255$" + salt16 + "$" + digest32,
		"bcrypt 2a":        strings.Replace(goodBc, "2b", "2a", 1),
		"bcrypt 2b":        goodBc,
		"bcrypt 2y":        strings.Replace(goodBc, "2b", "2y", 1),
		"bcrypt, cost 4":   strings.Replace(goodBc, "$12$", "$04$", 1),
		"bcrypt, cost 14":  strings.Replace(goodBc, "$12$", "$14$", 1),
		"bcrypt, any salt": strings.Replace(goodBc, "$12$......................", "$12$9999999999999999999999", 1),
	}
	for name, encoded := range tests {
		t.Run(name, func(t *testing.T) {
			s, err := parse(encoded)
			if err != nil {
				t.Fatal(err)
			}
			if h, ok := s.(argon2Hash); ok && h.encode() != encoded {
				t.Errorf("reads as %s", h.encode())
			}
		})
	}
}

// One spelling per hash, as the PHC string format prescribes; a second one is what
// a damaged column or somebody else's encoder looks like.
func TestParseRefusesEveryOtherSpelling(t *testing.T) {
	replaced := func(old, with string) string { return strings.Replace(good, old, with, 1) }
	param := func(p string) string { return replaced(numbers, p) }
	bc := func(old, with string) string { return strings.Replace(goodBc, old, with, 1) }
	tests := map[string]string{
		"empty":                         "",
		"an account without a password": "!",
		"only the name":                 "$argon2id$",
		"plain text":                    "correct horse battery staple",
		"argon2i":                       replaced("argon2id", "argon2i"),
		"argon2d":                       replaced("argon2id", "argon2d"),
		"upper case":                    replaced("argon2id", "ARGON2ID"),
		"passlib's pbkdf2":              "$pbkdf2-sha256$29000$N2YMIWQsBWBMae09x1jrPQ$1t8iyB2A.WF/Z5JZv.lfCIhXXN33N23OSgQYThBYRfk",

		"no version":      replaced("v=19$", ""),
		"version 16":      replaced("v=19", "v=16"),
		"version 019":     replaced("v=19", "v=019"),
		"version empty":   replaced("v=19", "v="),
		"version twice":   replaced("v=19", "v=19$v=19"),
		"text before":     "x" + good,
		"space before":    " " + good,
		"space behind":    good + " ",
		"newline behind":  good + "\n",
		"a seventh field": good + "$",
		"text behind":     good + "$junk",
		"NUL behind":      good + "\x00",
		"no digest":       strings.TrimSuffix(good, "$"+digest32),
		"empty digest":    strings.TrimSuffix(good, digest32),
		"no salt":         replaced(salt16, ""),

		"other order":         param("t=3,m=65536,p=4"),
		"passes twice":        param("m=65536,t=3,t=3,p=4"),
		"memory twice":        param("m=65536,m=65536,p=4"),
		"no lanes":            param("m=65536,t=3"),
		"a trailing comma":    param("m=65536,t=3,p=4,"),
		"associated data":     param("m=65536,t=3,p=4,data=AAAA"),
		"key id":              param("m=65536,t=3,p=4,keyid=AAAA"),
		"no memory":           param("m=,t=3,p=4"),
		"zero memory":         param("m=0,t=3,p=4"),
		"zero passes":         param("m=65536,t=0,p=4"),
		"zero lanes":          param("m=65536,t=3,p=0"),
		"leading zero":        param("m=065536,t=3,p=4"),
		"leading zero passes": param("m=65536,t=03,p=4"),
		"plus sign":           param("m=+65536,t=3,p=4"),
		"minus sign":          param("m=-65536,t=3,p=4"),
		"hexadecimal":         param("m=0x10000,t=3,p=4"),
		"underscore":          param("m=65_536,t=3,p=4"),
		"space in a number":   param("m= 65536,t=3,p=4"),
		"other digits":        param("m=٦٥٥٣٦,t=3,p=4"),
		"eleven digits":       param("m=10000000000,t=3,p=4"),
		"under 8 KiB a lane":  param("m=31,t=3,p=4"),

		"padding in the salt":   replaced(salt16, salt16+"=="),
		"padding in the digest": good + "=",
		"url alphabet":          replaced(salt16, "-_-_"+salt16[4:]),
		"stray bits, salt":      replaced(salt16, salt16[:21]+"h"),
		"stray bits, digest":    good[:len(good)-1] + "9",
		"length 1 modulo 4":     replaced(salt16, salt16+"AAA"),
		"newline in the salt":   replaced(salt16, salt16[:10]+"\n"+salt16[10:]),
		"return in the digest":  good[:len(good)-4] + "\r" + good[len(good)-4:],
		"salt of 7 bytes":       replaced(salt16, b64.EncodeToString(make([]byte, 7))),
		"salt of 49 bytes":      replaced(salt16, b64.EncodeToString(make([]byte, 49))),
		"digest of 11 bytes":    replaced(digest32, b64.EncodeToString(make([]byte, 11))),
		"digest of 65 bytes":    replaced(digest32, b64.EncodeToString(make([]byte, 65))),
		"a megabyte":            good + strings.Repeat("A", 1<<20),

		"bcrypt 2":                 bc("2b", "2"),
		"bcrypt 2x":                bc("2b", "2x"),
		"bcrypt 2B":                bc("2b", "2B"),
		"bcrypt 3b":                bc("2b", "3b"),
		"bcrypt, cost 3":           bc("$12$", "$03$"),
		"bcrypt, cost 32":          bc("$12$", "$32$"),
		"bcrypt, one-digit cost":   bc("$12$", "$4$"),
		"bcrypt, signed cost":      bc("$12$", "$+9$"),
		"bcrypt, one short":        goodBc[:59],
		"bcrypt, text behind":      goodBc + "x",
		"bcrypt, other letters":    bc("$12$.", "$12$+"),
		"bcrypt, letters not text": bc("$12$.", "$12$\xff"),
		"bcrypt, NUL at the end":   goodBc[:59] + "\x00",
		"bcrypt, dollar for dot":   bc("$12$.", "$12$$"),
	}
	for name, encoded := range tests {
		t.Run(name, func(t *testing.T) {
			if _, err := parse(encoded); !errors.Is(err, ErrMalformed) {
				t.Errorf("parse(%.100q) = %v, want ErrMalformed", encoded, err)
			}
		})
	}
}

// I13: whoever can write a row cannot make one login take the process down.
func TestParseBoundsTheWork(t *testing.T) {
	tests := map[string]string{
		"1 GiB and one":       "m=1048577,t=3,p=4",
		"4 TiB":               "m=4294967295,t=3,p=4",
		"past 32 bits":        "m=4294967304,t=1,p=1",
		"ten nines":           "m=9999999999,t=3,p=4",
		"17 passes":           "m=65536,t=17,p=4",
		"passes past 32 bits": "m=65536,t=4294967297,p=4",
		"256 lanes":           "m=65536,t=3,p=256",
		"lanes past 8 bits":   "m=65536,t=3,p=260",
	}
	for name, param := range tests {
		t.Run(name, func(t *testing.T) {
			if _, err := parse(strings.Replace(good, numbers, param, 1)); !errors.Is(err, ErrTooCostly) {
				t.Errorf("parse = %v, want ErrTooCostly", err)
			}
		})
	}
	for _, c := range []string{"15", "16", "31"} {
		t.Run("bcrypt cost "+c, func(t *testing.T) {
			if _, err := parse(strings.Replace(goodBc, "$12$", "$"+c+"$", 1)); !errors.Is(err, ErrTooCostly) {
				t.Errorf("parse = %v, want ErrTooCostly", err)
			}
		})
	}
}

// FuzzParse: no stored text panics, asks for more than the bounds, or is read in a
// second spelling. It computes nothing: parse is all that stands between a string
// and a computation.
func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		good, goodBc, "", "$", "$argon2id$v=19$$$", "$2b$12$", "$argon2id$v=19$m=0,t=0,p=0$$",
		"$argon2id$v=19$m=4294967295,t=4294967295,p=255$" + salt16 + "$" + digest32,
		strings.Replace(good, salt16, salt16[:4]+"\r\n"+salt16[4:], 1),
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, encoded string) {
		s, err := parse(encoded)
		if err != nil {
			if !errors.Is(err, ErrMalformed) && !errors.Is(err, ErrTooCostly) {
				t.Fatalf("another error: %v", err)
			}
			return
		}
		switch h := s.(type) {
		case argon2Hash:
			checkArgon2idBounds(t, h)
			if h.encode() != encoded {
				t.Fatalf("%q is read as %q", encoded, h.encode())
			}
		case bcryptHash:
			if h.cost < 4 || h.cost > 14 || len(h.encoded) != 60 || h.encoded[:59] != encoded[:59] {
				t.Fatalf("%q is read as %q with cost %d", encoded, h.encoded, h.cost)
			}
		default:
			t.Fatalf("read as a %T", s)
		}
	})
}

func checkArgon2idBounds(t *testing.T, h argon2Hash) {
	t.Helper()
	c := h.cost
	switch {
	case c.passes < 1 || c.passes > 16:
		t.Fatalf("%d passes", c.passes)
	case c.lanes < 1 || c.memory < 8*uint32(c.lanes):
		t.Fatalf("%d KiB for %d lanes", c.memory, c.lanes)
	case c.memory > 1<<20:
		t.Fatalf("%d KiB", c.memory)
	case len(h.salt) < 8 || len(h.salt) > 48:
		t.Fatalf("salt of %d bytes", len(h.salt))
	case len(h.digest) < 12 || len(h.digest) > 64:
		t.Fatalf("digest of %d bytes", len(h.digest))
	}
}
