package handoff_test

import (
	"net/url"
	"strings"
	"testing"
	"unicode"

	"github.com/hello-world-co-op/handoff/internal/handoff"
)

func TestValidReturnPath_staysOnTheSite(t *testing.T) {
	t.Parallel()
	for _, path := range []string{
		"/", "/plans", "/plans/7?tab=2#notes", "/a:b", "/http:evil.test", "/@evil.test", "/caf\u00e9/\u6771\u4eac",
		"/search?next=https%3A%2F%2Fevil.test%2F", "/%2e%2e/plans", "/%09/evil.test", "/%5cevil.test", "/%2f%2fevil.test",
		"/a b", "/\uff0f\uff0fevil.test", "/~ada", "/a;b=c", "/?x=%zz", "/" + strings.Repeat("a", 511),
	} {
		if !handoff.ValidReturnPath(path) {
			t.Errorf("%q is refused", path)
		}
	}
}

// The attack is an open redirect: what leaves the site in any browser, or after
// any page's own rewriting.
func TestValidReturnPath_refusesEveryWayOut(t *testing.T) {
	t.Parallel()
	for name, path := range map[string]string{
		"empty":                                "",
		"no slash":                             "plans",
		"a full address":                       "https://evil.test/",
		"scheme-relative":                      "//evil.test",
		"three slashes":                        "///evil.test",
		"five slashes":                         "/////evil.test",
		"scheme without slashes":               "https:evil.test",
		"javascript":                           "javascript:alert(1)",
		"data":                                 "data:text/html,x",
		"javascript after a newline":           "\njavascript:alert(1)",
		"backslash for slash":                  `/\evil.test`,
		"two backslashes":                      `\\evil.test`,
		"backslash first":                      `\/evil.test`,
		"backslash further on":                 `/a/..\\evil.test`,
		"a tab, which browsers drop":           "/\t/evil.test",
		"a newline, which browsers drop":       "/\n/evil.test",
		"a carriage return":                    "/\r/evil.test",
		"header splitting":                     "/a\r\nSet-Cookie: x=y",
		"NUL":                                  "/\x00/evil.test",
		"DEL":                                  "/\x7f/evil.test",
		"a C1 control character":               "/\u0085/evil.test",
		"a leading space, which browsers trim": " //evil.test",
		"a leading no-break space":             "\u00a0/evil.test",
		"a byte order mark":                    "\ufeff//evil.test",
		"dots that resolve to //":              "/.//evil.test",
		"dots that go up to //":                "/..//evil.test",
		"percent-encoded dots before //":       "/%2e%2e//evil.test",
		"// further on":                        "/a//evil.test",
		"an address in the query, unencoded":   "/a?next=https://evil.test",
		"a query alone":                        "?next=/",
		"a fragment alone":                     "#/",
		"at sign":                              "@evil.test",
		"dot":                                  ".evil.test",
		"an encoded slash first":               "%2f%2fevil.test",
		"a broken escape":                      "/%zz",
		"an escape cut short":                  "/%2",
		"not UTF-8":                            "/\xff\xfe",
		"overlong slash":                       "/\xc0\xafevil.test",
		"513 bytes":                            "/" + strings.Repeat("a", 512),
		"513 bytes in fewer characters":        "/" + strings.Repeat("\u00e9", 256),
	} {
		if handoff.ValidReturnPath(path) {
			t.Errorf("%s: %q is taken", name, path)
		}
	}
}

// FuzzValidReturnPath: what is taken, opened on a site, is on that site, however
// often a page resolves it, and has nothing that a browser or a header would
// take for something else.
func FuzzValidReturnPath(f *testing.F) {
	for _, seed := range []string{"/", "//evil.test", `/\evil.test`, "/.//evil.test", "/\t/evil.test", "/a?b#c", "https:evil.test"} {
		f.Add(seed)
	}
	site := &url.URL{Scheme: "https", Host: "founderyos.test", Path: "/cross-domain"}
	f.Fuzz(func(t *testing.T, path string) {
		if !handoff.ValidReturnPath(path) {
			return
		}
		if len(path) > 512 || path[0] != '/' || strings.ContainsFunc(path, unicode.IsControl) || strings.ContainsAny(path, `\`) {
			t.Fatalf("%q is taken", path)
		}
		// A browser drops what is below a space before it reads; nothing must be left
		// that then begins otherwise.
		if trimmed := strings.TrimSpace(path); strings.HasPrefix(trimmed, "//") {
			t.Fatalf("%q begins with two slashes once trimmed", path)
		}
		opened, err := site.Parse(path)
		for range 2 {
			if err != nil || opened.Scheme != "https" || opened.Host != "founderyos.test" || opened.User != nil {
				t.Fatalf("%q opens %v, %v", path, opened, err)
			}
			opened, err = site.Parse(opened.RequestURI()) // a page that takes the path of what it resolved
		}
	})
}
