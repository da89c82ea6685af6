// Command generate writes schemas.json: JSON schemas of the kinds that the manifests have, as
// the cluster takes them. "go run ./schemas/generate" in deploy/k8s does it, after a change of
// the versions below or of the kinds; it downloads three modules.
//
// Kubernetes publishes its API as OpenAPI. That has types, fields and what is required, but
// no words: they come from the constants of k8s.io/api whose type is marked "+enum". Traefik
// publishes the schemas of its objects with the words in them. Descriptions are left out, and
// so are the rules in CEL, which no JSON schema can say. What an object does not have it must
// not have (additionalProperties: false), as with strict validation in the cluster.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"sigs.k8s.io/yaml"
)

const (
	kubernetes = "k8s.io/kubernetes@v1.37.2"
	traefik    = "github.com/traefik/traefik/v3@v3.7.13"
	meta       = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"
)

// libraries are where the words of the API are, for definitions by the beginning of their names.
var libraries = map[string]string{"io.k8s.api.": "k8s.io/api@v0.37.2", "io.k8s.apimachinery.": "k8s.io/apimachinery@v0.37.2"}

// kinds by the file of OpenAPI that has them.
var kinds = map[string][]string{
	"api__v1":                             {"ConfigMap", "Namespace", "Service", "ServiceAccount"},
	"apis__apps__v1":                      {"Deployment"},
	"apis__batch__v1":                     {"Job"},
	"apis__discovery.k8s.io__v1":          {"EndpointSlice"},
	"apis__networking.k8s.io__v1":         {"NetworkPolicy"},
	"apis__policy__v1":                    {"PodDisruptionBudget"},
	"apis__rbac.authorization.k8s.io__v1": {"ClusterRole", "RoleBinding"},
}

// traefikKinds are those of Traefik's definitions that are used.
var traefikKinds = []string{"IngressRoute", "Middleware", "ServersTransport", "TLSOption"}

type schema = map[string]any

// document is the file. Kinds are the definitions by "apiVersion kind".
type document struct {
	Comment string            `json:"$comment"`
	Kinds   map[string]string `json:"kinds"`
	Defs    map[string]schema `json:"$defs"`
}

func main() {
	d := document{
		Comment: "Made by schemas/generate from " + kubernetes + " (Apache-2.0) and " + traefik + " (MIT).",
		Kinds:   map[string]string{}, Defs: map[string]schema{},
	}
	published := filepath.Join(moduleDir(kubernetes), "api", "openapi-spec", "v3")
	for _, file := range slices.Sorted(maps.Keys(kinds)) {
		d.addKubernetes(filepath.Join(published, file+"_openapi.json"), kinds[file])
	}
	words := newWords()
	for name, def := range d.Defs {
		words.addTo(name, def)
	}
	d.addTraefik(filepath.Join(moduleDir(traefik), "docs", "content", "reference", "dynamic-configuration", "kubernetes-crd-definition-v1.yml"))
	check(os.WriteFile("schemas/schemas.json", d.text(), 0o644)) //nolint:gosec // it is committed
}

// addKubernetes adds kinds and all definitions that they lead to.
func (d *document) addKubernetes(path string, wanted []string) {
	var published struct {
		Components struct {
			Schemas map[string]schema `json:"schemas"`
		} `json:"components"`
	}
	check(json.Unmarshal(read(path), &published))
	all := published.Components.Schemas
	var add func(name string)
	add = func(name string) {
		if _, there := d.Defs[name]; there {
			return
		}
		def, is := strict(all[name]).(schema)
		if !is {
			check(fmt.Errorf("%s has no %s", path, name))
		}
		d.Defs[name] = def
		for _, to := range references(def) {
			add(to)
		}
	}
	for name, def := range all {
		of, _ := def["x-kubernetes-group-version-kind"].([]any)
		for _, one := range of {
			gvk, _ := one.(schema)
			kind, _ := gvk["kind"].(string)
			if !slices.Contains(wanted, kind) || !strings.HasSuffix(name, "."+kind) {
				continue
			}
			version := strings.TrimPrefix(fmt.Sprint(gvk["group"], "/", gvk["version"]), "/")
			d.addKind(version, kind, name)
			add(name)
			d.Defs[name]["required"] = []any{"apiVersion", "kind", "metadata"}
		}
	}
}

