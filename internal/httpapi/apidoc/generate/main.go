// Command generate makes what is published of what is written by hand: the descriptions
// of both halves as JSON, and the list of error codes. It is run by go generate in the
// package above.
package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/hello-world-co-op/handoff/internal/httpapi"
)

type object = map[string]any

func main() {
	if len(os.Args) != 3 {
		fail("usage: generate FOLDER ERRORS.JSON")
	}
	folder := os.Args[1]
	shared := read(filepath.Join(folder, "common.yaml"))
	for _, half := range []string{"dao", "fos"} {
		document := read(filepath.Join(folder, half+".yaml"))
		complete(document)
		include(document, shared)
		write(filepath.Join(folder, half+".json"), document)
	}
	write(os.Args[2], object{"codes": httpapi.Codes()})
}

func read(name string) object {
	text, err := os.ReadFile(name) //nolint:gosec // G304: the file that was asked for
	if err != nil {
		fail(err)
	}
	document := object{}
	if err := yaml.Unmarshal(text, &document); err != nil {
		fail(fmt.Errorf("%s: %w", name, err))
	}
	return document
}

func write(name string, content any) {
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(content); err != nil {
		fail(err)
	}
	// World-readable on purpose: it is documentation.
	if err := os.WriteFile(name, text.Bytes(), 0o644); err != nil { //nolint:gosec // G306
		fail(err)
	}
}

// complete puts in what operations name only.
func complete(document object) {
	paths := part(document, "paths")
	for _, path := range slices.Sorted(maps.Keys(paths)) {
		for _, method := range slices.Sorted(maps.Keys(part(paths, path))) {
			operation := part(part(paths, path), method)
			answers(operation)
			for _, alias := range words(operation, "x-aliases") {
				same := maps.Clone(operation)
				same["operationId"] = text(operation, "operationId") + "Alias"
				same["summary"] = "The same as " + path
				paths[alias] = object{method: same}
			}
		}
	}
	used := map[string]bool{}
	for path, item := range paths {
		for method := range asObject(item) {
			operation := part(part(paths, path), method)
			for _, code := range codesOf(operation) {
				used[code] = true
			}
			delete(operation, "x-problems")
			delete(operation, "x-problems-of-all")
		}
	}
	part(part(document, "components"), "schemas")["ProblemCode"] = object{
		"type": "string", "enum": slices.Sorted(maps.Keys(used)),
		"description": "More may come: go by the status where you do not know the code.",
	}
}

// ofAll are the codes that any operation may answer with.
var ofAll = []string{"headers_too_large", "internal", "dependency_unavailable"}

func codesOf(operation object) []string {
	if _, own := operation["x-problems-of-all"]; own {
		return words(operation, "x-problems-of-all")
	}
	return append(words(operation, "x-problems"), ofAll...)
}

// answers makes a response of each status that the operation's codes have.
func answers(operation object) {
	byStatus := map[int][]httpapi.Code{}
	for _, name := range codesOf(operation) {
		at := slices.IndexFunc(httpapi.Codes(), func(c httpapi.Code) bool { return c.Code == name })
		if at < 0 {
			fail(fmt.Errorf("%s: there is no code %q", text(operation, "operationId"), name))
		}
		code := httpapi.Codes()[at]
		byStatus[code.Status] = append(byStatus[code.Status], code)
	}
	responses := part(operation, "responses")
	for status, codes := range byStatus {
		responses[strconv.Itoa(status)] = response(codes)
	}
	for _, answer := range responses {
		headers, _ := asObject(answer)["headers"].(object)
		if headers == nil {
			headers = object{}
		}
		headers["X-Request-ID"] = ref("headers", "RequestID")
		asObject(answer)["headers"] = headers
	}
}

func response(codes []httpapi.Code) object {
	headers, names, lines := object{}, []string{}, []string{}
	for _, code := range codes {
		names = append(names, code.Code)
		lines = append(lines, fmt.Sprintf("%#q: %s", code.Code, strings.Join(code.Details, " *or* ")))
		switch code.Code {
		case "rate_limited":
			headers["RateLimit"], headers["RateLimit-Policy"] = ref("headers", "RateLimit"), ref("headers", "RateLimitPolicy")
		case "invalid_service_token":
			headers["WWW-Authenticate"] = ref("headers", "WWWAuthenticate")
		}
	}
	if !slices.ContainsFunc(codes, func(c httpapi.Code) bool { return !c.RetryAfter }) {
		headers["Retry-After"] = ref("headers", "RetryAfter")
	}
	if len(codes) > 1 {
		delete(headers, "WWW-Authenticate") // with this code only
	}
	schema := object{"allOf": []any{ref("schemas", "Problem"), object{"properties": object{"code": object{"enum": names}}}}}
	return object{
		"description": strings.Join(lines, "\n\n"), "headers": headers,
		"content": object{"application/problem+json": object{"schema": schema}},
	}
}

// include puts in the shared parts that the document refers to, and those that they do.
func include(document, shared object) {
	for {
		missing := false
		for _, name := range references(document) {
			parts := strings.Split(strings.TrimPrefix(name, "#/components/"), "/")
			kind := part(part(document, "components"), parts[0])
			if _, there := kind[parts[1]]; there {
				continue
			}
			wanted, known := part(part(shared, "components"), parts[0])[parts[1]]
			if !known {
				fail(fmt.Errorf("nothing is called %s", name))
			}
			kind[parts[1]], missing = wanted, true
		}
		if !missing {
			return
		}
	}
}

// references are what the document refers to, the ways to be let in included.
func references(value any) (found []string) {
	switch value := value.(type) {
	case object:
		for name, member := range value {
			if target, is := member.(string); is && name == "$ref" {
				found = append(found, target)
			}
			if name == "security" {
				ways, _ := member.([]any)
				for _, way := range ways {
					for scheme := range asObject(way) {
						found = append(found, "#/components/securitySchemes/"+scheme)
					}
				}
			}
			found = append(found, references(member)...)
		}
	case []any:
		for _, member := range value {
			found = append(found, references(member)...)
		}
	}
	slices.Sort(found)
	return found
}

func ref(kind, name string) object { return object{"$ref": "#/components/" + kind + "/" + name} }

// part is a member that is an object; one that is missing is made.
func part(of object, name string) object {
	if _, there := of[name]; !there {
		of[name] = object{}
	}
	found, is := of[name].(object)
	if !is {
		fail(fmt.Errorf("%s is no object", name))
	}
	return found
}

func asObject(value any) object {
	found, is := value.(object)
	if !is {
		fail(fmt.Errorf("%v is no object", value))
	}
	return found
}

func text(of object, name string) string {
	value, _ := of[name].(string)
	return value
}

func words(of object, name string) (list []string) {
	members, _ := of[name].([]any)
	for _, member := range members {
		list = append(list, fmt.Sprint(member))
	}
	return list
}

func fail(why any) {
	fmt.Fprintln(os.Stderr, why)
	os.Exit(1)
}
