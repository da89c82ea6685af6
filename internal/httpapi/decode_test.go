package httpapi_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/labstack/echo/v4"

	"github.com/hello-world-co-op/handoff/internal/httpapi"
)

// letter has the kinds of field that this service's bodies have.
type letter struct {
	To      string  `json:"to"`
	Pages   int     `json:"pages"`
	Subject *string `json:"subject"`
}

// reader is an edge with a strict and a loose endpoint that take a letter and say
// what they read.
func reader(t testing.TB) *edge {
	t.Helper()
	read := func(decode func(echo.Context, any) error) echo.HandlerFunc {
		return func(c echo.Context) error {
			var l letter
			if err := decode(c, &l); err != nil {
				return err
			}
			return httpapi.JSON(c, http.StatusOK, l)
		}
	}
	return serve(t, []httpapi.Route{
		route(http.MethodPost, "/strict", read(httpapi.Decode)), route(http.MethodPost, "/loose", read(httpapi.DecodeLoosely)),
	})
}

const good = `{"to":"ada","pages":2}`

func TestDecode_takesOneObject(t *testing.T) {
	t.Parallel()
	e := reader(t)
	for name, body := range map[string]string{
		"plain": good, "spaced": "\n\t " + good + " \r\n", "another order": `{"pages":2,"to":"ada"}`,
		"escapes": `{"\u0074o":"\u0061da","pages":2}`, "null for what may be missing": `{"to":"ada","pages":2,"subject":null}`,
		"at the limit": good + strings.Repeat(" ", 8192-len(good)),
	} {
		for _, path := range []string{"/strict", "/loose"} {
			if got := e.send(http.MethodPost, path, body); got.status != 200 || got.body["to"] != "ada" || got.body["pages"] != 2.0 {
				t.Errorf("%s at %s: %d %s", name, path, got.status, got.raw)
			}
		}
	}
}

// Two readers of one text must not understand it differently: that is what most
// of these are for.
func TestDecode_refusesWhatCanBeReadInTwoWays(t *testing.T) {
	t.Parallel()
	e := reader(t)
	for _, row := range []struct{ name, body, field, reason string }{
		{"a key twice", `{"to":"ada","to":"eve"}`, "to", "is there twice"},
		{"a key twice, once escaped", `{"to":"ada","\u0074o":"eve"}`, "to", "is there twice"},
		{"a key twice, deep in a field that is not read", `{"to":"ada","x":{"y":1,"y":2}}`, "", ""},
		{"something after it", good + `{"to":"eve"}`, "body", "is not valid JSON"},
		{"a word after it", good + "x", "body", "is not valid JSON"},
		{"NUL after it", good + "\x00", "body", "is not valid JSON"},
		{"null", "null", "body", "has the wrong type"},
		{"spaced null", " null ", "body", "has the wrong type"},
		{"a list", "[" + good + "]", "body", "has the wrong type"},
		{"a string", `"ada"`, "body", "has the wrong type"},
		{"a number", "7", "body", "has the wrong type"},
		{"true", "true", "body", "has the wrong type"},
		{"nothing", " ", "body", "is not valid JSON"},
		{"cut short", good[:len(good)-1], "body", "is not valid JSON"},
		{"a string for a number", `{"to":"ada","pages":"2"}`, "pages", "has the wrong type"},
		{"a number for a string", `{"to":7}`, "to", "has the wrong type"},
		{"a list for a string", `{"to":["ada"]}`, "to", "has the wrong type"},
		{"an object for a string", `{"to":{"$ne":""}}`, "to", "has the wrong type"},
		{"a number with a fraction", `{"pages":2.5}`, "pages", "has the wrong type"},
		{"a number too large", `{"pages":1e99}`, "pages", "has the wrong type"},
		{"a byte order mark", "\ufeff" + good, "body", "is not valid JSON"},
		{"not UTF-8", "{\"to\":\"a\xffda\"}", "body", "is not valid JSON"},
		{"half a surrogate", `{"to":"\ud800"}`, "body", "is not valid JSON"},
		{"UTF-16", "{\x00\"\x00t\x00o\x00\"\x00", "body", "is not valid JSON"},
		{"a bare control character", "{\"to\":\"a\nda\"}", "body", "is not valid JSON"},
		{"a comment", `{"to":"ada"} // eve`, "body", "is not valid JSON"},
		{"a trailing comma", `{"to":"ada",}`, "body", "is not valid JSON"},
		{"single quotes", `{'to':'ada'}`, "body", "is not valid JSON"},
		{"NaN", `{"pages":NaN}`, "body", "is not valid JSON"},
		{"a form", "to=ada&pages=2", "body", "is not valid JSON"},
		{"deep nesting", strings.Repeat(`{"to":`, 1300), "", ""},
		{"deep lists", `{"x":` + strings.Repeat("[", 8000), "", ""},
	} {
		for _, path := range []string{"/strict", "/loose"} {
			wantFault(t, row.name+" at "+path, e.send(http.MethodPost, path, row.body), row.field, row.reason)
		}
	}
}

