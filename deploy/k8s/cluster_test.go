package k8s_test

import (
	"slices"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"
)

func clusterObjects(t *testing.T) *objects {
	t.Helper()
	o, err := decode(renderedText(t, "cluster"))
	if err != nil {
		t.Fatal(err)
	}
	return o
}

// The token is in the query of /cross-domain, which Traefik logs as part of the path, and
// in the Referer of what that page loads. Both are dropped, and no other header is kept.
func TestTheAccessLogHasNeitherPathNorReferer(t *testing.T) {
	t.Parallel()
	charts := clusterObjects(t).charts
	if len(charts) != 1 || charts[0].Name != "traefik" || charts[0].Namespace != "kube-system" {
		t.Fatalf("%d configurations of Traefik", len(charts))
	}
	values := traefikValues(t, charts[0].Spec.ValuesContent)
	for _, want := range []string{
		"--accesslog=true", "--accesslog.format=json", // the common format has the path and the Referer always
		"--accesslog.fields.names.RequestPath=drop", "--accesslog.fields.names.RequestLine=drop",
		"--accesslog.fields.headers.defaultmode=drop", "--accesslog.fields.headers.names.Referer=drop",
		"--log.level=INFO", // at DEBUG it writes whole requests
	} {
		if !slices.Contains(values.AdditionalArguments, want) {
			t.Errorf("%s is missing", want)
		}
	}
	for _, argument := range values.AdditionalArguments {
		if strings.Contains(argument, "headers.") && !strings.HasSuffix(argument, "=drop") {
			t.Errorf("%s keeps a header", argument)
		}
	}
	if values.Service.Spec.ExternalTrafficPolicy != "Local" {
		t.Error("Traefik sees the node's address in place of the caller's")
	}
}

// The overlays trust the pods' network of the cluster that traefik.yaml is written for: k3s',
// where Traefik's pods are in 10.42.0.0/16 unless it was started with another. With another
// cluster's network every caller would be one address, and each question of a gateway a 403.
func TestTheProxiesAreOfTheClusterThatTraefikIsIn(t *testing.T) {
	t.Parallel()
	if len(clusterObjects(t).charts) != 1 {
		t.Fatal("Traefik is no longer k3s', whose network this is")
	}
	for _, name := range overlays {
		o := overlay(t, name)
		for _, d := range o.servers() {
			if got := o.settings(d.Spec.Template.Spec.Containers[0])["TRUSTED_PROXIES"]; got != "10.42.0.0/16" {
				t.Errorf("%s: %s trusts %s", name, d.Name, got)
			}
		}
	}
}

// chartValues are those of Traefik's chart that are set here.
type chartValues struct {
	AdditionalArguments []string `json:"additionalArguments"`
	Service             struct {
		Spec struct {
			ExternalTrafficPolicy string `json:"externalTrafficPolicy"`
		} `json:"spec"`
	} `json:"service"`
}

func traefikValues(t *testing.T, text string) (values chartValues) {
	t.Helper()
	if err := yaml.UnmarshalStrict([]byte(text), &values); err != nil {
		t.Fatal(err)
	}
	return values
}

// Who has other services ask (components/authz) takes the mark away from two lines, and
// Traefik is told what these need: no header that a service could take for X-Auth-User
// passes, and routes in other namespaces find the middlewares. As the file comes, neither is
// said: an older Traefik does not start with the first, and the second opens more than that.
func TestWhatOtherServicesNeedOfTraefikIsWrittenBesideIt(t *testing.T) {
	t.Parallel()
	text := clusterObjects(t).charts[0].Spec.ValuesContent
	before, after := traefikValues(t, text), traefikValues(t, strings.ReplaceAll(text, "  # - --", "  - --"))
	for _, want := range []string{"--entrypoints.websecure.http.aliasheadersstrategy=delete", "--providers.kubernetescrd.allowcrossnamespace=true"} {
		if slices.Contains(before.AdditionalArguments, want) || !slices.Contains(after.AdditionalArguments, want) {
			t.Errorf("%s: before %v, after %v", want, before.AdditionalArguments, after.AdditionalArguments)
		}
	}
	if len(after.AdditionalArguments) != len(before.AdditionalArguments)+2 {
		t.Errorf("the lines are %v", after.AdditionalArguments)
	}
}

