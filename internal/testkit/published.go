package testkit

import (
	"bytes"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/hello-world-co-op/handoff/internal/httpapi/apidoc"
)

// Operation is one of the published descriptions' operations (package apidoc), as far
// as answers are compared with it.
type Operation struct {
	Half, ID, Method, Path string
	// Document is what the description says of it.
	Document map[string]any

	path    *regexp.Regexp
	request *jsonschema.Schema
	answers map[string]described

	mu   sync.Mutex
	seen map[string]bool
}

// described is one answer by its status.
type described struct {
	mediaType string // "" for none
	schema    *jsonschema.Schema
	headers   []string // that must be there
	codes     []string // of problems
}

// halves are the halves by the addresses that they listen on.
var halves sync.Map

// unpublished stands for the listener that gateways ask.
const unpublished = "authz"

// hosts are those of one process, to be forgotten before it leaves: then a port may
// become anything's.
type hosts []string

// listens says what is at which URL; "" is none.
func listens(at map[string]string) hosts {
	var all hosts
	for half, url := range at {
		if host := strings.TrimPrefix(url, "http://"); host != "" {
			halves.Store(host, half)
			all = append(all, host)
		}
	}
	return all
}

func (h hosts) forget() {
	for _, host := range h {
		halves.Delete(host)
	}
}

// Operations are all that is published, of both halves.
var Operations = sync.OnceValue(func() []*Operation {
	return append(operations("dao"), operations("fos")...)
})

// documentOf is the description of a half.
func documentOf(half string) map[string]any {
	text := map[string][]byte{"dao": apidoc.DAO(), "fos": apidoc.FOS()}[half]
	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		panic(err)
	}
	return members(document)
}

// Documented are the answers that the description has, as "200" or "400 token_used".
func (o *Operation) Documented() (all []string) {
	for status, answer := range o.answers {
		if len(answer.codes) == 0 {
			all = append(all, status)
		}
		for _, code := range answer.codes {
			all = append(all, status+" "+code)
		}
	}
	slices.Sort(all)
	return all
}

// Seen are the answers that browsers of this process have seen, in the same form.
func (o *Operation) Seen(answer string) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.seen[answer]
}

func (o *Operation) saw(answer string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.seen[answer] = true
}

// operationsFor are those that a request may be for: the halves have the paths of their
// health in common, and half is nil where it is not known which one was asked.
func operationsFor(half any, method, path string) (all []*Operation) {
	if method == http.MethodHead {
		method = http.MethodGet
	}
	for _, o := range Operations() {
		if o.Method == method && o.path.MatchString(path) && (half == nil || half == o.Half) {
			all = append(all, o)
		}
	}
	return all
}

// asPublished compares an exchange with what is published: every answer that any test's
// browser sees has to be one that the description has, and every request that the
// service did something for has to be one that it says is possible.
func asPublished(request *http.Request, sent []byte, answer Answer) error {
	if answer.Status == http.StatusRequestHeaderFieldsTooLarge && answer.Header.Get("X-Request-ID") == "" {
		return nil // net/http's own, before the request was ours
	}
	method, path := request.Method, request.URL.EscapedPath()
	half, _ := halves.Load(request.URL.Host)
	candidates := operationsFor(half, method, path)
	if half == unpublished || half == nil && (len(candidates) == 0 || answer.Header.Get("X-Request-ID") == "") {
		return nil // some other server's, or a balancer's own answer
	}
	if len(candidates) == 0 {
		known := []string{"", "not_found", "method_not_allowed", "headers_too_large"}
		if !slices.Contains(known, answer.Code()) {
			return fmt.Errorf("%s %s answers %d %s and is not published", method, path, answer.Status, answer.Code())
		}
		return nil // a page, or nothing
	}
	var faults []error
	for _, operation := range candidates {
		err := operation.matches(method, sent, answer)
		if err == nil {
			return nil
		}
		faults = append(faults, fmt.Errorf("%s %s is not as the %s half's description says: %w", method, path, operation.Half, err))
	}
	return errors.Join(faults...)
}

func (o *Operation) matches(method string, sent []byte, answer Answer) error {
	mediaType, _, _ := mime.ParseMediaType(answer.Header.Get("Content-Type"))
	status := strconv.Itoa(answer.Status)
	want, documented := o.answers[status]
	if !documented {
		return fmt.Errorf("there is no answer %s: %s", status, answer.Raw)
	}
	for _, name := range want.headers {
		if answer.Header.Get(name) == "" {
			return fmt.Errorf("%s has no %s", status, name)
		}
	}
	switch {
	case mediaType != want.mediaType:
		return fmt.Errorf("%s has the media type %q, not %q", status, mediaType, want.mediaType)
	case method == http.MethodHead:
		return nil
	case want.schema == nil && answer.Raw != "":
		return fmt.Errorf("%s has a body: %s", status, answer.Raw)
	case want.schema != nil:
		if err := valid(want.schema, []byte(answer.Raw)); err != nil {
			return fmt.Errorf("%s: %w\n%s", status, err, answer.Raw)
		}
	}
	o.saw(strings.TrimSpace(status + " " + answer.Code()))
	if answer.Status < http.StatusBadRequest && o.request != nil && len(sent) > 0 {
		if err := valid(o.request, sent); err != nil {
			return fmt.Errorf("it was done, but such a request is not described: %w\n%s", err, sent)
		}
	}
	return nil
}

func valid(schema *jsonschema.Schema, text []byte) error {
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		return err
	}
	return schema.Validate(value)
}

// Schema is what is published under that name.
func Schema(half, name string) map[string]any {
	schema, _ := members(members(documentOf(half)["components"])["schemas"])[name].(object)
	return schema
}
