package password

import (
	"encoding/json"
	"os"
	"strings"
	"testing"
)

// vector is one question that passlib was asked; see testdata/make_vectors.py.
type vector struct {
	Name    string
	Text    string
	Times   int
	Then    string
	Hash    string
	Passlib string
}

func (v vector) password() string { return strings.Repeat(v.Text, v.Times) + v.Then }

func readVectors(t *testing.T) []vector {
	t.Helper()
	raw, err := os.ReadFile("testdata/passlib.json")
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		MadeBy  map[string]string `json:"made_by"`
		Vectors []vector
	}
	if err := json.Unmarshal(raw, &file); err != nil {
		t.Fatal(err)
	}
	for _, program := range []string{"program", "python", "passlib", "argon2_cffi", "bcrypt"} {
		if file.MadeBy[program] == "" {
			t.Fatalf("the file does not say which %s made it", program)
		}
	}
	if len(file.Vectors) < 100 {
		t.Fatalf("only %d vectors: the file is not the one that the script makes", len(file.Vectors))
	}
	return file.Vectors
}

// A member whose hash was made by the platform's Python side signs in here with
// the same password, and with no other. Where passlib answers, we answer the same; where
// it raises an error (NUL in bcrypt, too long), nothing matches.
func TestVerifyAnswersWhatPasslibAnswers(t *testing.T) {
	for _, v := range readVectors(t) {
		t.Run(v.Name, func(t *testing.T) {
			verify := cheapEngine().verify
			if strings.Contains(v.Name, "platform numbers") {
				verify = Verify // the real thing, with its 64 MiB
			}
			got, err := verify(v.Hash, v.password())
			if err != nil {
				t.Fatalf("Verify: %v, passlib says %s", err, v.Passlib)
			}
			if want := v.Passlib == "match"; got.Match != want {
				t.Errorf("Match = %v, passlib says %s", got.Match, v.Passlib)
			}
		})
	}
}

// The vectors cover what a stored hash of the platform can look like. This holds
// the list itself, so that an edit to the script does not lose a kind quietly.
func TestVectorsCoverTheDemandedPasswords(t *testing.T) {
	names := map[string]bool{}
	verdicts := map[string]int{}
	for _, v := range readVectors(t) {
		names[v.Name] = true
		verdicts[v.Passlib]++
	}
	passwords := []string{
		"empty", "composed", "decomposed", "emoji with joiner", "71 bytes", "72 bytes", "73 bytes",
		"72nd byte splits a character", "260 bytes", "4096 bytes",
	}
	for _, kind := range []string{"argon2id", "2a", "2b", "2y"} {
		for _, p := range passwords {
			if !names[kind+", "+p] {
				t.Errorf("no vector for %s, %s", kind, p)
			}
		}
	}
	for _, name := range []string{
		"argon2id, platform numbers, empty", "argon2id, platform numbers, composed",
		"2b, a NUL as the 72nd byte is refused", "2b, a NUL behind the 72nd byte is refused",
	} {
		if !names[name] {
			t.Errorf("no vector for %s", name)
		}
	}
	for _, verdict := range []string{"match", "mismatch", "refused"} {
		if verdicts[verdict] == 0 {
			t.Errorf("no vector where passlib says %s", verdict)
		}
	}
}
