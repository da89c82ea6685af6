package drift

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
)

// Names are the variables of an environment: of each container, "Kind/name/container",
// or of the one nameless place that a list of lines is about.
type Names struct {
	places map[string]place
	plain  bool
}

// place is one container: its variables, and where each has its value from.
type place map[string]source

// source is where a value comes from, never the value: of what kind, and which Secret or
// ConfigMap by name and key.
type source struct {
	kind  origin
	which reference
}

type origin string

const (
	literal   origin = "" // written down beside the name
	secret    origin = "a Secret"
	configMap origin = "a ConfigMap"
	field     origin = "a field"
)

// envFrom stands for names that cannot be seen.
const envFrom = "(envFrom)"

// maxInput is far above any manifest.
const maxInput = 16 << 20

// ErrInput is what Read says of input that it cannot use. It quotes nothing of it.
var ErrInput = errors.New("neither the JSON of Kubernetes objects nor lines with a name each")

// Count is the number of containers and of their variables.
func (n Names) Count() (containers, variables int) {
	for _, p := range n.places {
		variables += len(p)
	}
	return len(n.places), variables
}

// Read reads one side of a comparison, at most 16 MiB. An environment without any
// container, or without any name, is an error: it compares equal to nothing that is meant.
func Read(r io.Reader) (Names, error) {
	text, err := io.ReadAll(io.LimitReader(r, maxInput+1))
	if err != nil {
		return Names{}, err
	}
	if len(text) > maxInput {
		return Names{}, fmt.Errorf("%w: longer than 16 MiB", ErrInput)
	}
	n := Names{places: map[string]place{}}
	if bytes.HasPrefix(bytes.TrimSpace(text), []byte("{")) {
		err = n.objects(text)
	} else {
		err = n.lines(text)
	}
	if err == nil && len(n.places) == 0 {
		err = fmt.Errorf("%w: nothing in it", ErrInput)
	}
	return n, err
}

// object is what this package sees of a Kubernetes object. There is no field for a
// variable's value, so that none can come in.
type object struct {
	Kind     string   `json:"kind"`
	Items    []object `json:"items"`
	Metadata struct {
		Name string `json:"name"`
	} `json:"metadata"`
	Spec struct {
		Template struct {
			Spec struct {
				InitContainers []container `json:"initContainers"`
				Containers     []container `json:"containers"`
			} `json:"spec"`
		} `json:"template"`
	} `json:"spec"`
}

type container struct {
	Name string `json:"name"`
	Env  []struct {
		Name      string `json:"name"`
		ValueFrom *struct {
			Secret    *reference `json:"secretKeyRef"`
			ConfigMap *reference `json:"configMapKeyRef"`
		} `json:"valueFrom"`
	} `json:"env"`
	EnvFrom []struct{} `json:"envFrom"`
}

type reference struct {
	Name string `json:"name"`
	Key  string `json:"key"`
}

// running are the kinds whose containers keep running.
var running = []string{"Deployment", "StatefulSet", "DaemonSet"}

func (n Names) objects(text []byte) error {
	for decoder := json.NewDecoder(bytes.NewReader(text)); ; {
		var o object
		switch err := decoder.Decode(&o); {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return ErrInput // its text may quote a value
		}
		for _, one := range append(o.Items, o) {
			n.add(one)
		}
	}
}

func (n Names) add(o object) {
	if !slices.Contains(running, o.Kind) {
		return
	}
	pod := o.Spec.Template.Spec
	for _, c := range slices.Concat(pod.InitContainers, pod.Containers) {
		p := place{}
		for _, v := range c.Env {
			from := source{kind: literal}
			switch {
			case v.ValueFrom == nil:
			case v.ValueFrom.Secret != nil:
				from = source{secret, *v.ValueFrom.Secret}
			case v.ValueFrom.ConfigMap != nil:
				from = source{configMap, *v.ValueFrom.ConfigMap}
			default:
				from.kind = field
			}
			p[v.Name] = from
		}
		if len(c.EnvFrom) > 0 {
			p[envFrom] = source{kind: literal}
		}
		n.places[o.Kind+"/"+o.Metadata.Name+"/"+c.Name] = p
	}
}

var nameShape = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// ofTheContainer are what every engine gives a container by itself.
var ofTheContainer = []string{"PATH", "HOME", "HOSTNAME", "TERM"}

// lines takes names alone, or names with values. Not both in one input: a line without a
// "=" among others is what a value's line break has made, and would be printed as a name.
func (n *Names) lines(text []byte) error {
	p := place{}
	withValue, alone := false, false
	for scanner := bufio.NewScanner(bytes.NewReader(text)); ; {
		if !scanner.Scan() {
			if scanner.Err() != nil {
				return fmt.Errorf("%w: a line is too long", ErrInput)
			}
			break
		}
		line := strings.TrimSpace(scanner.Text())
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		name, _, has := strings.Cut(strings.TrimPrefix(line, "export "), "=")
		withValue, alone = withValue || has, alone || !has
		if name = strings.TrimSpace(name); !nameShape.MatchString(name) {
			return ErrInput // the rest of a value with line breaks, perhaps: not quoted
		}
		if !slices.Contains(ofTheContainer, name) {
			p[name] = source{kind: literal}
		}
	}
	if withValue && alone {
		return fmt.Errorf("%w: some lines have a \"=\" and others none, as a value with line breaks does", ErrInput)
	}
	if len(p) > 0 {
		n.places[""] = p
	}
	n.plain = true
	return nil
}