// Who gets into the pipeline reads no Secret, gets into no pod, and not from one
// environment into the other.
func TestTheDeployerMayRollOutAndNothingElse(t *testing.T) {
	t.Parallel()
	o := clusterObjects(t)
	if len(o.roles) != 1 || len(o.bindings) != len(overlays) {
		t.Fatalf("%d roles, %d bindings", len(o.roles), len(o.bindings))
	}
	may := map[string][]string{}
	for _, rule := range o.roles[0].Rules {
		for _, resource := range rule.Resources {
			may[resource] = rule.Verbs
			for _, verb := range rule.Verbs {
				if resource == "*" || verb == "*" || slices.Contains(rule.APIGroups, "*") || len(rule.NonResourceURLs) > 0 {
					t.Errorf("it may %s %s", verb, resource)
				}
			}
		}
	}
	for _, never := range []string{"secrets", "pods", "pods/exec", "pods/log", "roles", "rolebindings", "serviceaccounts/token", "namespaces", "nodes"} {
		if len(may[never]) > 0 {
			t.Errorf("it may %v %s", may[never], never)
		}
	}
	// Server-side apply creates and patches; whatever the overlays have, it must be able to.
	resourceOf := map[string]string{"IngressRoute": "ingressroutes", "Middleware": "middlewares", "ServersTransport": "serverstransports", "Deployment": "deployments", "Job": "jobs", "EndpointSlice": "endpointslices",
		"ConfigMap": "configmaps", "Service": "services", "ServiceAccount": "serviceaccounts", "PodDisruptionBudget": "poddisruptionbudgets", "NetworkPolicy": "networkpolicies"}
	for line := range strings.Lines(renderedText(t, "overlays/production") + renderedWith(t, "production", "dao-elsewhere")) {
		if kind, is := strings.CutPrefix(strings.TrimSpace(line), "kind: "); is && !strings.HasPrefix(line, " ") {
			if verbs := may[resourceOf[kind]]; !slices.Contains(verbs, "create") || !slices.Contains(verbs, "patch") {
				t.Errorf("it cannot apply a %s", kind)
			}
		}
	}
	for _, b := range o.bindings {
		if len(b.Subjects) != 1 || b.Subjects[0].Namespace != b.Namespace || b.Subjects[0].Name != "deployer" {
			t.Errorf("in %s it is %v", b.Namespace, b.Subjects)
		}
	}
}

// What holds for every route that names no options, and wherever routes of one host disagree,
// is Traefik's default: an object of that name, of which a cluster may have one.
func TestTheDefaultTLSIsModern(t *testing.T) {
	t.Parallel()
	options := clusterObjects(t).tlsOptions
	if o := options["default"]; len(options) != 1 || o == nil || o.Spec.MinVersion != "VersionTLS12" && o.Spec.MinVersion != "VersionTLS13" {
		t.Errorf("the options are %v", options)
	}
	for _, name := range overlays {
		if options := overlay(t, name).tlsOptions; len(options) > 0 {
			t.Errorf("%s: %v may hold or not, by what others route", name, options)
		}
	}
}

func TestTheNamespacesAreRestricted(t *testing.T) {
	t.Parallel()
	names := []string{}
	for _, n := range clusterObjects(t).namespaces {
		names = append(names, n.Name)
		if n.Labels["pod-security.kubernetes.io/enforce"] != "restricted" {
			t.Errorf("%s takes every pod", n.Name)
		}
	}
	if !slices.Equal(names, []string{"handoff-production", "handoff-staging"}) && !slices.Equal(names, []string{"handoff-staging", "handoff-production"}) {
		t.Errorf("the namespaces are %v", names)
	}
}
