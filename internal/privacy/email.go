package privacy

import (
	"errors"
	"strings"
)

// ErrEmail says that a text is not an address this platform takes.
var ErrEmail = errors.New("not an email address")

// maxEmailBytes is the longest address that SMTP can carry (RFC 5321, 4.5.3.1.3,
// less the angle brackets; erratum 1690).
const maxEmailBytes = 254

// Email is a person's address, in the form in which they wrote it. The zero
// Email is no address.
type Email struct{ hidden }

// ParseEmail checks the outward shape of an address: one "@" with something on
// both sides, at most 254 bytes, nothing below U+0021 and no DEL. Whether mail
// reaches anybody there only a mail can tell. It returns [ErrEmail], which does
// not quote the text.
func ParseEmail(s string) (Email, error) {
	local, domain, ok := strings.Cut(s, "@")
	if !ok || local == "" || domain == "" || strings.Contains(domain, "@") || len(s) > maxEmailBytes {
		return Email{}, ErrEmail
	}
	for i := range len(s) {
		if s[i] <= ' ' || s[i] == 0x7f {
			return Email{}, ErrEmail
		}
	}
	return Email{hide(s)}, nil
}

// Reveal returns the address as it was written.
func (e Email) Reveal() string { return e.reveal() }

// Canonical returns the form under which addresses are compared and kept unique:
// A to Z folded to lower case, every other byte as it is.
//
// Unicode case folding is a takeover route: U+212A KELVIN SIGN folds to "k", so
// that "\u212A@example.org" would become somebody else's address (compare the
// GitHub password reset flaw of 2019). Folding ASCII only can at worst keep two
// spellings of one mailbox apart.
func (e Email) Canonical() string {
	folded := []byte(e.reveal())
	for i, c := range folded {
		if 'A' <= c && c <= 'Z' {
			folded[i] = c + ('a' - 'A')
		}
	}
	return string(folded)
}
