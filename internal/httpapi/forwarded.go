package httpapi

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"net/http"
	"net/netip"

	"github.com/labstack/echo/v4"
)

// Forwarded is the guard of what a gateway asks before it lets a request pass (Traefik's
// ForwardAuth): guards judge the request that it asks about, as they would were it sent
// to us. The gateway itself asks with GET, whatever that request is, and says in headers
// which method it has. Were our own rules not applied to that one, every service behind
// the gateway would be without them.
//
// The attack is to say "GET" oneself: only a proxy that an operator named is believed,
// and nobody else gets an answer (I15).
func (config Config) Forwarded(guards ...Guard) Guard {
	return func(c echo.Context) error {
		question := c.Request()
		if !config.isFromProxy(question) {
			return ErrUntrustedProxy
		}
		c.SetRequest(askedAbout(question))
		defer c.SetRequest(question) // what is logged and counted is the question
		for _, guard := range guards {
			if err := guard(c); err != nil {
				return err
			}
		}
		return nil
	}
}

// isFromProxy looks at who is connected, never at what they say.
func (config Config) isFromProxy(r *http.Request) bool {
	peer, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return false
	}
	for _, proxy := range config.TrustedProxies {
		if proxy.Contains(peer.Addr().Unmap().WithZone("")) {
			return true
		}
	}
	return false
}

// askedAbout is the request behind the question. Its other headers are the question's:
// the gateway copies them. Without a method, or with two, it has one that is not safe.
func askedAbout(question *http.Request) *http.Request {
	about := question.WithContext(question.Context())
	about.Method, about.Host = only(question.Header, "X-Forwarded-Method"), only(question.Header, "X-Forwarded-Host")
	return about
}

func only(header http.Header, name string) string {
	if values := header.Values(name); len(values) == 1 {
		return values[0]
	}
	return ""
}

// Service is another program that calls with a bearer of its own.
type Service struct {
	Name   string
	Digest [sha256.Size]byte // of the bearer
}

// KeyID names the bearer as [privacy.Secret.KeyID] does.
func (s Service) KeyID() string { return hex.EncodeToString(s.Digest[:4]) }

// shortestBearer in characters: who reads the digests could guess a shorter one.
const shortestBearer = 32

// ServiceOf finds whose bearer the request shows, or returns [ErrInvalidServiceToken].
// Every digest is compared, in constant time, so that the time does not tell which
// services there are, nor which of them came close (I12).
func ServiceOf(c echo.Context, services []Service) (Service, error) {
	shown, ok := ShownBearer(c)
	digest := sha256.Sum256([]byte(shown))
	var found Service
	known := false
	for _, service := range services {
		if subtle.ConstantTimeCompare(digest[:], service.Digest[:]) == 1 {
			found, known = service, true
		}
	}
	if !ok || !known || len(shown) < shortestBearer {
		return Service{}, ErrInvalidServiceToken
	}
	return found, nil
}
