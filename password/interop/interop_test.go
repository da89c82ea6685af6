//go:build proof

package interop_test

import (
	"encoding/json"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/hello-world-co-op/handoff/password"
)

// A member who was seeded, or whose hash was replaced, by the Go side signs in on
// the Python side with that password and no other, and their hash is left as it is
// there. That holds for passlib and for a program that uses argon2-cffi by itself.
func TestProofPythonVerifiesWhatGoHashes(t *testing.T) {
	var q questions
	pairs := 0
	all := randomPasswords(t)
	maps.Copy(all, passwords)
	for _, p := range all {
		encoded, err := password.Hash(p.String())
		if err != nil {
			// What we do not hash, passlib does not hash either.
			q.expect("refused", request{Do: "hash", By: "passlib", plain: p})
			continue
		}
		pairs++
		mismatch := "mismatch"
		if _, err := password.Hash(p.longer().String()); err != nil {
			mismatch = "refused"
		}
		q.expect("match", request{Do: "verify", By: "passlib", Hash: encoded, plain: p})
		q.expect(mismatch, request{Do: "verify", By: "passlib", Hash: encoded, plain: p.longer()})
		q.expect("no", request{Do: "needs_update", By: "passlib", Hash: encoded})
		q.expect("match", request{Do: "verify", By: "argon2-cffi", Hash: encoded, plain: p})
		q.expect("no", request{Do: "needs_update", By: "argon2-cffi", Hash: encoded})
	}
	q.ask(t)
	t.Logf("%d pairs of password and hash proven, each by passlib and by argon2-cffi", pairs)
}

// A member whose hash was made by the Python side, now or years ago, signs in on the
// Go side with that password and no other.
func TestProofGoVerifiesWhatPythonHashes(t *testing.T) {
	makers := map[string]struct {
		isBcrypt, rehash bool
		random           bool
		only             []string // passwords, where all would take too long
	}{
		"passlib":                     {random: true},
		"passlib, 16-byte digest":     {only: []string{"empty", "composed"}},
		"passlib, argon2 before 21.2": {rehash: true, only: []string{"empty", "composed"}},
		"passlib, bcrypt":             {isBcrypt: true, rehash: true, only: []string{"ascii", "73 bytes"}},
		"passlib, 2a":                 {isBcrypt: true, rehash: true, random: true, only: []string{"empty", "72nd byte splits a letter", "260 bytes"}},
		"passlib, 2b":                 {isBcrypt: true, rehash: true, random: true},
		"passlib, 2y":                 {isBcrypt: true, rehash: true, random: true, only: []string{"empty", "72nd byte splits a letter", "260 bytes"}},
		"argon2-cffi":                 {random: true, only: []string{"empty", "composed", "4096 four-byte characters", "4097 characters"}},
	}
	total := 0
	for maker, m := range makers {
		t.Run(maker, func(t *testing.T) {
			all := map[string]plain{}
			if m.random {
				all = randomPasswords(t)
			}
			for name, p := range passwords {
				if m.only == nil || slices.Contains(m.only, name) {
					all[name] = p
				}
			}
			pairs := 0
			for p, encoded := range hashed(t, maker, all) {
				if encoded == "refused" {
					checkRefused(t, p, m.isBcrypt)
					continue
				}
				pairs++
				checkMatch(t, encoded, p, m.rehash)
				checkOthers(t, encoded, p, m.isBcrypt)
			}
			t.Logf("%d pairs of password and hash proven", pairs)
			total += pairs
		})
	}
	t.Logf("%d pairs of password and hash proven by all %d makers", total, len(makers))
}

// hashed are the hashes that a Python program makes of the passwords.
func hashed(t *testing.T, by string, all map[string]plain) map[plain]string {
	t.Helper()
	var requests []request
	for _, p := range all {
		requests = append(requests, request{Do: "hash", By: by, plain: p})
	}
	made := map[plain]string{}
	for i, encoded := range ask(t, requests) {
		made[requests[i].plain] = encoded
	}
	return made
}

// tooLong: the Go side neither hashes it nor lets it match.
func tooLong(p plain) bool {
	_, err := password.Hash(p.String())
	return err != nil
}

// checkRefused: passlib hashes no password over its length, and no NUL with bcrypt.
func checkRefused(t *testing.T, p plain, isBcrypt bool) {
	t.Helper()
	nul, long := strings.Contains(p.String(), "\x00"), len(p.String()) > password.MaxLength
	if !tooLong(p) && (!isBcrypt || !nul && !long) {
		t.Errorf("Python refuses %.500q, Hash does not", p)
	}
}

// checkMatch: a password of 4097 characters is refused on both sides, whoever made
// a hash of it (argon2-cffi has no limit of its own).
func checkMatch(t *testing.T, encoded string, p plain, rehash bool) {
	t.Helper()
	want := !tooLong(p)
	got, err := password.Verify(encoded, p.String())
	if err != nil || got.Match != want || got.NeedsRehash != (rehash && want) {
		t.Errorf("Verify(%s, %.500q) = %+v, %v, want match %v and NeedsRehash %v", encoded, p, got, err, want, rehash)
	}
}

// checkOthers: no other password matches, except that bcrypt reads nothing behind
// its 72nd byte.
func checkOthers(t *testing.T, encoded string, p plain, isBcrypt bool) {
	t.Helper()
	truncated := isBcrypt && len(p.String()) >= 72
	others := map[plain]bool{p.longer(): truncated && len(p.longer().String()) <= password.MaxLength}
	if truncated {
		others[p.shifted()] = false
	}
	for other, want := range others {
		got, err := password.Verify(encoded, other.String())
		if err != nil || got.Match != want {
			t.Errorf("Verify(%s, %.500q) = %+v, %v, want match %v", encoded, other, got, err, want)
		}
	}
}

// Two spellings of one word are two passwords, on both sides: a side that
// normalised would refuse what the other accepts, or accept what it refuses.
func TestProofNeitherSideNormalises(t *testing.T) {
	var q questions
	all := map[string]plain{}
	normal := map[plain]plain{}
	for name, pair := range sameLooks {
		one, other := plain{pair[0], 1, ""}, plain{pair[1], 1, ""}
		all[name], normal[other] = other, one
		encoded, err := password.Hash(other.String())
		if err != nil {
			t.Fatal(err)
		}
		q.expect("match", request{Do: "verify", By: "passlib", Hash: encoded, plain: other})
		q.expect("mismatch", request{Do: "verify", By: "passlib", Hash: encoded, plain: one})
	}
	q.ask(t)
	for p, encoded := range hashed(t, "passlib, 2b", all) {
		checkMatch(t, encoded, p, true)
		if got, err := password.Verify(encoded, normal[p].String()); err != nil || got.Match {
			t.Errorf("passlib hashes %q, and %q matches: %+v, %v", p, normal[p], got, err)
		}
	}
	t.Logf("%d pairs of passwords that look alike proven different", len(sameLooks))
}

// The committed vectors are what their script makes: nobody edited an answer.
func TestProofCommittedVectorsAreWhatPasslibSays(t *testing.T) {
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
	t.Logf("%d vectors proven", len(fresh.Vectors))
}
