//go:build proof

package interop_test

import (
	"bytes"
	"encoding/json"
	"os/exec"
	"testing"
)

// request is one question to python_peer.py.
type request struct {
	Do   string `json:"do"`
	By   string `json:"by"`
	Hash string `json:"hash"`
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

// questions are put to Python in one go, each with the answer that we expect.
type questions struct {
	requests []request
	want     []string
}

func (q *questions) expect(answer string, r request) {
	q.requests, q.want = append(q.requests, r), append(q.want, answer)
}

// ask fails the test for every unexpected answer.
func (q *questions) ask(t *testing.T) {
	t.Helper()
	for i, answer := range ask(t, q.requests) {
		if r := q.requests[i]; answer != q.want[i] {
			t.Errorf("%s of %s for %.500q: %s says %s, want %s", r.Do, r.Hash, r.plain, r.By, answer, q.want[i])
		}
	}
}

func ask(t *testing.T, requests []request) []string {
	t.Helper()
	var answers []string
	run(t, requests, &answers, "python_peer.py")
	if len(answers) != len(requests) {
		t.Fatalf("%d answers to %d requests", len(answers), len(requests))
	}
	return answers
}
