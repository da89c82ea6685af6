package testkit

import (
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

type object = map[string]any

// members are those of an object; of anything else there are none.
func members(of any) object {
	found, _ := of.(object)
	return found
}

func text(value any) string {
	found, _ := value.(string)
	return found
}

func asList(value any) []any {
	switch value := value.(type) {
	case []any:
		return value
	case nil:
		return nil
	}
	return []any{value}
}

// operations reads a description. Its objects have no members but those that it names:
// who consumes an answer is to bear new ones, and a test is to notice them.
func operations(half string) (all []*Operation) {
	document := documentOf(half)
	closeObjects(document)
	compiler := jsonschema.NewCompiler()
	compiler.DefaultDraft(jsonschema.Draft2020)
	compiler.AssertFormat()
	if err := compiler.AddResource(half, document); err != nil {
		panic(err)
	}
	reader := described31{half: half, document: document, compiler: compiler}
	paths := members(reader.document["paths"])
	for _, path := range slices.Sorted(maps.Keys(paths)) {
		for method, operation := range members(paths[path]) {
			all = append(all, reader.operation(method, path, members(operation)))
		}
	}
	return all
}

// closeObjects refuses members that are not named, where the description leaves it open.
func closeObjects(value any) {
	switch value := value.(type) {
	case object:
		if _, open := value["additionalProperties"]; !open && value["type"] == "object" {
			value["additionalProperties"] = false
		}
		for _, member := range value {
			closeObjects(member)
		}
	case []any:
		for _, member := range value {
			closeObjects(member)
		}
	}
}

// described31 reads an OpenAPI 3.1 document, whose schemas are JSON Schema 2020-12.
type described31 struct {
	half     string
	document object
	compiler *jsonschema.Compiler
}

var parameter = regexp.MustCompile(`\\\{[a-z]+\\\}`)

func (d described31) operation(method, path string, operation object) *Operation {
	o := &Operation{
		Half: d.half, ID: text(operation["operationId"]), Method: strings.ToUpper(method), Path: path, Document: operation,
		path:    regexp.MustCompile("^" + parameter.ReplaceAllString(regexp.QuoteMeta(path), "[^/]+") + "$"),
		answers: map[string]described{}, seen: map[string]bool{},
	}
	at := "/paths/" + escaped(path) + "/" + method
	if body, has := operation["requestBody"].(object); has {
		_, o.request = d.content(body, at+"/requestBody")
	}
	for status, answer := range members(operation["responses"]) {
		o.answers[status] = d.answer(members(answer), at+"/responses/"+status)
	}
	return o
}

func (d described31) answer(answer object, at string) described {
	var said described
	said.mediaType, said.schema = d.content(answer, at)
	headers, _ := answer["headers"].(object)
	for name, header := range headers {
		if d.resolved(members(header))["required"] == true {
			said.headers = append(said.headers, http.CanonicalHeaderKey(name))
		}
	}
	if said.mediaType == "application/problem+json" {
		schema := members(members(members(answer["content"])[said.mediaType])["schema"])
		code := members(members(members(asList(schema["allOf"])[1])["properties"])["code"])
		for _, name := range asList(code["enum"]) {
			said.codes = append(said.codes, text(name))
		}
	}
	return said
}

// content is the one media type of a body, and its schema.
func (d described31) content(of object, at string) (string, *jsonschema.Schema) {
	content, _ := of["content"].(object)
	for mediaType := range content {
		schema, err := d.compiler.Compile(d.half + "#" + at + "/content/" + escaped(mediaType) + "/schema")
		if err != nil {
			panic(err)
		}
		return mediaType, schema
	}
	return "", nil
}

func (d described31) resolved(value object) object {
	ref, is := value["$ref"].(string)
	if !is {
		return value
	}
	value = d.document
	for _, name := range strings.Split(strings.TrimPrefix(ref, "#/"), "/") {
		value = members(value[name])
	}
	return value
}

// escaped is a name in a JSON pointer (RFC 6901) in a fragment.
func escaped(name string) string {
	return strings.NewReplacer("~", "~0", "/", "~1", "{", "%7B", "}", "%7D").Replace(name)
}
