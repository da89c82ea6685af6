//go:build interop

package interop_test

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/hello-world-co-op/handoff/password"
)

// plain is a password: text repeated, and then a rest.
type plain struct {
	Text  string `json:"text"`
	Times int    `json:"times"`
	Then  string `json:"then"`
}

func (p plain) String() string { return strings.Repeat(p.Text, p.Times) + p.Then }

// other is a password that only differs behind the last character.
func (p plain) other() plain { p.Then += "!"; return p }

var passwords = map[string]plain{
	"empty":                       {"", 1, ""},
	"ascii":                       {"correct horse battery staple", 1, ""},
	"spaces around":               {"  spaces  ", 1, ""},
	"composed":                    {"café", 1, ""},
	"decomposed":                  {"cafe\u0301", 1, ""},
	"han":                         {"密码安全", 1, ""},
	"emoji with joiner":           {"👩\u200d🚀", 1, ""},
	"71 bytes":                    {"a", 71, ""},
	"72 bytes":                    {"a", 72, ""},
	"73 bytes":                    {"a", 73, ""},
	"72nd byte splits a letter":   {"a", 71, "é"},
	"260 bytes":                   {"0123456789", 26, ""},
	"NUL inside":                  {"before\x00after", 1, ""},
	"4096 bytes":                  {"x", 4096, ""},
	"4096 four-byte characters":   {"🔑", 4096, ""},
	"4097 characters":             {"x", 4097, ""},
	"4097 multi-byte characters":  {"é", 4097, ""},
	"control and line characters": {"\t\r\n\x7f\u0085", 1, ""},
}

// request is one question to passlib_peer.py.
type request struct {
	Do     string `json:"do"`
	Scheme string `json:"as"`
	Hash   string `json:"hash"`
	plain
}

// python finds an interpreter that has the libraries. The system's comes first: one
// of a version manager rarely has Debian's packages.
func python(t *testing.T) string {
	t.Helper()
	candidates := []string{"/usr/bin/python3", "python3"}
	for _, candidate := range candidates {
		if exec.CommandContext(t.Context(), candidate, "-c", "import passlib, argon2, bcrypt").Run() == nil {
			return candidate
		}
	}
	t.Fatalf("none of %v imports passlib, argon2 and bcrypt; on Debian: "+
		"apt-get install python3-passlib python3-argon2 python3-bcrypt", candidates)
	return ""
}

// run runs a script and decodes what it prints.
func run(t *testing.T, input, output any, script string) {
	t.Helper()
	in, err := json.Marshal(input)
	if err != nil {
		t.Fatal(err)
	}
	var stderr bytes.Buffer
	cmd := exec.CommandContext(t.Context(), python(t), script)
	cmd.Stdin, cmd.Stderr = bytes.NewReader(in), &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s: %v\n%s", script, err, &stderr)
	}
	if err := json.Unmarshal(out, output); err != nil {
		t.Fatalf("%s: %v", script, err)
	}
}

func ask(t *testing.T, requests []request) []string {
	t.Helper()
	var answers []string
	run(t, requests, &answers, "passlib_peer.py")
	if len(answers) != len(requests) {
		t.Fatalf("%d answers to %d requests", len(answers), len(requests))
	}
	return answers
}

// A member who was seeded, or whose hash was replaced, by the Go side signs in on
// the Python side with that password and no other, and their hash is left as it is there.
func TestPasslibVerifiesWhatGoHashes(t *testing.T) {
	var requests []request
	var names, want []string
	expect := func(name, answer string, r request) {
		requests, names, want = append(requests, r), append(names, name), append(want, answer)
	}
	for name, p := range passwords {
		encoded, err := password.Hash(p.String())
		if err != nil {
			// What we do not hash, passlib does not hash either.
			expect(name+": hash", "refused", request{Do: "hash", Scheme: "platform", plain: p})
			continue
		}
		mismatch := "mismatch"
		if _, err := password.Hash(p.other().String()); err != nil {
			mismatch = "refused"
		}
		expect(name+": verify", "match", request{Do: "verify", Hash: encoded, plain: p})
		expect(name+": verify another", mismatch, request{Do: "verify", Hash: encoded, plain: p.other()})
		expect(name+": needs_update", "no", request{Do: "needs_update", Hash: encoded})
	}
	for i, answer := range ask(t, requests) {
		if answer != want[i] {
			t.Errorf("%s: passlib says %s, want %s", names[i], answer, want[i])
		}
	}
}

