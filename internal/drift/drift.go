package drift

import (
	"errors"
	"maps"
	"slices"
	"strings"
)

// ErrForms is returned when one side lists containers and the other only names.
var ErrForms = errors.New("one side is the JSON of Kubernetes objects, the other lines with a name each")

// Finding is one difference.
type Finding struct {
	Place   string // "Kind/name/container"; "" where only names were given
	Name    string // "" where the whole container is meant
	Problem string
}

// String returns "place: NAME: problem", without what there is none of.
func (f Finding) String() string {
	parts := slices.DeleteFunc([]string{f.Place, f.Name, f.Problem}, func(part string) bool { return part == "" })
	return strings.Join(parts, ": ")
}

// Compare returns where live differs from manifest, in order. readerOf says who reads a
// variable of that name, "" for nobody: one that is there only by hand and counts is another
// matter than one that nobody looks at.
func Compare(manifest, live Names, readerOf func(name string) string) ([]Finding, error) {
	if manifest.plain != live.plain {
		return nil, ErrForms
	}
	var all []Finding
	for _, where := range union(manifest.places, live.places) {
		want, wanted := manifest.places[where]
		got, there := live.places[where]
		switch {
		case !there:
			all = append(all, Finding{where, "", "does not run"})
		case !wanted:
			all = append(all, Finding{where, "", "runs, and is not in the manifest"})
		default:
			all = append(all, differences(where, want, got, readerOf)...)
		}
	}
	return all, nil
}

func differences(where string, want, got place, readerOf func(string) string) (all []Finding) {
	for _, name := range union(want, got) {
		wanted, inManifest := want[name]
		is, inLive := got[name]
		var problem string
		switch {
		case !inLive:
			problem = "is missing"
		case !inManifest && name == envFrom:
			problem = "brings in names that the manifest does not list"
		case !inManifest && readerOf(name) != "":
			problem = "is not in the manifest, and counts: " + readerOf(name) + " reads it"
		case !inManifest:
			problem = "is not in the manifest, and nothing reads it"
		case is.kind != wanted.kind && is.kind == literal:
			problem = "was set by hand; the manifest has it from " + string(wanted.kind)
		case is.kind != wanted.kind:
			problem = "comes from " + string(is.kind) + ", not as in the manifest"
		case is.which != wanted.which:
			problem = "comes from another " + strings.TrimPrefix(string(is.kind), "a ") + " or key than in the manifest"
		default:
			continue
		}
		all = append(all, Finding{where, name, problem})
	}
	return all
}

func union[V any](a, b map[string]V) []string {
	all := maps.Clone(a)
	maps.Copy(all, b)
	return slices.Sorted(maps.Keys(all))
}
