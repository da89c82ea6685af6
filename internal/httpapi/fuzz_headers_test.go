package httpapi_test

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/labstack/echo/v4"

	"github.com/hello-world-co-op/handoff/internal/httpapi"
	"github.com/hello-world-co-op/handoff/internal/privacy"
)

var key = regexp.MustCompile(`\A[!-~]{16,128}\z`)

// FuzzIdempotencyKey: what is taken is one header of 16 to 128 visible ASCII
// characters, as it is; none is no key; everything else is an invalid request.
func FuzzIdempotencyKey(f *testing.F) {
	for _, seed := range []string{"", strings.Repeat("k", 15), strings.Repeat("k", 16), strings.Repeat("k", 128), strings.Repeat("k", 129), "with a space within", "0123456789abcdef\n", "0123456789abcdé", "\x00123456789abcdef", "~!~!~!~!~!~!~!~!"} {
		f.Add(seed, "", false)
		f.Add(seed, seed, true)
	}
	e := echo.New()
	f.Fuzz(func(t *testing.T, first, second string, two bool) {
		request := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", nil)
		request.Header["Idempotency-Key"] = []string{first}
		if two {
			request.Header["Idempotency-Key"] = []string{first, second}
		}
		got, err := httpapi.IdempotencyKey(e.NewContext(request, httptest.NewRecorder()))
		if good := !two && key.MatchString(first); good != (err == nil) || good && got != first || !good && got != "" {
			t.Fatalf("%q, %q (two: %v): %q, %v", first, second, two, got, err)
		}
		if err != nil && !errors.Is(err, httpapi.ErrInvalidRequest) {
			t.Fatal(err)
		}
	})
}

// FuzzOrigin: an Origin passes that is on the list, to the byte; in development also the
// one whose host is the request's own and always this machine's. Nothing panics.
func FuzzOrigin(f *testing.F) {
	for _, origin := range []string{
		allowed, allowed + "/", allowed + ":443", strings.ToUpper(allowed), "null", "", "https://evil.test", allowed + ".evil.test", "https://evil.test@think-tank.test", "http://localhost:8787",
		"http://127.0.0.1:8787", "http://[::1]:8787", "http://[::1]:8787@evil.test", "http://localhost:8787.evil.test", "http://evil.localhost:8787", "http://[::1", "%", "//localhost:8787", "javascript://localhost:8787",
	} {
		for _, host := range []string{"localhost:8787", "evil.test", "127.0.0.1:8787", "[::1]:8787", ""} {
			f.Add(origin, host, true)
		}
		f.Add(origin, "localhost:8787", false)
	}
	e := echo.New()
	f.Fuzz(func(t *testing.T, origin, host string, development bool) {
		config := httpapi.Config{AllowedOrigins: []string{allowed}, LoopbackSameOrigin: development}
		request := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", nil)
		request.Host, request.Header["Origin"] = host, []string{origin}
		err := config.AllowedOrigin(e.NewContext(request, httptest.NewRecorder()))
		if err != nil {
			if !errors.Is(err, httpapi.ErrOriginNotAllowed) || origin == allowed {
				t.Fatalf("%q at %q: %v", origin, host, err)
			}
			return
		}
		if origin == allowed {
			return
		}
		parsed, broken := url.Parse(origin)
		if !development || broken != nil || parsed.Host != host || !strings.Contains(origin, host) || !thisMachine(parsed.Hostname()) {
			t.Fatalf("%q passes at %q", origin, host)
		}
	})
}

// thisMachine is a name that nobody's DNS decides about (RFC 6761, 6.3).
func thisMachine(name string) bool {
	addr, err := netip.ParseAddr(name)
	return name == "localhost" || strings.HasSuffix(name, ".localhost") || err == nil && addr.Unmap().IsLoopback()
}

// walker is an edge that tells whence a request came, with these proxies.
func walker(f *testing.F, proxies ...string) func(t *testing.T, forwarded ...string) privacy.Pseudonym {
	f.Helper()
	config := configOf(f, io.Discard)
	for _, proxy := range proxies {
		config.TrustedProxies = append(config.TrustedProxies, netip.MustParsePrefix(proxy))
	}
	var seen privacy.Pseudonym
	handler := httpapi.New(config, []httpapi.Route{route(http.MethodGet, "/", func(c echo.Context) error {
		seen = config.Origin(c).Address
		return ok(c)
	})})
	return func(t *testing.T, forwarded ...string) privacy.Pseudonym {
		request := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil)
		request.RemoteAddr = "10.0.0.1:1234"
		request.Header["X-Forwarded-For"] = forwarded
		answer := httptest.NewRecorder()
		handler.ServeHTTP(answer, request)
		if size := len(strings.Join(forwarded, "")); answer.Code != http.StatusOK && size < 8<<10 {
			t.Fatalf("%q: %d", forwarded, answer.Code)
		}
		return seen
	}
}

// FuzzForwardedFor (I15): whatever a client writes, it is believed in nothing. Without a
// proxy the header does not count; with one, what stands left of the address that the
// proxy adds does not; and an address that comes out stands in the header.
func FuzzForwardedFor(f *testing.F) {
	for _, seed := range []string{
		"", "203.0.113.7", "203.0.113.7, 10.1.1.1", "10.0.0.9, 10.0.0.8", ",", ", ,", "::1", "[2001:db8::1]", "[2001:db8::1]:443", "203.0.113.7:443", "::ffff:203.0.113.7", "fe80::1%eth0",
		"unknown", "_hidden", "127.0.0.1", "203.0.113.007", "1.2.3", "0x7f.1", "203.0.113.7\x00", "203.0.113.7 , ", "é", strings.Repeat("10.0.0.1,", 500), "'; DROP TABLE", "203.0.113.7\t,10.0.0.1",
	} {
		f.Add(seed, seed)
	}
	direct, proxied := walker(f), walker(f, "10.0.0.0/8")
	of := configOf(f, io.Discard).Pseudonyms
	peer, stranger := of.Of(netip.MustParseAddr("10.0.0.1"), noon), of.Of(netip.MustParseAddr("198.51.100.99"), noon)
	f.Fuzz(func(t *testing.T, first, second string) {
		if len(first)+len(second) > 4<<10 {
			return // another test's: the headers are bounded
		}
		if got := direct(t, first, second); got != peer {
			t.Fatalf("%q, %q is believed without a proxy", first, second)
		}
		for _, forwarded := range [][]string{{first, second, "198.51.100.99"}, {first + "," + second + ",198.51.100.99"}, {first, "198.51.100.99, 10.0.0.7 ,10.0.0.8"}} {
			if got := proxied(t, forwarded...); got != stranger {
				t.Fatalf("%q: what stands to the left is believed", forwarded)
			}
		}
		got := proxied(t, first, second)
		for part := range strings.SplitSeq(first+","+second, ",") {
			addr, err := netip.ParseAddr(strings.TrimSuffix(strings.TrimPrefix(strings.TrimSpace(part), "["), "]"))
			if err == nil && got == of.Of(addr, noon) {
				return
			}
		}
		if got != peer && got != (privacy.Pseudonym{}) {
			t.Fatalf("%q, %q: an address that is not there", first, second)
		}
	})
}
