package httpapi_test

import (
	"bytes"
	"compress/gzip"
	"net/http"
	"slices"
	"strings"

	"github.com/hello-world-co-op/handoff/internal/testkit"
)

// attack is one thing that is wrong with a request, and the code that says so.
type attack struct {
	name, code string
	fits       func(endpoint) bool
	change     func(wire) wire
}

var attacks = slices.Concat(badBodies(), badFrames(), badTypes(), badFields(), badTokens(), badMethods(), badPaths(),
	badStarts(), badOrigins(), badBearers(), badPages(), badUsers(), badHeaders())

func each(endpoint) bool        { return true }
func hasBody(e endpoint) bool   { return e.reads != noBody }
func exactly(e endpoint) bool   { return e.reads == precise }
func hasFields(e endpoint) bool { return strings.HasPrefix(e.body, `{"`) }
func hasToken(e endpoint) bool  { return e.carriesToken }
func demand(what ...int) func(endpoint) bool {
	return func(e endpoint) bool { return slices.Contains(what, e.demands) }
}

// attacksOf makes one attack of each change.
func attacksOf(code string, fits func(endpoint) bool, changes map[string]func(wire) wire) []attack {
	list := make([]attack, 0, len(changes))
	for name, change := range changes {
		list = append(list, attack{name, code, fits, change})
	}
	return list
}

// bodiesOf makes one attack of each way to spoil a good body.
func bodiesOf(code string, fits func(endpoint) bool, spoils map[string]func(body string) string) []attack {
	list := make([]attack, 0, len(spoils))
	for name, spoil := range spoils {
		list = append(list, attack{name, code, fits, func(w wire) wire { return w.say(spoil(w.body)) }})
	}
	return list
}

// as is a body that has nothing of the good one.
func as(body string) func(string) string { return func(string) string { return body } }

// with is a good object with one member more.
func with(member string) func(string) string {
	return func(body string) string {
		comma := ","
		if body == "{}" {
			comma = ""
		}
		return strings.TrimSuffix(body, "}") + comma + member + "}"
	}
}

// instead is a good object with another value as its first member.
func instead(value string) func(string) string {
	return func(body string) string {
		name, rest, _ := strings.Cut(body, `":"`)
		_, rest, _ = strings.Cut(rest, `"`)
		return name + `":` + value + rest
	}
}

func badBodies() []attack {
	return slices.Concat(
		bodiesOf("invalid_request", hasBody, map[string]func(string) string{
			"a form": as("token=abc"), "null": as("null"), "a number": as("12"), "true": as("true"), "a space": as(" "), "HTML": as("<script>alert(1)</script>"),
			"an empty list": as("[]"), "NUL alone": as("\x00"), "binary": as("\x89PNG\r\n\x1a\n\x00\x01\x02\xff\xfe"), "a percent": as("%7b%7d"),
			"a list of it":              func(b string) string { return "[" + b + "]" },
			"twice":                     func(b string) string { return b + b },
			"something else behind it":  func(b string) string { return b + "x" },
			"NUL behind it":             func(b string) string { return b + "\x00" },
			"NUL before it":             func(b string) string { return "\x00" + b },
			"a byte order mark":         func(b string) string { return "\ufeff" + b },
			"UTF-16":                    func(b string) string { return "\xff\xfe" + strings.Join(strings.Split(b, ""), "\x00") },
			"not closed":                func(b string) string { return strings.TrimSuffix(b, "}") },
			"a comment":                 func(b string) string { return "/**/" + b },
			"every member twice":        func(b string) string { return strings.TrimSuffix(b, "}") + "," + strings.TrimPrefix(b, "{") },
			"a comma too many":          func(b string) string { return strings.TrimSuffix(b, "}") + ",}" },
			"bytes that are not UTF-8":  with("\"a\":\"\xff\""),
			"half a surrogate":          with(`"a":"\ud800"`),
			"a control character":       with("\"a\":\"\x01\""),
			"NaN":                       with(`"a":NaN`),
			"a number like 0x10":        with(`"a":0x10`),
			"a key twice":               with(`"a":1,"a":2`),
			"a key twice, once escaped": with(`"a":1,"\u0061":2`),
			"nested without end":        with(`"a":` + strings.Repeat("[", 8000)),
			"objects without end":       with(strings.Repeat(`"a":{`, 1300)),
		}),
		bodiesOf("body_too_large", hasBody, map[string]func(string) string{
			"8 KiB of spaces": func(b string) string { return b + strings.Repeat(" ", 8193-len(b)) },
			"a long text":     with(`"a":"` + strings.Repeat("x", 9000) + `"`),
		}),
		attacksOf("body_too_large", hasBody, map[string]func(wire) wire{
			"a number of a megabyte": func(w wire) wire {
				w.body, w.short = `{"token":`+strings.Repeat("1", 1<<20)+"}", 16<<10
				return w
			},
		}),
	)
}