// wantFault checks an invalid_request with one error; "" is any.
func wantFault(t *testing.T, name string, got reply, field, reason string) {
	t.Helper()
	faults, _ := got.body["errors"].([]any)
	if got.status != http.StatusBadRequest || got.code() != "invalid_request" || len(faults) != 1 {
		t.Errorf("%s: %d %s", name, got.status, got.raw)
		return
	}
	fault, _ := faults[0].(map[string]any)
	if len(fault) != 2 || (field != "" && fault["field"] != field) || (reason != "" && fault["reason"] != reason) {
		t.Errorf("%s: fault %v, want %s %s", name, fault, field, reason)
	}
}

// A name in another case is another name (encoding/json would take it).
func TestDecode_namesAreExact(t *testing.T) {
	t.Parallel()
	e := reader(t)
	for _, body := range []string{`{"To":"ada"}`, `{"TO":"ada"}`, `{"t\u006F ":"ada"}`, `{"to":"ada","cc":"eve"}`, `{"to":"ada","to ":"eve"}`} {
		wantFault(t, body, e.send(http.MethodPost, "/strict", body), "", "is not a field of this request")
	}
	for body, want := range map[string]string{`{"to":"ada","To":"eve","TO":"mallory","extra":{"a":[1]}}`: "ada", `{"To":"eve"}`: ""} {
		if got := e.send(http.MethodPost, "/loose", body); got.status != 200 || got.body["to"] != want {
			t.Errorf("%s at /loose: %d %s", body, got.status, got.raw)
		}
	}
}

// A name that the client made up may be a secret in the wrong place.
func TestI6_aFaultNamesNothingOfTheClients(t *testing.T) {
	t.Parallel()
	e := reader(t)
	for _, secret := range []string{"ada@example.org", strings.Repeat("0123456789abcdef", 4), "Hunter2", strings.Repeat("a", 41)} {
		for _, body := range []string{
			`{"` + secret + `":1}`, `{"to":{"` + secret + `":1}}`, `{"pages":"` + secret + `"}`, `{"` + secret + `":1,"` + secret + `":2}`, secret,
		} {
			if got := e.send(http.MethodPost, "/strict", body); got.status != 400 || strings.Contains(got.raw, secret) {
				t.Errorf("%s is answered with %d %s", body, got.status, got.raw)
			}
		}
	}
	if strings.Contains(e.log.String(), "unter2") || strings.Contains(e.log.String(), "ada@") {
		t.Error("the log has it")
	}
}

func TestDecode_takesNoOtherContentType(t *testing.T) {
	t.Parallel()
	e := reader(t)
	for _, media := range []string{"application/json", "application/json; charset=utf-8", "Application/JSON;charset=UTF-8", `application/json; charset="utf-8"`} {
		if got := e.send(http.MethodPost, "/strict", good, "Content-Type: "+media); got.status != 200 {
			t.Errorf("%s: %d", media, got.status)
		}
	}
	for _, headers := range [][]string{
		{"Content-Type: text/plain"}, // what a form of another site can send without asking
		{"Content-Type: application/x-www-form-urlencoded"}, {"Content-Type: multipart/form-data; boundary=x"},
		{"Content-Type: text/json"}, {"Content-Type: application/jsonp"}, {"Content-Type: application/problem+json"}, {"Content-Type: */*"},
		{"Content-Type: application/json; charset=utf-16"}, {"Content-Type: application/json; charset=iso-8859-1"}, {"Content-Type: application/json;;"},
		{"Content-Type: application/json, text/plain"}, {"Content-Type: "}, {"Content-Type: text/plain; application/json"},
		{"Content-Encoding: gzip"}, {"Content-Encoding: identity"}, {"Content-Encoding: br"},
	} {
		if got := e.send(http.MethodPost, "/strict", good, headers...); got.status != 415 || got.code() != "unsupported_media_type" {
			t.Errorf("%v: %d %s", headers, got.status, got.code())
		}
	}
	const two = "POST /strict HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Type: text/plain\r\nContent-Length: 22\r\n\r\n" + good
	if got := e.sendRaw(two); got.status != 415 {
		t.Errorf("two content types: %d %s", got.status, got.raw)
	}
	const none = "POST /strict HTTP/1.1\r\nHost: x\r\nContent-Length: 22\r\n\r\n" + good
	if got := e.sendRaw(none); got.status != 415 {
		t.Errorf("no content type: %d %s", got.status, got.raw)
	}
}

// I13: 8 KiB, whether the length is announced or not, and whatever the text is.
func TestI13_aBodyIsBounded(t *testing.T) {
	t.Parallel()
	e := reader(t)
	for _, body := range []string{
		good + strings.Repeat(" ", 8193-len(good)), strings.Repeat("x", 8193), `{"to":"` + strings.Repeat("a", 9000) + `"}`,
	} {
		if got := e.send(http.MethodPost, "/strict", body); got.status != 413 || got.code() != "body_too_large" {
			t.Errorf("%d bytes: %d %s", len(body), got.status, got.code())
		}
	}
	const head = "POST /strict HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
	// A megabyte is announced, and answered before it has come.
	if got := e.sendRaw(head + "Content-Length: 1048576\r\n\r\n" + strings.Repeat(" ", 8193)); got.status != 413 {
		t.Errorf("announced: %d %s", got.status, got.raw)
	}
	chunk := "2001\r\n" + strings.Repeat(" ", 0x2001) + "\r\n"
	if got := e.sendRaw(head + "Transfer-Encoding: chunked\r\n\r\n" + chunk + "0\r\n\r\n"); got.status != 413 {
		t.Errorf("chunked: %d %s", got.status, got.raw)
	}
}
