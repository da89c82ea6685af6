//go:build proof

package proof_test

import (
	"bytes"
	"encoding/json"
	"os/exec"
	"testing"
)

// question is what testdata/jwt_peer.py is asked.
type question struct {
	Do        string         `json:"do"`
	Token     string         `json:"token,omitempty"`
	Key       string         `json:"key"`
	Audience  *string        `json:"audience"`
	Issuer    string         `json:"issuer,omitempty"`
	Claims    map[string]any `json:"claims,omitempty"`
	Algorithm string         `json:"algorithm,omitempty"`
}

// reply is what it says. Numbers are kept as they are written.
type reply struct {
	Refused string
	Header  map[string]any
	Claims  map[string]any
	Token   string
}

func askPyJWT(t *testing.T, questions ...question) []reply {
	t.Helper()
	in, err := json.Marshal(questions)
	if err != nil {
		t.Fatal(err)
	}
	var complaint bytes.Buffer
	command := exec.CommandContext(t.Context(), python(t), "testdata/jwt_peer.py")
	command.Stdin, command.Stderr = bytes.NewReader(in), &complaint
	out, err := command.Output()
	if err != nil {
		t.Fatalf("jwt_peer.py: %v\n%s", err, &complaint)
	}
	var replies []reply
	decoder := json.NewDecoder(bytes.NewReader(out))
	decoder.UseNumber()
	if err := decoder.Decode(&replies); err != nil || len(replies) != len(questions) {
		t.Fatalf("jwt_peer.py says %s: %v", out, err)
	}
	return replies
}

func python(t *testing.T) string {
	t.Helper()
	return pythonWith(t, "jwt", "python3-jwt")
}

// pythonWith finds an interpreter that has the libraries. The system's comes first: one
// of a version manager rarely has Debian's packages.
func pythonWith(t *testing.T, libraries, packages string) string {
	t.Helper()
	for _, name := range []string{"/usr/bin/python3", "python3"} {
		if exec.CommandContext(t.Context(), name, "-c", "import "+libraries).Run() == nil {
			return name
		}
	}
	t.Fatalf("no Python imports %s; on Debian: apt-get install %s", libraries, packages)
	return ""
}