func badFrames() []attack {
	chunked := func(body string) func(wire) wire {
		return func(w wire) wire { return w.add("Transfer-Encoding: chunked").say(body) }
	}
	return slices.Concat(
		attacksOf("invalid_request", hasBody, map[string]func(wire) wire{
			"chunks of no size":           chunked("zz\r\n{}\r\n0\r\n\r\n"),
			"a chunk of negative size":    chunked("-2\r\n{}\r\n0\r\n\r\n"),
			"a chunk longer than it is":   chunked("2\r\n{}{}\r\n0\r\n\r\n"),
			"a chunk with a bare LF":      chunked("2\n{}\n0\n\n"),
			"a chunk of 2^64":             chunked("10000000000000000\r\n{}\r\n0\r\n\r\n"),
			"chunks of what is no JSON":   chunked("3\r\n{},\r\n0\r\n\r\n"),
			"no chunks":                   chunked("0\r\n\r\n"),
			"chunks with a bad trailer":   chunked("2\r\n{}\r\n0\r\nnot a trailer\r\n\r\n"),
			"a chunk with a long comment": chunked("2;" + strings.Repeat("c", 5000) + "\r\n{}\r\n0\r\n\r\n"),
		}),
		attacksOf("body_too_large", hasBody, map[string]func(wire) wire{
			"chunks of 9 KiB": chunked("2400\r\n" + strings.Repeat(" ", 9216) + "\r\n0\r\n\r\n"),
		}),
	)
}

func badTypes() []attack {
	var list []attack
	for _, value := range []string{
		"", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "application/json, text/plain", "application/jsonp",
		"application/vnd.api+json", "json", "*/*", "application/json; charset=utf-16", "application/json; charset", "application/json/x", "/",
	} {
		list = append(list, attack{"the type " + value, "unsupported_media_type", hasBody, func(w wire) wire { return w.set("Content-Type", value) }})
	}
	var packed bytes.Buffer
	zip := gzip.NewWriter(&packed)
	_, _ = zip.Write([]byte(strings.Repeat(" ", 1<<20) + "{}"))
	_ = zip.Close()
	return append(list, attacksOf("unsupported_media_type", hasBody, map[string]func(wire) wire{
		"two types":           func(w wire) wire { return w.add("Content-Type: text/plain") },
		"the same type twice": func(w wire) wire { return w.add("Content-Type: application/json") },
		"a packed megabyte":   func(w wire) wire { return w.add("Content-Encoding: gzip").say(packed.String()) },
		"said to be packed":   func(w wire) wire { return w.add("Content-Encoding: deflate, gzip") },
	})...)
}

func badFields() []attack {
	mints := func(e endpoint) bool { return strings.Contains(e.body, "entry_product") }
	signsIn := func(e endpoint) bool { return strings.Contains(e.body, "password") }
	spoils := map[string]func(string) string{}
	for _, field := range []string{
		`"return_path":"//evil.test"`, `"return_path":"/\\evil.test"`, `"return_path":"https://evil.test"`, `"return_path":"/a\u0000"`, `"return_path":"/a\r\nSet-Cookie: a=b"`,
		`"return_path":""`, `"return_path":7`, `"return_path":"/` + strings.Repeat("a", 512) + `"`, `"target_domain":"evil.test"`, `"target_domain":"founderyos.test.evil.test"`,
		`"target_domain":"FOUNDERYOS.TEST"`, `"target_domain":["founderyos.test"]`, `"challenge":"x"`, `"challenge":"` + strings.Repeat("=", 43) + `"`, `"challenge":{}`,
	} {
		spoils[field] = with(field)
	}
	return slices.Concat(
		bodiesOf("invalid_request", exactly, map[string]func(string) string{
			"an unknown field": with(`"admin":true`), "a field of a prototype": with(`"__proto__":{"admin":true}`), "a deep field": with(`"a":` + strings.Repeat("[", 3000) + strings.Repeat("]", 3000)),
			"an empty name": with(`"":1`), "a name with NUL": with(`"\u0000":1`),
		}),
		bodiesOf("invalid_request", hasFields, map[string]func(string) string{
			"another case": func(b string) string { return `{"` + strings.ToUpper(b[2:3]) + b[3:] }, "a number instead": instead("7"), "1e999 instead": instead("1e999"),
			"a list instead": instead(`["a"]`), "an object instead": instead(`{"$ne":""}`), "false instead": instead("false"), "deep instead": instead(strings.Repeat("[", 3000) + strings.Repeat("]", 3000)),
			"a number of 8000 digits instead": instead(strings.Repeat("9", 8000)),
		}),
		bodiesOf("invalid_request", mints, spoils),
		bodiesOf("invalid_request", mints, map[string]func(string) string{
			"no product": as("{}"), "another product": instead(`"casino"`), "null as product": instead("null"), "NUL in the product": instead(`"dao\u0000"`),
		}),
		bodiesOf("invalid_request", signsIn, map[string]func(string) string{
			"nothing filled in": as("{}"), "no password": as(`{"email":"ada@example.org"}`), "empty": as(`{"email":"","password":""}`), "null": as(`{"email":null,"password":null}`),
		}),
	)
}

