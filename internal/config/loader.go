package config

import (
	"reflect"
	"slices"
	"strings"

	"github.com/caarlos0/env/v11"

	"github.com/hello-world-co-op/handoff/internal/privacy"
)

// loader carries what one Load has found so far. It holds secrets as plain text
// and does not outlive Load.
type loader struct {
	env         map[string]string
	environment Environment
	faults      faults
	reuse       reuse
}

func newLoader(environ []string) *loader {
	return &loader{
		// Never nil: given a nil map, env would read the process environment.
		env:    env.ToMap(environ),
		faults: faults{seen: map[string]bool{}, shut: map[string]bool{}},
		reuse:  reuse{owner: map[string]string{}},
	}
}

// parse fills one raw struct. Secret files are read first, so that from there on
// nobody need know where a secret came from.
func parse[T any](l *loader) T {
	var raw T
	shape := reflect.TypeFor[T]()
	for field := range shape.Fields() {
		name := nameOf(field)
		if isSecret(field) {
			l.readSecretFile(name)
		} else if value, ok := l.env[name]; ok {
			l.env[name] = strings.TrimSpace(value)
		}
	}
	err := env.ParseWithOptions(&raw, env.Options{
		Environment: l.env,
		FuncMap: map[reflect.Type]env.ParserFunc{
			secretType: func(v string) (any, error) { return privacy.NewSecret(v), nil },
		},
	})
	l.faults.translate(err, shape)
	return raw
}

// split cuts a comma-separated list, trims its items and drops the empty ones.
func split(list string) []string {
	var items []string
	for item := range strings.SplitSeq(list, ",") {
		if item = strings.TrimSpace(item); item != "" {
			items = append(items, item)
		}
	}
	return items
}

// distinct is split for lists where an item twice can only be a mistake.
func (l *loader) distinct(variable, list string) []string {
	items := split(list)
	seen := map[string]bool{}
	for i, item := range items {
		if seen[item] {
			l.faults.addItem(variable, i, "repeats an earlier one")
		}
		seen[item] = true
	}
	return items
}

// oneOf records a fault unless value is among words.
func (l *loader) oneOf(variable, value string, words ...string) {
	if slices.Contains(words, value) {
		return
	}
	problem := "is none of "
	if len(words) == 1 {
		problem = "is not "
	}
	l.faults.add(variable, problem+strings.Join(words, ", "))
}

// orElse is *set, or otherwise when the variable was not set.
func orElse[T any](set *T, otherwise T) T {
	if set == nil {
		return otherwise
	}
	return *set
}
