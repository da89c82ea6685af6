package config

import (
	"bufio"
	"fmt"
	"io"
	"reflect"
	"slices"
	"strings"
	"sync"

	"github.com/hello-world-co-op/handoff/internal/privacy"
)

//go:generate go run ./example ../../.env.example

// fileSuffix makes the name of the variable that names a secret's file.
const fileSuffix = "_FILE"

// The parts of a deployment that read a variable.
const (
	HalfBoth = "both"
	HalfDAO  = "dao"
	HalfFOS  = "fos"
)

// Variable describes one environment variable for documentation.
type Variable struct {
	Name     string
	Default  string // in words where it depends on something; empty for none
	Example  string // a legal value; for a secret only its form
	Required bool   // where its half runs
	Secret   bool   // can come as Name_FILE
	Help     string
	Half     string // HalfBoth, HalfDAO or HalfFOS

	inWords bool // Default is no value
}

// Variables returns every variable that [Load] reads, those of both halves first.
func Variables() []Variable { return slices.Clone(variables()) }

var variables = sync.OnceValue(func() []Variable {
	all := described[rawShared](HalfBoth)
	all = append(all, described[rawDAO](HalfDAO)...)
	return append(all, described[rawFOS](HalfFOS)...)
})

var secretType = reflect.TypeFor[privacy.Secret]()

func isSecret(field reflect.StructField) bool { return field.Type == secretType }

func nameOf(field reflect.StructField) string {
	name, _, _ := strings.Cut(field.Tag.Get("env"), ",")
	return name
}

func described[T any](half string) []Variable {
	var all []Variable
	for field := range reflect.TypeFor[T]().Fields() {
		tag := field.Tag
		all = append(all, Variable{
			Name:     nameOf(field),
			Default:  tag.Get("envDefault") + tag.Get("default"), // never both
			Example:  tag.Get("example"),
			Required: strings.HasSuffix(tag.Get("env"), ",notEmpty") || tag.Get("required") != "",
			Secret:   isSecret(field),
			Help:     tag.Get("help"),
			Half:     half,
			inWords:  tag.Get("default") != "",
		})
	}
	return all
}

// exampleOf is the example that a fault of the variable shows.
func exampleOf(name string) string {
	for _, v := range variables() {
		if v.Name == name {
			return v.Example
		}
		if v.Secret && v.Name+fileSuffix == name {
			return "/run/secrets/" + strings.ToLower(v.Name)
		}
	}
	return ""
}

const exampleHead = `# The settings of the hand-off service: an example with every variable.
#
# Made by "go generate ./internal/config" from the code that reads them; a test
# keeps the two equal. Required variables stand without "#". Secrets stand empty:
# this file holds none, and the copy with yours belongs in no repository.
#
# A variable marked "secret" can come as a file instead: NAME_FILE is its path,
# trailing line breaks are dropped, and only one of the two may be set. Lists are
# separated by commas. A variable that is set empty counts as not set, except
# JWT_AUDIENCE. Durations have a unit, as in 500ms or 5s.
`

// WriteExample writes a .env.example with every variable, its help and default,
// and no secret.
func WriteExample(w io.Writer) error {
	out := bufio.NewWriter(w)
	_, _ = out.WriteString(exampleHead) // errors of a bufio.Writer stay until Flush
	titles := map[string]string{
		HalfBoth: "Both halves", HalfDAO: "DAO half: where the person is signed in", HalfFOS: "FOS half: where the person arrives",
	}
	half := ""
	for _, v := range Variables() {
		if v.Half != half {
			half = v.Half
			_, _ = fmt.Fprintf(out, "\n# ---- %s ----\n", titles[half])
		}
		writeVariable(out, v)
	}
	if err := out.Flush(); err != nil {
		return fmt.Errorf("write example environment: %w", err)
	}
	return nil
}

func writeVariable(out *bufio.Writer, v Variable) {
	_, _ = fmt.Fprintf(out, "\n# %s\n", v.Help)
	var notes []string
	if v.Required {
		notes = append(notes, "Required")
	}
	if v.Secret {
		notes = append(notes, "Secret; for example "+v.Example)
	}
	if v.Default != "" {
		notes = append(notes, "Default: "+v.Default)
	}
	if len(notes) > 0 {
		_, _ = fmt.Fprintf(out, "# %s\n", strings.Join(notes, ". "))
	}
	value := v.Example
	switch {
	case v.Secret:
		value = ""
	case strings.Contains(value, " "):
		value = `"` + value + `"`
	}
	mark := "#"
	if v.Required {
		mark = ""
	}
	_, _ = fmt.Fprintf(out, "%s%s=%s\n", mark, v.Name, value)
}
