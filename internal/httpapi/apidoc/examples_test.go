package apidoc_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/hello-world-co-op/handoff/internal/testkit"
)

// What somebody pastes from the description is what the operation takes. The tokens and
// ids in it are nobody's, so that some other answer follows.
func TestTheExamplesCanBePasted(t *testing.T) {
	t.Parallel()
	st := newStage(t)
	st.s = st.s.Process(t, map[string]string{"HANDOFF_TARGETS": "founderyos.dev=https://founderyos.dev/cross-domain", "CROSS_DOMAIN_EXPECTED_TARGET": "founderyos.dev"})
	tried := 0
	for _, o := range testkit.Operations() {
		for _, example := range st.examplesOf(o) {
			c := st.call(o)
			c.body = example
			answer := st.at(st.s, o, c)
			if slices.Contains([]string{"invalid_request", "unsupported_media_type", "token_malformed", "csrf_failed"}, answer.Code()) || answer.Status == http.StatusInternalServerError {
				t.Errorf("%s %s with %v: %d %s", o.Half, o.ID, example, answer.Status, answer.Raw)
			}
			tried++
		}
	}
	if tried < 12 {
		t.Errorf("only %d examples were tried", tried)
	}
}

// examplesOf are those of what the operation takes. One that takes something has one.
func (st *stage) examplesOf(o *testkit.Operation) []any {
	body, takes := o.Document["requestBody"].(map[string]any)
	if !takes || body["required"] != true {
		return nil
	}
	ref := fmt.Sprint(lookUp(body, "content", "application/json", "schema", "$ref"))
	examples, _ := testkit.Schema(o.Half, ref[strings.LastIndex(ref, "/")+1:])["examples"].([]any)
	if len(examples) == 0 {
		st.t.Errorf("%s %s: there is no example of %s", o.Half, o.ID, ref)
	}
	return examples
}

// lookUp is what is found in an object along a path, nil if there is nothing.
func lookUp(of any, path ...string) any {
	for _, name := range path {
		object, _ := of.(map[string]any)
		of = object[name]
	}
	return of
}
