package httpapi_test

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/hello-world-co-op/handoff/internal/testkit"
)

// What is no HTTP, or HTTP that a proxy before us may read differently (RFC 9112, 11.2;
// Linhart et al., "HTTP Request Smuggling", 2005; Kettle, "HTTP Desync Attacks", 2019).
// What stands in braces comes from a good request with a live token in it.
var noHTTP = map[string]string{
	"two lengths":                  "POST {path} HTTP/1.1\r\n{host}{headers}Content-Length: {length}\r\nContent-Length: 5\r\n\r\n{body}",
	"two lengths in one":           "POST {path} HTTP/1.1\r\n{host}{headers}Content-Length: {length}, 5\r\n\r\n{body}",
	"the same length twice in one": "POST {path} HTTP/1.1\r\n{host}{headers}Content-Length: {length}, {length}\r\n\r\n{body}",
	"a length with a sign":         "POST {path} HTTP/1.1\r\n{host}{headers}Content-Length: +{length}\r\n\r\n{body}",
	"a negative length":            "POST {path} HTTP/1.1\r\n{host}{headers}Content-Length: -{length}\r\n\r\n{body}",
	"an empty length":              "POST {path} HTTP/1.1\r\n{host}{headers}Content-Length: \r\n\r\n{body}",
	"a length in hexadecimal":      "POST {path} HTTP/1.1\r\n{host}{headers}Content-Length: 0x{hex}\r\n\r\n{body}",
	"a length of 2^64":             "POST {path} HTTP/1.1\r\n{host}{headers}Content-Length: 18446744073709551616\r\n\r\n{body}",
	"a length that is a word":      "POST {path} HTTP/1.1\r\n{host}{headers}Content-Length: all\r\n\r\n{body}",
	"a length with a space before": "POST {path} HTTP/1.1\r\n{host}{headers}Content-Length : {length}\r\n\r\n{body}",
	"a length and a bad encoding":  "POST {path} HTTP/1.1\r\n{host}{headers}Content-Length: {length}\r\nTransfer-Encoding: xchunked\r\n\r\n{body}",
	"an encoding of two":           "POST {path} HTTP/1.1\r\n{host}{headers}Transfer-Encoding: chunked, identity\r\n\r\n{hex}\r\n{body}\r\n0\r\n\r\n",
	"an encoding twice":            "POST {path} HTTP/1.1\r\n{host}{headers}Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n{hex}\r\n{body}\r\n0\r\n\r\n",
	"an encoding in quotes":        "POST {path} HTTP/1.1\r\n{host}{headers}Transfer-Encoding: \"chunked\"\r\n\r\n{hex}\r\n{body}\r\n0\r\n\r\n",
	"an encoding with a tab":       "POST {path} HTTP/1.1\r\n{host}{headers}Transfer-Encoding:\x0bchunked\r\n\r\n{hex}\r\n{body}\r\n0\r\n\r\n",
	"an encoding on a second line": "POST {path} HTTP/1.1\r\n{host}{headers}Transfer-Encoding:\r\n chunked, x\r\n\r\n{hex}\r\n{body}\r\n0\r\n\r\n",
	"a header without a colon":     "POST {path} HTTP/1.1\r\n{host}{headers}Content-Length: {length}\r\nX\r\n\r\n{body}",
	"a header without a name":      "POST {path} HTTP/1.1\r\n{host}{headers}Content-Length: {length}\r\n: x\r\n\r\n{body}",
	"a header with NUL":            "POST {path} HTTP/1.1\r\n{host}{headers}Content-Length: {length}\r\nX: a\x00b\r\n\r\n{body}",
	"a header with DEL":            "POST {path} HTTP/1.1\r\n{host}{headers}Content-Length: {length}\r\nX: a\x7fb\r\n\r\n{body}",
	"a header with a bare CR":      "POST {path} HTTP/1.1\r\n{host}{headers}Content-Length: {length}\r\nX: a\rY: b\r\n\r\n{body}",
	"a header name with a space":   "POST {path} HTTP/1.1\r\n{host}{headers}Content-Length: {length}\r\nX Y: a\r\n\r\n{body}",
	"a header name in UTF-8":       "POST {path} HTTP/1.1\r\n{host}{headers}Content-Length: {length}\r\nÜ: a\r\n\r\n{body}",
	"a first header that goes on":  "POST {path} HTTP/1.1\r\n X: y\r\n{host}{headers}Content-Length: {length}\r\n\r\n{body}",
	"two hosts":                    "POST {path} HTTP/1.1\r\n{host}{headers}Host: evil.test\r\nContent-Length: {length}\r\n\r\n{body}",
	"a host with a slash":          "POST {path} HTTP/1.1\r\nHost: a/b\r\n{headers}Content-Length: {length}\r\n\r\n{body}",
	"no host":                      "POST {path} HTTP/1.1\r\n{headers}Content-Length: {length}\r\n\r\n{body}",
	"no version":                   "POST {path}\r\n{host}{headers}Content-Length: {length}\r\n\r\n{body}",
	"a version of two":             "POST {path} HTTP/1.1 HTTP/1.1\r\n{host}{headers}Content-Length: {length}\r\n\r\n{body}",
	"a version that is none":       "POST {path} HTTP/one\r\n{host}{headers}Content-Length: {length}\r\n\r\n{body}",
	"version 9.9":                  "POST {path} HTTP/9.9\r\n{host}{headers}Content-Length: {length}\r\n\r\n{body}",
	"the preface of HTTP/2":        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
	"a method with a slash":        "PO/ST {path} HTTP/1.1\r\n{host}{headers}Content-Length: {length}\r\n\r\n{body}",
	"no method":                    " {path} HTTP/1.1\r\n{host}{headers}Content-Length: {length}\r\n\r\n{body}",
	"a path with a space":          "POST {path} x HTTP/1.1\r\n{host}{headers}Content-Length: {length}\r\n\r\n{body}",
	"a path with a control":        "POST {path}\x01 HTTP/1.1\r\n{host}{headers}Content-Length: {length}\r\n\r\n{body}",
	"a path with half an escape":   "POST {path}%2 HTTP/1.1\r\n{host}{headers}Content-Length: {length}\r\n\r\n{body}",
	"a path without a slash":       "POST x{path} HTTP/1.1\r\n{host}{headers}Content-Length: {length}\r\n\r\n{body}",
	"an expectation":               "POST {path} HTTP/1.1\r\n{host}{headers}Expect: the-worst\r\nContent-Length: {length}\r\n\r\n{body}",
	"a body cut short":             "POST {path} HTTP/1.1\r\n{host}{headers}Content-Length: 500\r\n\r\n{body}",
	"chunks cut short":             "POST {path} HTTP/1.1\r\n{host}{headers}Transfer-Encoding: chunked\r\n\r\n{hex}\r\n{body}\r\n",
	"TLS":                          "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
	"Redis' language":              "*1\r\n$8\r\nFLUSHALL\r\n",
	"nothing but lines":            "\r\n\r\n\r\n\r\n",
}

