package httpapi

import (
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/hello-world-co-op/handoff/internal/audit"
)

// AllowedOrigin is the guard against requests that another site makes a browser
// send. An Origin that is sent must be on the list; "null" (a sandboxed frame, a
// data: URL) never is. Where there is none, Fetch Metadata speaks: cross-site is
// refused on unsafe methods. A client that sends neither is no browser of this
// decade, and other checks stand behind this one.
func (config Config) AllowedOrigin(c echo.Context) error {
	request := c.Request()
	origins := request.Header.Values(echo.HeaderOrigin)
	switch {
	case len(origins) > 1:
		return ErrOriginNotAllowed
	case len(origins) == 1:
		if !slices.Contains(config.AllowedOrigins, origins[0]) && !config.ownLoopback(request, origins[0]) {
			return ErrOriginNotAllowed
		}
		return nil
	}
	if !isSafe(request.Method) && request.Header.Get("Sec-Fetch-Site") == "cross-site" {
		return ErrOriginNotAllowed
	}
	return nil
}

// isSafe: of RFC 9110, 9.2.1, what endpoints of ours take. Whatever is not known to
// change nothing may change something.
func isSafe(method string) bool { return method == http.MethodGet || method == http.MethodHead }

// ownLoopback: the page's own origin, on a name that always means this machine.
// That rules out DNS rebinding, where the attacker's name means this machine.
func (config Config) ownLoopback(request *http.Request, origin string) bool {
	if !config.LoopbackSameOrigin {
		return false
	}
	parsed, err := url.Parse(origin)
	if err != nil || parsed.Host != request.Host {
		return false
	}
	return isLoopbackName(parsed.Hostname())
}

func isLoopbackName(host string) bool {
	if ip := net.ParseIP(host); ip != nil {
		return ip.IsLoopback()
	}
	return host == "localhost" || strings.HasSuffix(host, ".localhost") // RFC 6761, 6.3
}

// RequestedWith is the FOS half's second guard: a custom header makes a
// cross-site request need a preflight, which our CORS refuses.
func RequestedWith(c echo.Context) error {
	if c.Request().Header.Get(echo.HeaderXRequestedWith) == "" {
		return ErrNoRequestedWith
	}
	return nil
}

// IfUnsafe is guard for methods that may change something, and lets others pass.
func IfUnsafe(guard Guard) Guard {
	return func(c echo.Context) error {
		if isSafe(c.Request().Method) {
			return nil
		}
		return guard(c)
	}
}

// ipExtractor finds the client's address (I15): the peer's own, or, when the
// peer is a configured proxy, the rightmost address in X-Forwarded-For that is
// not one. What stands left of it is whatever the client wrote.
func (config Config) ipExtractor() echo.IPExtractor {
	if len(config.TrustedProxies) == 0 {
		return echo.ExtractIPDirect()
	}
	options := []echo.TrustOption{echo.TrustLoopback(false), echo.TrustLinkLocal(false), echo.TrustPrivateNet(false)}
	for _, prefix := range config.TrustedProxies {
		options = append(options, echo.TrustIPRange(&net.IPNet{
			IP: prefix.Addr().AsSlice(), Mask: net.CIDRMask(prefix.Bits(), prefix.Addr().BitLen()),
		}))
	}
	return echo.ExtractIPFromXFFHeader(options...)
}

// Origin is where the request came from, in the form that may go inward. The
// address itself stays here.
func (config Config) Origin(c echo.Context) audit.Origin {
	addr, err := netip.ParseAddr(c.RealIP())
	if err != nil {
		addr = netip.Addr{} // a unix socket, or nonsense from a proxy: no pseudonym
	}
	return audit.Origin{Address: config.Pseudonyms.Of(addr, config.Now()), RequestID: infoOf(c).requestID}
}