// A member whose hash was made by the Python side, now or years ago, signs in on the
// Go side with that password and no other.
func TestGoVerifiesWhatPasslibHashes(t *testing.T) {
	schemes := map[string]struct {
		truncates, rehash bool
		only              []string // passwords, when all would take too long
	}{
		"platform":                 {false, false, nil},
		"platform, 16-byte digest": {false, false, []string{"empty", "composed"}},
		"argon2 before 21.2":       {false, true, []string{"empty", "composed"}},
		"bcrypt":                   {true, true, []string{"ascii", "73 bytes"}},
		"2a":                       {true, true, []string{"empty", "72nd byte splits a letter", "260 bytes"}},
		"2b":                       {true, true, nil},
		"2y":                       {true, true, []string{"empty", "72nd byte splits a letter", "260 bytes"}},
	}
	for scheme, s := range schemes {
		t.Run(scheme, func(t *testing.T) {
			var requests []request
			for name, p := range passwords {
				if s.only == nil || slices.Contains(s.only, name) {
					requests = append(requests, request{Do: "hash", Scheme: scheme, plain: p})
				}
			}
			for i, encoded := range ask(t, requests) {
				p := requests[i].plain
				if encoded == "refused" {
					checkRefused(t, p, s.truncates)
					continue
				}
				checkMatch(t, encoded, p, s.rehash)
				checkOther(t, encoded, p.other(), s.truncates && len(p.String()) >= 72)
			}
		})
	}
}

// checkRefused: passlib hashes no password over its length, and no NUL with bcrypt.
func checkRefused(t *testing.T, p plain, isBcrypt bool) {
	t.Helper()
	_, err := password.Hash(p.String())
	nul, long := strings.Contains(p.String(), "\x00"), len(p.String()) > 4096
	if err == nil && (!isBcrypt || !nul && !long) {
		t.Errorf("passlib refuses %.20q, Hash does not", p)
	}
}

func checkMatch(t *testing.T, encoded string, p plain, rehash bool) {
	t.Helper()
	got, err := password.Verify(encoded, p.String())
	if err != nil || !got.Match || got.NeedsRehash != rehash {
		t.Errorf("Verify(%s, %.20q) = %+v, %v, want a match and NeedsRehash %v", encoded, p, got, err, rehash)
	}
}

// checkOther: behind its 72nd byte bcrypt reads nothing, but a password that passlib
// finds too long matches no more.
func checkOther(t *testing.T, encoded string, p plain, truncated bool) {
	t.Helper()
	want := truncated && len(p.String()) <= 4096
	got, err := password.Verify(encoded, p.String())
	if err != nil || got.Match != want {
		t.Errorf("Verify(%s, %.20q) = %+v, %v, want match %v", encoded, p, got, err, want)
	}
}

// The committed vectors are what their script makes: nobody edited an answer.
func TestCommittedVectorsAreWhatPasslibSays(t *testing.T) {
	type file struct {
		Vectors []map[string]any `json:"vectors"`
	}
	var committed, fresh file
	raw, err := os.ReadFile("../testdata/passlib.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(raw, &committed); err != nil {
		t.Fatal(err)
	}
	run(t, nil, &fresh, "../testdata/make_vectors.py")
	if len(committed.Vectors) != len(fresh.Vectors) {
		t.Fatalf("%d vectors committed, %d made", len(committed.Vectors), len(fresh.Vectors))
	}
	for i, want := range fresh.Vectors {
		for key, value := range want {
			if committed.Vectors[i][key] != value {
				t.Errorf("vector %v: %s is %v, passlib makes %v", want["name"], key, committed.Vectors[i][key], value)
			}
		}
	}
}
