package devstack

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
)

// newPassword returns 128 random bits in hex, which a URL and a configuration
// file take as they are.
//
// The attack: every account of the machine, and a web page that can make
// the browser open sockets, reaches 127.0.0.1. With "trust" such a stranger would
// be superuser of our Postgres and run programs as us (COPY … TO PROGRAM).
func newPassword() string {
	random := make([]byte, 16)
	_, _ = rand.Read(random) // crypto/rand never fails (it ends the program instead)
	return hex.EncodeToString(random)
}

// scramVerifier is what Postgres stores for a password (RFC 5803), with one
// iteration instead of 4,096. Iterations slow down the guessing of passwords that
// people chose; 128 random bits cannot be guessed, and each connection of each
// test would pay (21 ms instead of 5 ms under the race detector).
func scramVerifier(password string) string {
	salt := make([]byte, 16)
	_, _ = rand.Read(salt) // see above
	// Hi() of RFC 5802 with i=1: one HMAC over the salt and INT(1).
	salted := mac([]byte(password), append(salt[:16:16], 0, 0, 0, 1))
	stored := sha256.Sum256(mac(salted, []byte("Client Key")))
	server := mac(salted, []byte("Server Key"))
	encode := base64.StdEncoding.EncodeToString
	return fmt.Sprintf("SCRAM-SHA-256$1:%s$%s:%s", encode(salt), encode(stored[:]), encode(server))
}

func mac(key, message []byte) []byte {
	h := hmac.New(sha256.New, key)
	_, _ = h.Write(message) // a hash never fails
	return h.Sum(nil)
}
