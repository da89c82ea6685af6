package client

import (
	"fmt"
	"io"
	"log/slog"
)

// Secret is a token, a service token or a cookie. It does not print: not under any verb of
// package fmt, not as JSON, not in a log.
type Secret struct{ text *string } // a pointer, since %v of a struct walks through strings

// NewSecret hides text.
func NewSecret(text string) Secret { return Secret{&text} }

// Reveal is the text; name the place where it goes, and let it go nowhere else.
func (s Secret) Reveal() string {
	if s.text == nil {
		return ""
	}
	return *s.text
}

const hidden = "[secret]"

// Format implements fmt.Formatter.
func (Secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, hidden) }

// MarshalText implements encoding.TextMarshaler.
func (Secret) MarshalText() ([]byte, error) { return []byte(hidden), nil }

// LogValue implements slog.LogValuer.
func (Secret) LogValue() slog.Value { return slog.StringValue(hidden) }
