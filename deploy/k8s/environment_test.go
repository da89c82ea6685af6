package k8s_test

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"

	"github.com/hello-world-co-op/handoff/internal/config"
)

// secretValues are made up, one for each variable of a Secret. The stores are where
// production has them: Postgres outside with TLS, Redis in the namespace.
var secretValues = map[string]string{
	"DAO_DATABASE_URL":                    "postgres://handoff_dao:p4ss-one@db.example.org:5432/handoff_dao?sslmode=verify-full",
	"DATABASE_URL":                        "postgres://handoff_fos@db.example.org:5432/handoff_fos?sslmode=verify-full",
	"DATABASE_USER":                       "handoff_fos",
	"DATABASE_PASSWORD":                   "p4ss-two",
	"DAO_REDIS_URL":                       "redis://:p4ss-three@handoff-redis:6379/0",
	"REDIS_URL":                           "redis://:p4ss-three@handoff-redis:6379/0",
	"CROSS_DOMAIN_SERVICE_TOKEN":          "54b2f12cc8f7dbb2d0e1a8f0a2a1d4c9e6f70f1b53c8a77e9d0b6e2f4a8c3d51",
	"CROSS_DOMAIN_SERVICE_TOKEN_PREVIOUS": "c07d9e3f1a5b48627d8e90af3b2c1d6e5f4a79880b1c2d3e6f5a4b7c8d9e0f12",
	"HANDOFF_SEALING_KEYS":                "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
	"AUDIT_PSEUDONYM_KEYS":                "T3QK3Jm8cQ0h2fZt5y1uVw7xN9aB4dLsEoGiPrUvXzY=",
	"JWT_SECRET_KEY":                      "Zq3vT9xK7mW2pL8rB5nC1dF6gH4jS0aE",
	"JWT_SECRET_KEY_PREVIOUS":             "yU8iO2pA6sD4fG1hJ9kL3zX7cV5bN0mQ",
}

// settings are a container's variables, with made-up secrets; optional ones are left out.
func (o *objects) settings(c corev1.Container) map[string]string {
	all := map[string]string{}
	for _, v := range c.Env {
		switch from := v.ValueFrom; {
		case from == nil:
		case from.ConfigMapKeyRef != nil:
			if value, is := o.valueOf(from.ConfigMapKeyRef.Name, from.ConfigMapKeyRef.Key); is {
				all[v.Name] = value
			}
		case from.SecretKeyRef != nil && from.SecretKeyRef.Optional == nil:
			all[v.Name] = secretValues[from.SecretKeyRef.Key]
		}
	}
	return all
}

func environ(settings map[string]string) []string {
	var list []string
	for name, value := range settings {
		list = append(list, name+"="+value)
	}
	return list
}

// givenByName says whose variables are written down in place, come by the bundle or from
// something that is not there.
func givenByName(o *objects) (faults []string) {
	for _, p := range o.pods() {
		for _, c := range p.spec.Containers {
			fault := func(text string) { faults = append(faults, p.owner+": "+text) }
			if len(c.EnvFrom) > 0 {
				fault("takes whatever is in a bundle")
			}
			seen := map[string]bool{}
			for _, v := range c.Env {
				if seen[v.Name] {
					fault(v.Name + " is there twice")
				}
				seen[v.Name] = true
				if problem := o.sourceProblem(p, v); problem != "" {
					fault(v.Name + " " + problem)
				}
			}
		}
	}
	return faults
}

// ofRedis are the variables of the one container that is not ours.
var ofRedis = []string{"REDIS_PASSWORD", "REDISCLI_AUTH"}

