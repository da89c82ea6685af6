package apidoc_test

import (
	"encoding/json"
	"maps"
	"net/url"
	"os"
	"slices"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/google/go-cmp/cmp"

	"github.com/hello-world-co-op/handoff/internal/httpapi"
	"github.com/hello-world-co-op/handoff/internal/httpapi/apidoc"
	"github.com/hello-world-co-op/handoff/internal/testkit"
)

var descriptions = map[string][]byte{"dao": apidoc.DAO(), "fos": apidoc.FOS()}

// Another reader than ours takes both documents for OpenAPI 3.1, and their examples for
// examples of what they stand beside.
func TestTheDescriptionsAreOpenAPI(t *testing.T) {
	t.Parallel()
	for half, text := range descriptions {
		loader := openapi3.NewLoader()
		loader.ReadFromURIFunc = func(_ *openapi3.Loader, from *url.URL) ([]byte, error) {
			t.Errorf("%s refers to %s", half, from)
			return nil, os.ErrNotExist
		}
		document, err := loader.LoadFromData(text)
		if err != nil {
			t.Fatalf("%s: %v", half, err)
		}
		if err := document.Validate(t.Context(), openapi3.EnableExamplesValidation(), openapi3.EnableSchemaFormatValidation()); err != nil {
			t.Errorf("%s: %v", half, err)
		}
		if document.OpenAPI != "3.1.0" {
			t.Errorf("%s is OpenAPI %s", half, document.OpenAPI)
		}
	}
}

// Every code that the service has is published of an operation, and none that it has not.
// Each comes with its own status.
func TestThePublishedCodesAreTheServices(t *testing.T) {
	t.Parallel()
	published := map[string]int{}
	for _, o := range testkit.Operations() {
		for _, answer := range o.Documented() {
			status, code := split(answer)
			if code != "" {
				published[code] = status
			}
		}
	}
	published["method_not_allowed"] = 405 // of no operation
	published["proxy_not_trusted"] = 403  // of the gateway's listener, which is not published
	have := map[string]int{}
	for _, code := range httpapi.Codes() {
		have[code.Code] = code.Status
	}
	if diff := cmp.Diff(have, published); diff != "" {
		t.Errorf("codes (-service +published):\n%s", diff)
	}
}

// docs/errors.json is the same list.
func TestTheListOfErrorsIsTheServices(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../../docs/errors.json")
	if err != nil {
		t.Fatal(err)
	}
	var list struct{ Codes []httpapi.Code }
	if err := json.Unmarshal(text, &list); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(httpapi.Codes(), list.Codes); diff != "" {
		t.Errorf("go generate ./... was not run (-service +list):\n%s", diff)
	}
}

// Who has no more than an address of either half finds the list beside its description.
func TestTheListOfErrorsIsServed(t *testing.T) {
	t.Parallel()
	s := testkit.Start(t, testkit.Options{})
	b := s.Browser(t)
	for _, description := range []string{s.DAOURL + "/openapi.json", s.FOSURL + "/api/v1/openapi.json"} {
		address := resolved(t, description, "errors.json")
		var list struct{ Codes []httpapi.Code }
		if err := json.Unmarshal([]byte(b.Get(address).Raw), &list); err != nil {
			t.Errorf("%s: %v", address, err)
		}
		if diff := cmp.Diff(httpapi.Codes(), list.Codes); diff != "" {
			t.Errorf("%s (-service +list):\n%s", address, diff)
		}
	}
}

// Whoever makes a client of a description gets a name for each operation, once.
func TestOperationsHaveNamesOfTheirOwn(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, o := range testkit.Operations() {
		name := o.Half + " " + o.ID
		if seen[name] || o.ID == "" || o.Document["summary"] == "" {
			t.Errorf("%s %s has no name, or another's: %q", o.Method, o.Path, o.ID)
		}
		seen[name] = true
	}
	if len(seen) < 30 {
		t.Errorf("only %d operations: %v", len(seen), slices.Sorted(maps.Keys(seen)))
	}
}