func (d *document) addKind(version, kind, name string) { d.Kinds[version+" "+kind] = name }

func (d *document) addTraefik(path string) {
	for part := range bytes.SplitSeq(read(path), []byte("\n---\n")) {
		var crd struct {
			Spec struct {
				Group string `json:"group"`
				Names struct {
					Kind string `json:"kind"`
				} `json:"names"`
				Versions []struct {
					Name   string `json:"name"`
					Schema struct {
						OpenAPI schema `json:"openAPIV3Schema"`
					} `json:"schema"`
				} `json:"versions"`
			} `json:"spec"`
		}
		check(yaml.Unmarshal(part, &crd))
		if !slices.Contains(traefikKinds, crd.Spec.Names.Kind) {
			continue
		}
		for _, version := range crd.Spec.Versions {
			name := "io.traefik." + version.Name + "." + crd.Spec.Names.Kind
			def, _ := strict(version.Schema.OpenAPI).(schema)
			properties, _ := def["properties"].(schema)
			properties["metadata"] = schema{"$ref": "#/$defs/" + meta}
			def["required"] = []any{"apiVersion", "kind", "metadata", "spec"}
			d.addKind(crd.Spec.Group+"/"+version.Name, crd.Spec.Names.Kind, name)
			d.Defs[name] = def
		}
	}
}

// strict is a schema without its prose, and without room for what it does not name.
func strict(of any) any {
	switch of := of.(type) {
	case []any:
		for i := range of {
			of[i] = strict(of[i])
		}
	case schema:
		to := schema{}
		for key, value := range of {
			switch {
			case key == "properties":
				named := schema{} // names, and no keywords
				properties, _ := value.(schema)
				for name, property := range properties {
					named[name] = strict(property)
				}
				to[key] = named
			case key == "$ref":
				to[key] = strings.Replace(fmt.Sprint(value), "#/components/schemas/", "#/$defs/", 1)
			case key == "description" || key == "default" || key == "format" || strings.HasPrefix(key, "x-"):
			default:
				to[key] = strict(value)
			}
		}
		_, named := to["properties"]
		if _, said := to["additionalProperties"]; named && !said && of["x-kubernetes-preserve-unknown-fields"] != true {
			to["additionalProperties"] = false
		}
		return to
	}
	return of
}

// references are the definitions that a schema leads to.
func references(of any) (names []string) {
	switch of := of.(type) {
	case []any:
		for _, one := range of {
			names = append(names, references(one)...)
		}
	case schema:
		for key, value := range of {
			if text, is := value.(string); is && key == "$ref" {
				names = append(names, strings.TrimPrefix(text, "#/$defs/"))
				continue
			}
			names = append(names, references(value)...)
		}
	}
	return names
}

// text has a line for each definition, so that a change of one is a change of a line.
func (d *document) text() []byte {
	var out bytes.Buffer
	line := func(name string, value any, end string) {
		key, err := json.Marshal(name)
		check(err)
		text, err := json.Marshal(value)
		check(err)
		fmt.Fprintf(&out, "%s: %s%s\n", key, text, end)
	}
	out.WriteString("{\n")
	line("$comment", d.Comment, ",")
	line("kinds", d.Kinds, ",")
	out.WriteString("\"$defs\": {\n")
	names := slices.Sorted(maps.Keys(d.Defs))
	for i, name := range names {
		line(name, d.Defs[name], map[bool]string{true: ",", false: ""}[i < len(names)-1])
	}
	out.WriteString("}\n}\n")
	return out.Bytes()
}

// moduleDir is where a module's files are, downloaded if need be.
func moduleDir(module string) string {
	text, err := exec.CommandContext(context.Background(), "go", "mod", "download", "-json", module).Output() //nolint:gosec // one of the constants above
	check(err)
	var downloaded struct{ Dir string }
	check(json.Unmarshal(text, &downloaded))
	return downloaded.Dir
}

func read(path string) []byte {
	text, err := os.ReadFile(path) //nolint:gosec // of a module that was just downloaded and verified
	check(err)
	return text
}

func check(err error) {
	if err != nil {
		slog.Error("no schemas are written", "error", err)
		os.Exit(1)
	}
}
