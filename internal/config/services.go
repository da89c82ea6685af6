package config

import (
	"crypto/sha256"
	"encoding/hex"
	"regexp"
	"strings"
)

// Service is another program that is known by a bearer of its own.
type Service struct {
	Name string
	// Digest is the SHA-256 of the bearer: whoever reads this configuration cannot speak
	// for the service.
	Digest [sha256.Size]byte
}

// serviceName is what a header value, a label and a list item can carry.
var serviceName = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$`)

// services reads "name=SHA-256 in hexadecimal" items. A name may be there twice, for as
// long as its bearer is being rotated; a digest may not, or one bearer would be two
// services.
func (l *loader) services(list string, c *Config) []Service {
	const variable = "SERVICE_TOKEN_DIGESTS"
	var all []Service
	owner := map[[sha256.Size]byte]string{sha256.Sum256(nil): "nothing at all: it is the digest of an empty text"}
	for _, token := range c.ServiceTokens {
		// It crosses the network between the halves; leaked there it would open more than those.
		owner[sha256.Sum256([]byte(token.Reveal()))] = "CROSS_DOMAIN_SERVICE_TOKEN; every secret needs one of its own"
	}
	for i, item := range split(list) {
		name, text, found := strings.Cut(item, "=")
		digest, err := hex.DecodeString(text)
		if !found || !serviceName.MatchString(name) || err != nil || len(digest) != sha256.Size || text != strings.ToLower(text) {
			l.faults.addItem(variable, i, "is not name=SHA-256 in 64 lowercase hexadecimal digits")
			continue
		}
		service := Service{Name: name, Digest: [sha256.Size]byte(digest)}
		if of, taken := owner[service.Digest]; taken {
			l.faults.addItem(variable, i, "is the bearer of "+of)
			continue
		}
		owner[service.Digest] = "an earlier item"
		all = append(all, service)
	}
	return all
}

// authz checks the listener for other programs' gateways.
func (l *loader) authz(f *FOS, c *Config) {
	if f.AuthzAddr == "" {
		return
	}
	l.address("AUTHZ_ADDR", f.AuthzAddr)
	if len(c.TrustedProxies) == 0 && !l.faults.has("TRUSTED_PROXIES") {
		l.faults.add("AUTHZ_ADDR", "answers the proxies of TRUSTED_PROXIES alone, and there are none")
	}
}