func badTokens() []attack {
	const hex = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
	spoils := map[string]func(string) string{}
	for _, value := range []string{
		`""`, "null", `"` + hex[1:] + `"`, `"` + hex + `0"`, `"` + strings.ToUpper(hex) + `"`, `" ` + hex[1:] + `"`, `"` + hex[1:] + `\n"`, `"` + hex[1:] + `\u0000"`,
		`"0x` + hex[2:] + `"`, `"` + hex[1:] + `g"`, `"'; DROP TABLE handoffs; --"`, `"../../etc/passwd"`, `"\uff10` + hex[3:] + `"`, `"*"`, `"` + strings.Repeat(hex, 100) + `"`,
	} {
		spoils["the token "+value] = instead(value)
	}
	keys := map[string]func(wire) wire{"two keys": func(w wire) wire {
		return w.add("Idempotency-Key: 0123456789abcdef").add("Idempotency-Key: 0123456789abcdef")
	}}
	for _, key := range []string{"short", strings.Repeat("k", 129), "with a space in it", "0123456789abcdef\xff", "0123456789abcdefé", "0123456789\tabcdef", "0123456789abcde, 0123456789abcdef"} {
		keys["the key "+key] = func(w wire) wire { return w.add("Idempotency-Key: " + key) }
	}
	exchanges := func(e endpoint) bool { return e.carriesToken && e.demands == service }
	arrives := func(e endpoint) bool { return e.carriesToken && e.demands != service }
	return slices.Concat(
		bodiesOf("token_malformed", hasToken, spoils), attacksOf("invalid_request", hasToken, keys),
		bodiesOf("token_unknown", exchanges, map[string]func(string) string{"a token of nobody's": instead(`"` + hex + `"`)}),
		bodiesOf("handoff_invalid", arrives, map[string]func(string) string{"a token of nobody's": instead(`"` + hex + `"`)}),
		bodiesOf("token_binding_failed", exchanges, map[string]func(string) string{"a verifier that nobody asked for": with(`"verifier":"x"`)}),
		bodiesOf("invalid_request", exchanges, map[string]func(string) string{
			"a target of another type": func(b string) string { return strings.ReplaceAll(b, `"`+testkit.Target+`"`, "7") },
			"a verifier of two":        with(`"verifier":["a","b"]`),
		}),
		bodiesOf("invalid_request", handoffLists, handoffIDs()),
	)
}

func handoffLists(e endpoint) bool { return strings.Contains(e.body, "handoff_ids") }

// handoffIDs are lists of hand-offs that are none, or too long.
func handoffIDs() map[string]func(string) string {
	bodies := map[string]func(string) string{}
	const id = "0190a000-0000-7000-8000-000000000001"
	for name, list := range map[string]string{
		"no ids": `[]`, "null for ids": `null`, "one id without a list": `"` + id + `"`, "a list in the list": `[["` + id + `"]]`,
		"101 ids": `["` + strings.Repeat(id+`","`, 100) + id + `"]`, "a number for an id": `[7]`, "an id of zeros": `["00000000-0000-0000-0000-000000000000"]`,
		"an id in upper case": `["` + strings.ToUpper("abcdef01"+id[8:]) + `"]`, "an id in braces": `["{` + id + `}"]`, "an id as a URN": `["urn:uuid:` + id + `"]`,
		"an id without hyphens": `["` + strings.ReplaceAll(id, "-", "") + `"]`, "an id with a quote": `["' OR 1=1"]`, "one that is none among good ones": `["` + id + `","x"]`,
	} {
		bodies[name] = func(string) string { return `{"handoff_ids":` + list + `}` }
	}
	return bodies
}

func badMethods() []attack {
	var list []attack
	for _, method := range []string{
		http.MethodGet, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodTrace, "post", "BREW", "PROPFIND", "X",
	} {
		list = append(list, attack{"the method " + method, "method_not_allowed", func(e endpoint) bool { return e.method != method }, func(w wire) wire {
			w.method = method
			return w.add("X-HTTP-Method-Override: " + http.MethodPost)
		}})
	}
	return list
}
