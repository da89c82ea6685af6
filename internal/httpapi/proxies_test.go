package httpapi_test

import (
	"net/http"
	"net/netip"
	"testing"

	"github.com/labstack/echo/v4"

	"github.com/hello-world-co-op/handoff/internal/audit"
	"github.com/hello-world-co-op/handoff/internal/httpapi"
	"github.com/hello-world-co-op/handoff/internal/privacy"
)

// seenBy sends a request from this machine and returns the origin that goes
// inward, and the one that address would have.
func seenBy(t *testing.T, proxies []string, as string, headers ...string) (seen audit.Origin, want privacy.Pseudonym) {
	t.Helper()
	config := configOf(t, &logBuffer{})
	for _, proxy := range proxies {
		config.TrustedProxies = append(config.TrustedProxies, netip.MustParsePrefix(proxy))
	}
	e := serve(t, []httpapi.Route{route(http.MethodGet, "/", func(c echo.Context) error {
		seen = config.Origin(c)
		return ok(c)
	})}, func(c *httpapi.Config) { c.TrustedProxies = config.TrustedProxies })
	if got := e.send(http.MethodGet, "/", "", headers...); got.status != 200 {
		t.Fatal(got.status)
	}
	if as != "" {
		want = config.Pseudonyms.Of(netip.MustParseAddr(as), noon)
	}
	return seen, want
}

// I15: nothing that a client says of its own address is believed, unless the
// peer is a proxy that an operator named; then the rightmost address that is no
// such proxy counts.
func TestI15_theClientsAddressIsFoundFromTheRight(t *testing.T) {
	t.Parallel()
	const here = "127.0.0.1" // where the tests' requests come from
	for _, row := range []struct {
		name    string
		proxies []string
		headers []string
		want    string
	}{
		{"no proxy, nothing said", nil, nil, here},
		{"no proxy, a claim", nil, []string{"X-Forwarded-For: 203.0.113.7"}, here},
		{"no proxy, other claims", nil, []string{"X-Real-IP: 203.0.113.7", "Forwarded: for=203.0.113.7", "True-Client-IP: 203.0.113.7", "CF-Connecting-IP: 203.0.113.7"}, here},
		{"a proxy, elsewhere", []string{"10.0.0.0/8"}, []string{"X-Forwarded-For: 203.0.113.7"}, here},
		{"this machine is the proxy", []string{"127.0.0.1/32"}, []string{"X-Forwarded-For: 203.0.113.7"}, "203.0.113.7"},
		{"the proxy says nothing", []string{"127.0.0.1/32"}, nil, here},
		{"the proxy uses another header, which was not agreed", []string{"127.0.0.1/32"}, []string{"X-Real-IP: 203.0.113.7"}, here},
		{"a client's own claim stands to the left", []string{"127.0.0.1/32"}, []string{"X-Forwarded-For: 198.51.100.1, 203.0.113.7"}, "203.0.113.7"},
		{"a client's own header comes first", []string{"127.0.0.1/32"}, []string{"X-Forwarded-For: 198.51.100.1", "X-Forwarded-For: 203.0.113.7"}, "203.0.113.7"},
		{"two proxies in a row", []string{"127.0.0.1/32", "10.0.0.0/8"}, []string{"X-Forwarded-For: 198.51.100.1, 203.0.113.7, 10.1.2.3"}, "203.0.113.7"},
		{"a private address that no operator named", []string{"127.0.0.1/32"}, []string{"X-Forwarded-For: 203.0.113.7, 192.168.1.1"}, "192.168.1.1"},
		{"a link-local one", []string{"127.0.0.1/32"}, []string{"X-Forwarded-For: 203.0.113.7, 169.254.1.1"}, "169.254.1.1"},
		{"a loopback one that no operator named", []string{"127.0.0.1/32"}, []string{"X-Forwarded-For: 203.0.113.7, 127.0.0.2"}, "127.0.0.2"},
		{"nonsense at the left", []string{"127.0.0.1/32"}, []string{"X-Forwarded-For: ' OR 1=1, 203.0.113.7"}, "203.0.113.7"},
		{"nonsense at the right", []string{"127.0.0.1/32"}, []string{"X-Forwarded-For: 203.0.113.7, ' OR 1=1"}, here},
		{"IPv6, cut to its /64", []string{"127.0.0.1/32"}, []string{"X-Forwarded-For: 2001:db8::1:2:3:4"}, "2001:db8::"},
		{"IPv4 in IPv6's clothes", []string{"127.0.0.1/32"}, []string{"X-Forwarded-For: ::ffff:203.0.113.7"}, "203.0.113.7"},
	} {
		seen, want := seenBy(t, row.proxies, row.want, row.headers...)
		if seen.Address != want {
			t.Errorf("%s: the pseudonym is not that of %s", row.name, row.want)
		}
		if seen.RequestID == "" {
			t.Errorf("%s: no request id", row.name)
		}
	}
}