func (o *objects) sourceProblem(p pod, v corev1.EnvVar) string {
	known, is := variable(v.Name)
	isSecret := is && known.Secret || slices.Contains(ofRedis, v.Name) || slices.ContainsFunc(config.Libraries(), func(l config.Library) bool { return l.Name == v.Name && l.Secret })
	switch from := v.ValueFrom; {
	case config.ReaderOf(v.Name) == "" && !slices.Contains(ofRedis, v.Name):
		return "is read by nobody"
	case from == nil || from.SecretKeyRef == nil && from.ConfigMapKeyRef == nil:
		return "is written down in place"
	case isSecret && from.SecretKeyRef == nil:
		return "is a secret, and lies open in a ConfigMap"
	case from.SecretKeyRef != nil && !strings.HasPrefix(p.owner, "Job/") && from.SecretKeyRef.Name != strings.TrimPrefix(p.owner, "Deployment/"):
		return "is another's secret"
	case from.SecretKeyRef != nil && strings.HasPrefix(p.owner, "Job/") && from.SecretKeyRef.Name != strings.TrimPrefix(p.owner, "Job/"):
		return "gives a job the service's keys, or the service's rights"
	case is && from.SecretKeyRef != nil && from.SecretKeyRef.Key != v.Name || is && from.ConfigMapKeyRef != nil && from.ConfigMapKeyRef.Key != v.Name:
		return "has the value of another, or of none"
	case from.ConfigMapKeyRef != nil && from.ConfigMapKeyRef.Optional == nil:
		if _, there := o.valueOf(from.ConfigMapKeyRef.Name, from.ConfigMapKeyRef.Key); !there {
			return "refers to a key that is not there"
		}
	}
	return ""
}

func (o *objects) valueOf(configMap, key string) (value string, is bool) {
	if m := o.configMaps[configMap]; m != nil {
		value, is = m.Data[key]
	}
	return value, is
}

// never are variables that a server is not given: those of the databases' owners, who may do
// what it must not, and the name that the DAO half's Redis has a name of its own for.
var never = map[string][]string{
	"handoff-dao": {"DAO_MIGRATE_DATABASE_URL", "REDIS_URL"},
	"handoff-fos": {"MIGRATE_DATABASE_URL"},
}

// settable says which variable of a half cannot be set by its ConfigMap or Secret, since no
// line of the Deployment names it, and what is set there and reaches nobody.
func settable(o *objects) (faults []string) {
	for _, d := range o.servers() {
		given, from := map[string]bool{}, map[string]bool{}
		for _, v := range d.Spec.Template.Spec.Containers[0].Env {
			given[v.Name] = true
			if v.ValueFrom != nil && v.ValueFrom.ConfigMapKeyRef != nil {
				from[v.ValueFrom.ConfigMapKeyRef.Name] = true
			}
		}
		half := d.Labels["app.kubernetes.io/instance"]
		for _, v := range config.Variables() {
			want := (v.Half == half || v.Half == config.HalfBoth) && !slices.Contains(never[d.Name], v.Name)
			if want != given[v.Name] {
				faults = append(faults, fmt.Sprintf("%s: %s has a line: %v", d.Name, v.Name, given[v.Name]))
			}
		}
		for name := range from {
			if o.configMaps[name] == nil {
				continue // givenByName says so
			}
			for key := range o.configMaps[name].Data {
				if !given[key] {
					faults = append(faults, d.Name+": "+key+" is set, and reaches nobody")
				}
			}
		}
	}
	return faults
}

// What an overlay sets arrives, whichever of the half's variables it is.
func TestEveryVariableOfAHalfCanBeSet(t *testing.T) {
	t.Parallel()
	eachOverlay(t, settable)
}

func variable(name string) (config.Variable, bool) {
	for _, v := range config.Variables() {
		if v.Name == name {
			return v, true
		}
	}
	return config.Variable{}, false
}

func TestEveryVariableComesByNameFromASecretOrConfigMap(t *testing.T) {
	t.Parallel()
	eachOverlay(t, givenByName)
}

// accepted are the warnings that these manifests answer: who reaches the metrics, and the
// listener for Traefik, is the NetworkPolicy's to say.
var accepted = []string{"METRICS_ADDR: is reachable from other machines", "AUTHZ_ADDR: is reachable from other machines"}

