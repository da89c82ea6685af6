package apidoc_test

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"runtime"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"github.com/hello-world-co-op/handoff/internal/httpapi/apidoc"
	"github.com/hello-world-co-op/handoff/internal/testkit"
)

func fosViewer() *apidoc.Viewer {
	return apidoc.New(apidoc.Config{
		Description: apidoc.FOS(), Folders: []string{"", "/api/v1"}, Pages: []string{"docs", "redoc"}, Name: "openapi.json",
		Errors: []byte(`{"codes": []}`),
	})
}

func ask(t *testing.T, h http.Handler, method, path string, headers ...testkit.Header) *http.Response {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), method, path, nil)
	for _, header := range headers {
		r.Header.Set(header.Name, header.Value)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Result()
}

func textOf(t *testing.T, r *http.Response) string {
	t.Helper()
	text, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// The addresses of the protocol's section 2, and what stands there.
func TestThePagesAreWhereTheyAreExpected(t *testing.T) {
	t.Parallel()
	s := testkit.Start(t, testkit.Options{})
	b := s.Browser(t)
	for address, mediaType := range map[string]string{
		s.DAOURL + "/docs": "text/html; charset=utf-8", s.DAOURL + "/openapi.json": "application/json",
		s.FOSURL + "/docs": "text/html; charset=utf-8", s.FOSURL + "/redoc": "text/html; charset=utf-8",
		s.FOSURL + "/api/v1/docs": "text/html; charset=utf-8", s.FOSURL + "/api/v1/redoc": "text/html; charset=utf-8",
		s.FOSURL + "/api/v1/openapi.json": "application/json",
		s.DAOURL + "/errors.json":         "application/json", s.FOSURL + "/api/v1/errors.json": "application/json",
	} {
		answer := b.Get(address)
		if answer.Status != http.StatusOK || answer.Header.Get("Content-Type") != mediaType || len(answer.Raw) < 500 {
			t.Errorf("%s: %d %v", address, answer.Status, answer.Header)
		}
		if policies := answer.Header.Values("Content-Security-Policy"); len(policies) != 1 || !strings.Contains(policies[0], "script-src 'self';") {
			t.Errorf("%s: policies %q", address, policies)
		}
		if answer.Header.Get("X-Frame-Options") == "" || answer.Header.Get("X-Content-Type-Options") != "nosniff" || len(answer.Cookies) > 0 {
			t.Errorf("%s: headers %v", address, answer.Header)
		}
	}
}

func TestWhoSwitchesTheDocsOffHasNone(t *testing.T) {
	t.Parallel()
	s := testkit.Start(t, testkit.Options{Env: map[string]string{"API_DOCS_ENABLED": "false"}})
	b := s.Browser(t)
	for _, address := range []string{
		s.DAOURL + "/docs", s.DAOURL + "/openapi.json", s.DAOURL + "/docs/start.js", s.FOSURL + "/docs", s.FOSURL + "/redoc",
		s.FOSURL + "/api/v1/docs", s.FOSURL + "/api/v1/redoc", s.FOSURL + "/api/v1/openapi.json",
		s.DAOURL + "/errors.json", s.FOSURL + "/api/v1/errors.json",
	} {
		if answer := b.Get(address); answer.Code() != "not_found" {
			t.Errorf("%s: %d", address, answer.Status)
		}
	}
}

// Behind a gateway that strips "/fos", and under any other prefix, everything that a page
// refers to is there: no address begins with a slash, and none is somebody else's.
func TestWhatAPageRefersToIsItsOwn(t *testing.T) {
	t.Parallel()
	v := fosViewer()
	for _, page := range []string{"/docs", "/redoc", "/api/v1/docs", "/api/v1/redoc"} {
		base, err := url.Parse("https://gateway.test/fos" + page)
		if err != nil {
			t.Fatal(err)
		}
		refers := references(t, textOf(t, ask(t, v, http.MethodGet, page)))
		if len(refers) < 5 {
			t.Errorf("%s refers to %q only", page, refers)
		}
		for _, refer := range refers {
			to, err := base.Parse(refer)
			if err != nil || to.Host != base.Host {
				t.Errorf("%s refers to %s: %v", page, refer, err)
				continue
			}
			inside, stripped := strings.CutPrefix(to.Path, "/fos")
			if answer := ask(t, v, http.MethodGet, inside); !stripped || answer.StatusCode != http.StatusOK {
				t.Errorf("%s refers to %s, which is %d", page, refer, answer.StatusCode)
			}
		}
	}
}

// references are the addresses in a document. What is inline would be refused by the policy.
func references(t *testing.T, document string) (all []string) {
	t.Helper()
	root, err := html.Parse(strings.NewReader(document))
	if err != nil {
		t.Fatal(err)
	}
	for node := range root.Descendants() {
		if node.Data == "script" && node.FirstChild != nil {
			t.Error("there is an inline script")
		}
		for _, a := range node.Attr {
			if slices.Contains([]string{"src", "href", "data-description"}, a.Key) {
				all = append(all, a.Val)
			}
			if strings.HasPrefix(a.Key, "on") || a.Key == "style" {
				t.Errorf("<%s> has %s", node.Data, a.Key)
			}
		}
	}
	return all
}

// Who makes a client of the description gets the gateway's address with it, whatever prefix
// the gateway strips: the server is where the document is (RFC 3986, section 5.2; OpenAPI 3.1,
// "Server Object"), and every path of the document leads from there to what it describes.
func TestTheDescriptionsServerIsWhereItIs(t *testing.T) {
	t.Parallel()
	s := testkit.Start(t, testkit.Options{})
	b := s.Browser(t)
	for half, at := range map[string]struct{ home, document string }{
		"dao": {s.DAOURL, "/openapi.json"}, "fos": {s.FOSURL, "/api/v1/openapi.json"},
	} {
		for _, prefix := range []string{"", "/oracle", "/suite/fos"} {
			gateway := httptest.NewServer(http.StripPrefix(prefix, forward(t, at.home)))
			t.Cleanup(gateway.Close)
			home := gateway.URL + prefix
			var document struct {
				Servers []struct{ URL string }
				Paths   map[string]map[string]any
			}
			if err := json.Unmarshal([]byte(b.Get(home+at.document).Raw), &document); err != nil || len(document.Servers) != 1 || len(document.Paths) < 10 {
				t.Fatalf("%s: %v, %+v", half, err, document)
			}
			server := resolved(t, home+at.document, document.Servers[0].URL)
			if strings.TrimSuffix(server, "/") != home {
				t.Errorf("%s behind %q: the server is %s", half, prefix, server)
			}
			// Paths are appended; readers drop the slash that a relative server ends with.
			if live := b.Get(strings.TrimSuffix(server, "/") + "/health/live"); live.Status != http.StatusOK {
				t.Errorf("%s behind %q: %d", half, prefix, live.Status)
			}
		}
	}
}

// forward is a gateway to the half at home.
func forward(t *testing.T, home string) http.Handler {
	t.Helper()
	to, err := url.Parse(home)
	if err != nil {
		t.Fatal(err)
	}
	return httputil.NewSingleHostReverseProxy(to)
}

func resolved(t *testing.T, base, reference string) string {
	t.Helper()
	from, err := url.Parse(base)
	if err != nil {
		t.Fatal(err)
	}
	to, err := from.Parse(reference)
	if err != nil {
		t.Fatal(err)
	}
	return to.String()
}

// A browser gets the viewer packed, and not again as long as it is the same. Who cannot
// unpack gets the same text.
func TestTheViewerIsSentPackedAndOnce(t *testing.T) {
	t.Parallel()
	const script = "/docs/swagger-ui-bundle.js"
	v := fosViewer()
	plain := ask(t, v, http.MethodGet, script)
	packed := ask(t, v, http.MethodGet, script, testkit.Header{Name: "Accept-Encoding", Value: "gzip, br"})
	if packed.Header.Get("Content-Encoding") != "gzip" || plain.Header.Get("Content-Encoding") != "" || packed.Header.Get("Vary") != "Accept-Encoding" ||
		packed.Header.Get("Etag") == plain.Header.Get("Etag") {
		t.Errorf("headers %v and %v", packed.Header, plain.Header)
	}
	text, packedText := textOf(t, plain), textOf(t, packed)
	unpacking, err := gzip.NewReader(bytes.NewReader([]byte(packedText)))
	if err != nil {
		t.Fatal(err)
	}
	if unpacked, err := io.ReadAll(unpacking); err != nil || string(unpacked) != text || len(packedText)*2 > len(text) {
		t.Errorf("%d bytes became %d: %v", len(packedText), len(unpacked), err)
	}
	again := ask(t, v, http.MethodGet, script, testkit.Header{Name: "Accept-Encoding", Value: "gzip"},
		testkit.Header{Name: "If-None-Match", Value: packed.Header.Get("Etag")})
	if again.StatusCode != http.StatusNotModified {
		t.Errorf("asked again: %d", again.StatusCode)
	}
	if other := ask(t, v, http.MethodGet, "/docs/swagger-ui.js"); other.StatusCode != http.StatusNotFound {
		t.Errorf("a file that no page needs: %d", other.StatusCode)
	}
}

// Who cannot unpack is no burden: what they are sent was unpacked once, and not for them.
func TestTheViewerIsUnpackedOnce(t *testing.T) { //nolint:paralleltest // counts what the process allocates
	v := fosViewer()
	const times = 20
	ask(t, v, http.MethodHead, "/docs/swagger-ui-bundle.js")
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for range times {
		if answer := ask(t, v, http.MethodHead, "/docs/swagger-ui-bundle.js"); answer.ContentLength < 1<<20 || answer.Header.Get("Content-Encoding") != "" {
			t.Fatalf("%d bytes, %v", answer.ContentLength, answer.Header)
		}
	}
	runtime.ReadMemStats(&after)
	if each := (after.TotalAlloc - before.TotalAlloc) / times; each > 64<<10 {
		t.Errorf("each costs %d bytes", each)
	}
}
