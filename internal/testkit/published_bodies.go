package testkit

import (
	"fmt"
	"maps"
	"net/http"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/hello-world-co-op/handoff/internal/health"
	"github.com/hello-world-co-op/handoff/internal/httpapi"
	"github.com/hello-world-co-op/handoff/internal/leaving"
)

// sharedBodies are the structs of both halves, by the name of their published schemas.
var sharedBodies = map[string]any{
	"Problem": httpapi.Problem{}, "FieldFault": httpapi.FieldFault{}, "PasswordLogin": httpapi.PasswordLogin{},
	"HandoffIDs": leaving.Body{}, "Nothing": struct{}{}, "Ignored": struct{}{},
	"Alive": httpapi.AliveAnswer{}, "Health": httpapi.HealthAnswer{}, "Details": httpapi.Details{}, "Dependency": httpapi.Dependency{},
	"Pool": httpapi.Pool{}, "Migration": httpapi.Migration{},
}

// WantDescribed compares structs with the schemas that describe them, in both
// directions: there is no object in the description that none of them is.
func WantDescribed(t testing.TB, half string, bodies map[string]any) {
	t.Helper()
	all := maps.Clone(sharedBodies)
	maps.Copy(all, bodies)
	d := &describing{t: t, schemas: members(members(documentOf(half)["components"])["schemas"])}
	for name, schema := range d.schemas {
		body, known := all[name]
		if _, is := members(schema)["properties"]; !is && !known {
			continue // no object: a word or a number that has a name
		}
		if !known {
			t.Errorf("%s describes %s, which no struct is", half, name)
			continue
		}
		d.object(name, members(schema), reflect.TypeOf(body))
	}
	for name := range bodies {
		if _, described := d.schemas[name]; !described {
			t.Errorf("%s does not describe %s", half, name)
		}
	}
}

// never are the members that are pointers and are never null in what is sent.
var never = map[string]bool{
	"Claims.email_verified": true, // the same struct reads the answers of older peers
}

type describing struct {
	t       testing.TB
	schemas object
}

func (d *describing) object(name string, schema object, body reflect.Type) {
	properties, _ := schema["properties"].(object)
	var required []string
	for _, field := range asList(schema["required"]) {
		required = append(required, text(field))
	}
	// What a request may lack or leave null is the handler's to say, and told in stories.
	_, request := schema["additionalProperties"]
	seen := map[string]bool{}
	for _, field := range reflect.VisibleFields(body) {
		tag, has := field.Tag.Lookup("json")
		if !has || field.Anonymous {
			continue
		}
		member, options, _ := strings.Cut(tag, ",")
		seen[member] = true
		property, described := properties[member].(object)
		if !described {
			d.t.Errorf("%s: %s is not described", name, member)
			continue
		}
		if may := strings.HasPrefix(options, "omit"); !request && may == slices.Contains(required, member) {
			d.t.Errorf("%s: %s may be missing: %v, and is said to be required: %v", name, member, may, !may)
		}
		kind, nullable := d.kind(property)
		if want := kindOf(field.Type); kind != want && kind != want+" uuid" { // a text that is read, or was written, as one
			d.t.Errorf("%s: %s is %s, and is said to be %s", name, member, want, kind)
		}
		if never[name+"."+member] {
			continue
		}
		if can := field.Type.Kind() == reflect.Pointer && !strings.HasPrefix(options, "omit"); !request && can != nullable {
			d.t.Errorf("%s: %s may be null: %v, and is said to: %v", name, member, can, nullable)
		}
	}
	for member := range properties {
		if !seen[member] {
			d.t.Errorf("%s: %s is described, and is not there", name, member)
		}
	}
}

// kind is what a schema says that a value is, in the words of kindOf, and whether it may
// be null.
func (d *describing) kind(schema object) (kind string, nullable bool) {
	if ref, is := schema["$ref"].(string); is {
		target := members(d.schemas[ref[strings.LastIndex(ref, "/")+1:]])
		if _, object := target["properties"]; object {
			return "object", false
		}
		return d.kind(target)
	}
	if either, is := schema["oneOf"].([]any); is {
		kind, _ = d.kind(members(either[0]))
		return kind, len(either) == 2 && members(either[1])["type"] == "null"
	}
	types := asList(schema["type"])
	kind = fmt.Sprint(types[0])
	if format, has := schema["format"].(string); has && format != "password" && format != "uri" {
		kind += " " + format
	}
	if kind == "null" {
		return "object", true // nobody, and nothing else
	}
	return kind, len(types) == 2 && types[1] == "null"
}

var (
	uuidType = reflect.TypeFor[uuid.UUID]()
	numbers  = regexp.MustCompile(`^int(32|64)$`)
)

// kindOf is what JSON makes of a type.
func kindOf(t reflect.Type) string {
	if t.Kind() == reflect.Pointer {
		return kindOf(t.Elem())
	}
	switch t.Kind() { //nolint:exhaustive // the others are in no body
	case reflect.String:
		return "string"
	case reflect.Bool:
		return "boolean"
	case reflect.Float64:
		return "number"
	case reflect.Slice:
		return "array"
	case reflect.Struct, reflect.Map:
		return "object"
	}
	if t == uuidType {
		return "string uuid"
	}
	if bits := numbers.FindStringSubmatch(t.Kind().String()); bits != nil {
		return "integer int" + bits[1]
	}
	return "integer"
}

// WantRouted compares the routes that echo has of these with the paths that are
// published of the half, in both directions.
func WantRouted(t testing.TB, half string, routes []httpapi.Route) {
	t.Helper()
	published := map[string]bool{}
	for _, o := range Operations() {
		if o.Half == half {
			published[o.Method+" "+o.Path] = true
		}
	}
	parameter := regexp.MustCompile(`:([a-z]+)`)
	for _, r := range httpapi.New(httpapi.Config{Health: health.New(nil)}, routes).Routes() {
		if r.Method == http.MethodHead {
			continue // wherever GET is
		}
		route := r.Method + " " + parameter.ReplaceAllString(r.Path, "{$1}")
		if !published[route] {
			t.Errorf("%s is served and not published", route)
		}
		delete(published, route)
	}
	for route := range published {
		t.Errorf("%s is published and not served", route)
	}
}
