package config

import (
	"cmp"
	"errors"
	"fmt"
	"reflect"

	"github.com/caarlos0/env/v11"
)

// Fault is one thing wrong with one variable. Its text never holds the value.
type Fault struct {
	Variable string
	Problem  string
	Example  string // a legal value, or the form of one
}

// Error returns "VARIABLE: problem (example: ...)".
func (f *Fault) Error() string {
	return fmt.Sprintf("%s: %s (example: %s)", f.Variable, f.Problem, f.Example)
}

// faults collects them in the order in which they are found.
type faults struct {
	list []error
	seen map[string]bool
	shut map[string]bool
}

// add records a problem, unless the variable could not be read at all: what
// follows from that would only hide the cause.
func (f *faults) add(variable, problem string) {
	if f.shut[variable] {
		return
	}
	f.seen[variable] = true
	example := exampleOf(variable)
	f.list = append(f.list, &Fault{Variable: variable, Problem: problem, Example: example})
}

// addItem records a problem with one item of a list, counted from 1 without the
// empty ones.
func (f *faults) addItem(variable string, index int, problem string) {
	f.add(variable, fmt.Sprintf("item %d %s", index+1, problem))
}

// unreadable records a problem and ignores every later one of the variable.
func (f *faults) unreadable(variable, problem string) {
	f.add(variable, problem)
	f.shut[variable] = true
}

// has reports whether anything is wrong with the variable itself.
func (f *faults) has(variable string) bool { return f.seen[variable] || f.shut[variable] }

func (f *faults) err() error { return errors.Join(f.list...) }

// translate turns the errors of the env package into faults. Their texts name the
// Go field and quote the value, so only their types are used.
func (f *faults) translate(err error, raw reflect.Type) {
	var all env.AggregateError
	if !errors.As(err, &all) {
		return
	}
	for _, one := range all.Errors {
		var empty env.EmptyVarError
		var unparsed env.ParseError
		switch {
		case errors.As(one, &empty):
			f.unreadable(empty.Key, "is required")
		case errors.As(one, &unparsed):
			field, _ := raw.FieldByName(unparsed.Name)
			f.unreadable(nameOf(field), "is not "+describe(field.Type))
		default:
			// Only a tag that env does not know leads here: a mistake in raw.go.
			panic(fmt.Sprintf("config: %T from the env package", one))
		}
	}
}

// describe says in words what a raw field takes.
func describe(t reflect.Type) string {
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch t.Kind() {
	case reflect.Bool:
		return "true or false"
	case reflect.Int64:
		return "a duration with a unit"
	default:
		return "a whole number"
	}
}

// within records a fault unless lowest <= value <= highest.
func within[T cmp.Ordered](f *faults, variable string, value T, bounds [2]T) {
	if value < bounds[0] || value > bounds[1] {
		f.add(variable, fmt.Sprintf("is outside %v to %v", bounds[0], bounds[1]))
	}
}
