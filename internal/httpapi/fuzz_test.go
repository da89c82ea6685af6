package httpapi_test

import (
	stdjson "encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/labstack/echo/v4"

	"github.com/hello-world-co-op/handoff/internal/httpapi"
)

// FuzzDecode: whatever the body, decoding returns an error of the protocol's
// section 3 or what any other reader of JSON would read too; nothing panics.
func FuzzDecode(f *testing.F) {
	for _, seed := range []string{
		good, "null", `{"to":"a","to":"b"}`, `{"To":"a"}`, "[]", `{"to":"\ud800"}`, "\ufeff{}", `{"pages":1e2}`, `{"subject":null}`, `{}{}`,
		strings.Repeat("[", 9000), "{\"to\":\"\xff\"}", `{"pages":-0}`, ` `,
	} {
		f.Add(seed)
	}
	e := echo.New()
	f.Fuzz(func(t *testing.T, body string) {
		request := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", strings.NewReader(body))
		request.Header.Set("Content-Type", "application/json")
		var got letter
		err := httpapi.Decode(e.NewContext(request, httptest.NewRecorder()), &got)
		if err != nil {
			if !errors.Is(err, httpapi.ErrInvalidRequest) && !errors.Is(err, httpapi.ErrBodyTooLarge) {
				t.Fatalf("%q: %v", body, err)
			}
			return
		}
		if len(body) > 8192 || !utf8.ValidString(body) {
			t.Fatalf("%q is taken", body)
		}
		var other letter
		strict := stdjson.NewDecoder(strings.NewReader(body))
		strict.DisallowUnknownFields()
		if err := strict.Decode(&other); err != nil {
			t.Fatalf("%q: taken here and refused by another reader: %v", body, err)
		}
		same := got.To == other.To && got.Pages == other.Pages && (got.Subject == nil) == (other.Subject == nil) &&
			(got.Subject == nil || *got.Subject == *other.Subject)
		if !same {
			t.Fatalf("%q: read as %+v here, as %+v elsewhere", body, got, other)
		}
	})
}
