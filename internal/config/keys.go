package config

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"strings"

	"github.com/hello-world-co-op/handoff/internal/privacy"
)

// minSecretBytes is 256 bits. RFC 7518, 3.2 demands it of an HS256 key; a bearer
// that is compared and never hashed slowly must be beyond guessing as well
// (ASVS 5.0, 11.2.3 asks for at least 128).
const minSecretBytes = 32

const tooShort = "is shorter than 32 bytes"

// keyList decodes a list of keys.
func (l *loader) keyList(variable string, list privacy.Secret) []privacy.Key {
	items := split(list.Reveal())
	if len(items) == 0 {
		l.faults.add(variable, "has no item")
	}
	keys := make([]privacy.Key, 0, len(items))
	for i, item := range items {
		raw, problem := decodeKey(item)
		if problem != "" {
			l.faults.addItem(variable, i, problem)
			continue
		}
		key, err := privacy.NewKey(raw)
		if err != nil {
			l.faults.addItem(variable, i, tooShort+" once decoded")
			continue
		}
		if problem := l.guessable(raw); problem != "" {
			l.faults.addItem(variable, i, problem)
		}
		l.reuse.claim(&l.faults, variable, item)
		keys = append(keys, key)
	}
	return keys
}

// decodeKey reads hexadecimal, else base64 in either alphabet, padded or not.
func decodeKey(item string) (raw []byte, problem string) {
	if strings.Trim(item, "0123456789abcdefABCDEF") == "" {
		raw, err := hex.DecodeString(item)
		if err != nil {
			// One lost character would otherwise be base64 of another key.
			return nil, "has an odd number of hexadecimal digits"
		}
		return raw, ""
	}
	// encoding/base64 skips line breaks; two keys on two lines are not one key.
	if strings.ContainsAny(item, "\r\n") {
		return nil, "has a line break in it; keys are separated by commas"
	}
	standard := strings.NewReplacer("-", "+", "_", "/").Replace(strings.TrimRight(item, "="))
	raw, err := base64.RawStdEncoding.DecodeString(standard)
	if err != nil {
		return nil, "is neither hexadecimal nor base64"
	}
	return raw, ""
}

// textKey checks a secret that is used as the bytes of the text itself.
func (l *loader) textKey(variable string, key privacy.Secret) {
	if problem := l.textKeyProblem(key.Reveal()); problem != "" {
		l.faults.add(variable, problem)
	}
	l.reuse.claim(&l.faults, variable, key.Reveal())
}

// textKeys is textKey for each item of a list.
func (l *loader) textKeys(variable string, list privacy.Secret) []privacy.Secret {
	var keys []privacy.Secret
	for i, item := range split(list.Reveal()) {
		if problem := l.textKeyProblem(item); problem != "" {
			l.faults.addItem(variable, i, problem)
		}
		l.reuse.claim(&l.faults, variable, item)
		keys = append(keys, privacy.NewSecret(item))
	}
	return keys
}

func (l *loader) textKeyProblem(key string) string {
	if len(key) < minSecretBytes {
		return tooShort
	}
	return l.guessable([]byte(key))
}

// guessable is weakness, where the environment minds: on a developer's machine
// readable keys are handy, and [Config.Warnings] lists them.
func (l *loader) guessable(key []byte) string {
	if l.environment == Development {
		return ""
	}
	return weakness(key)
}

// weakness says why key is evidently not random, or "". A random key of 32 bytes,
// raw or in hexadecimal, has fewer than 8 different bytes with a probability
// below 1e-7.
func weakness(key []byte) string {
	switch {
	case differentBytes(key) < 8:
		return "is guessable: fewer than 8 different characters"
	case repeats(key):
		return "is guessable: one pattern, repeated"
	case counts(key):
		return "is guessable: characters in sequence"
	case isPlaceholder(key):
		return "is guessable: a placeholder from an example"
	default:
		return ""
	}
}

func differentBytes(key []byte) int {
	var seen [256]bool
	n := 0
	for _, b := range key {
		if !seen[b] {
			seen[b] = true
			n++
		}
	}
	return n
}

// repeats finds a pattern of at most half the key that fills all of it.
func repeats(key []byte) bool {
	for period := 1; period <= len(key)/2; period++ {
		if bytes.Equal(key[period:], key[:len(key)-period]) {
			return true
		}
	}
	return false
}

// counts finds a fixed step between all neighbours, as in 00 01 02 03.
func counts(key []byte) bool {
	for i := 2; i < len(key); i++ {
		if key[i]-key[i-1] != key[1]-key[0] {
			return false
		}
	}
	return true
}

// placeholders are the words of keys that were copied from documentation. Such
// keys are in public lists, and a forged session costs one guess.
var placeholders = [][]byte{
	[]byte("changeme"), []byte("change-me"), []byte("change_me"), []byte("change-this"), []byte("change_this"),
	[]byte("in-production"), []byte("your-secret"), []byte("your_secret"), []byte("placeholder"),
	[]byte("example"), []byte("insecure"),
}

func isPlaceholder(key []byte) bool {
	lower := bytes.ToLower(key)
	for _, word := range placeholders {
		if bytes.Contains(lower, word) {
			return true
		}
	}
	return false
}