// I1: what is no HTTP is turned away by net/http itself, mostly with 400, and nothing in
// it takes effect. RFC 9112, 6.1, wants 501 for a transfer coding that is not known, and
// RFC 9110, 15.6.6, 505 for a version: both are about the client, whatever their number.
func TestI1_whatIsNoHTTPChangesNothing(t *testing.T) {
	t.Parallel()
	b := besiege(t)
	before := b.state(t)
	for _, to := range b.endpoints {
		if !to.carriesToken {
			continue
		}
		for name, text := range noHTTP {
			for i, got := range speak(t, to.addr, to.filled(text), true) {
				allowed := got.status >= 400 && got.status < 500 || got.status == http.StatusNotImplemented || got.status == http.StatusHTTPVersionNotSupported
				if !allowed || len(got.header.Values("Set-Cookie")) > 0 {
					t.Errorf("%s, %s: answer %d is %d %s", to, name, i, got.status, got.raw)
				}
			}
		}
	}
	if b.state(t) != before {
		t.Error("something has changed")
	}
	b.allGoWell(t)
}

// filled is the text with a good request's parts.
func (e endpoint) filled(text string) string {
	return strings.NewReplacer("{path}", e.path, "{host}", "Host: "+e.addr+"\r\n", "{headers}", strings.Join(e.headers, "\r\n")+"\r\n",
		"{length}", strconv.Itoa(len(e.body)), "{hex}", strconv.FormatInt(int64(len(e.body)), 16), "{body}", e.body).Replace(text)
}

// The attack: a second request hides in the body of a first one that is refused, and is
// taken for one of its own by whoever reads the connection on. With both a length and
// chunks, RFC 9112, 6.3, lets a server go by the chunks and demands that it closes.
func TestI1_aBodyIsNotTakenForARequest(t *testing.T) {
	t.Parallel()
	b := besiege(t)
	good := b.endpoints[slices.IndexFunc(b.endpoints, hasToken)]
	hidden := good.wire.set("Connection", "").String()
	before := b.state(t)
	for name, text := range map[string]string{
		"behind a body that is too large": good.say(strings.Repeat(" ", 9000) + hidden).String(),
		"in a body of another type":       good.set("Content-Type", "text/plain").say(hidden).String(),
		"in a body without a bearer":      good.set("Authorization", "").say(hidden).String(),
		"in a body for nobody":            wire{good.addr, http.MethodPost, "/nowhere", nil, hidden, 0}.String(),
		"behind chunks for nobody, by the length": wire{good.addr, http.MethodPost, "/nowhere", nil, "", 0}.
			add(fmt.Sprintf("Content-Length: %d", len(hidden)+5)).add("Transfer-Encoding: chunked").say("0\r\n\r\n" + hidden).String(),
		"behind the length of an older protocol, by the chunks": strings.Replace(
			wire{good.addr, http.MethodPost, "/nowhere", []string{"Content-Length: 5", "Transfer-Encoding: chunked"}, "0\r\n\r\n" + hidden, 0}.
				String(), " HTTP/1.1\r\n", " HTTP/1.0\r\nConnection: keep-alive\r\n", 1),
		"behind chunks, by the length": good.set("Authorization", "").add(fmt.Sprintf("Content-Length: %d", len(hidden)+5)).
			add("Transfer-Encoding: chunked").say("0\r\n\r\n" + hidden).String(),
	} {
		text = strings.Replace(text, "Connection: close\r\n", "", 1)
		// Who says no more is taken for gone, and what was hidden might be given up for that:
		// where the server has to close by itself, this side stays.
		answers := speak(t, good.addr, text, !strings.Contains(text, "chunked"))
		if len(answers) == 0 || answers[0].status/100 != 4 {
			t.Errorf("%s: %v", name, answers)
		}
		for _, more := range answers[min(1, len(answers)):] {
			if more.status < 300 {
				t.Errorf("%s: what was hidden is answered %d", name, more.status)
			}
		}
	}
	if b.state(t) != before {
		t.Error("something has changed")
	}
	if got := good.send(t); got.status != http.StatusOK || testkit.Count(t, b.DAO, `SELECT count(*) FROM handoffs WHERE redeemed_as = 'exchanged'`) != 2 { // the other one led to a question
		t.Errorf("the token is no longer good: %d %s", got.status, got.raw)
	}
}