// starts says what the program would say of what it is given: faults, and warnings that
// nobody has accepted.
func starts(o *objects) (faults []string) {
	for _, d := range o.servers() {
		c, err := config.Load(environ(o.settings(d.Spec.Template.Spec.Containers[0])))
		if err != nil {
			faults = append(faults, fmt.Sprintf("%s does not start: %v", d.Name, err))
			continue
		}
		if half := d.Labels["app.kubernetes.io/instance"]; c.Halves.DAO != (half == "dao") || c.Halves.FOS != (half == "fos") {
			faults = append(faults, d.Name+" is another half")
		}
		if string(c.Environment) != strings.TrimPrefix(d.Namespace, "handoff-") {
			faults = append(faults, d.Name+" takes itself for "+string(c.Environment))
		}
		if len(c.TrustedProxies) == 0 || len(c.ServiceTokens) == 0 {
			faults = append(faults, d.Name+" trusts no proxy, or has no service token")
		}
		for _, warning := range c.Warnings() {
			if !slices.ContainsFunc(accepted, func(known string) bool { return strings.HasPrefix(warning, known) }) {
				faults = append(faults, d.Name+" warns: "+warning)
			}
		}
	}
	for _, j := range o.jobs {
		if _, err := config.LoadDatabases(environ(o.settings(j.Spec.Template.Spec.Containers[0]))); err != nil {
			faults = append(faults, fmt.Sprintf("%s does not start: %v", j.Name, err))
		}
	}
	return faults
}

// The program itself says of both environments that nothing is missing or wrong.
func TestTheProgramStartsWithWhatItIsGiven(t *testing.T) {
	t.Parallel()
	eachOverlay(t, starts)
}

// The halves find each other, and mean the same.
func TestTheHalvesFit(t *testing.T) {
	t.Parallel()
	for _, name := range overlays {
		o := overlay(t, name)
		halves := map[string]map[string]string{}
		for _, d := range o.servers() {
			halves[d.Labels["app.kubernetes.io/instance"]] = o.settings(d.Spec.Template.Spec.Containers[0])
		}
		dao, fos := halves["dao"], halves["fos"]
		if !strings.HasPrefix(dao["HANDOFF_TARGETS"], fos["CROSS_DOMAIN_EXPECTED_TARGET"]+"=") {
			t.Errorf("%s: tokens are for %s, and %s is expected", name, dao["HANDOFF_TARGETS"], fos["CROSS_DOMAIN_EXPECTED_TARGET"])
		}
		for url, service := range map[string]string{fos["ORACLE_BRIDGE_URL"]: "handoff-dao", dao["FOUNDERYOS_API_URL"]: "handoff-fos"} {
			s := o.services[service]
			if url != fmt.Sprintf("http://%s:%d", service, s.Spec.Ports[0].Port) {
				t.Errorf("%s: %s leads not to %s", name, url, service)
			}
		}
		for _, half := range []map[string]string{dao, fos} {
			if half["TRUSTED_PROXIES"] != dao["TRUSTED_PROXIES"] {
				t.Errorf("%s: the halves trust different proxies", name)
			}
		}
	}
}

// Whatever the program must be given in production is given, each half's to that half.
func TestWhatProductionRequiresIsGiven(t *testing.T) {
	t.Parallel()
	for _, name := range overlays {
		o := overlay(t, name)
		for _, d := range o.servers() {
			settings := o.settings(d.Spec.Template.Spec.Containers[0])
			half := d.Labels["app.kubernetes.io/instance"]
			for _, v := range config.Variables() {
				_, given := settings[v.Name]
				if v.Name == "REDIS_URL" && half == "dao" {
					continue // DAO_REDIS_URL
				}
				if v.Required && (v.Half == half || v.Half == config.HalfBoth) && !given {
					t.Errorf("%s: %s does not get %s", name, d.Name, v.Name)
				}
				if given && v.Half != half && v.Half != config.HalfBoth {
					t.Errorf("%s: %s gets %s, which is the other half's", name, d.Name, v.Name)
				}
			}
		}
	}
}

// Nothing that could be a secret, and no real address, lies in these files.
func TestNoSecretLiesInTheManifests(t *testing.T) {
	t.Parallel()
	for _, name := range overlays {
		for _, m := range overlay(t, name).configMaps {
			for key := range m.Data {
				if v, is := variable(key); is && v.Secret {
					t.Errorf("%s: %s has %s", name, m.Name, key)
				}
			}
		}
		if strings.Contains(renderedText(t, "overlays/"+name), "kind: Secret\n") {
			t.Errorf("%s has a Secret", name)
		}
	}
	if _, err := os.Stat("overlays/production/secrets.env"); !errors.Is(err, os.ErrNotExist) {
		t.Error("secrets lie beside the manifests")
	}
}
