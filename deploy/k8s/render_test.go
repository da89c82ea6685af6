package k8s_test

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/json"
	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/kyaml/filesys"
	"sigs.k8s.io/yaml"
)

var overlays = []string{"staging", "production"}

// objects are what one kustomization renders to.
type objects struct {
	deployments []*appsv1.Deployment
	jobs        []*batchv1.Job
	configMaps  map[string]*corev1.ConfigMap
	services    map[string]*corev1.Service
	slices      []*discoveryv1.EndpointSlice
	budgets     []*policyv1.PodDisruptionBudget
	policies    []*networkingv1.NetworkPolicy
	accounts    []*corev1.ServiceAccount
	namespaces  []*corev1.Namespace
	roles       []*rbacv1.ClusterRole
	bindings    []*rbacv1.RoleBinding
	routes      []*ingressRoute
	middlewares map[string]*middleware
	tlsOptions  map[string]*tlsOption
	transports  map[string]*serversTransport
	charts      []*helmChartConfig
	all         []metav1.Object
}

var rendered sync.Map

// renderedText is what "kubectl kustomize" prints.
func renderedText(t *testing.T, path string) string {
	t.Helper()
	once, _ := rendered.LoadOrStore(path, sync.OnceValues(func() ([]byte, error) {
		resources, err := krusty.MakeKustomizer(krusty.MakeDefaultOptions()).Run(filesys.MakeFsOnDisk(), path)
		if err != nil {
			return nil, err
		}
		return resources.AsYaml()
	}))
	render, is := once.(func() ([]byte, error))
	if !is {
		t.Fatalf("%T", once)
	}
	text, err := render()
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func overlay(t *testing.T, name string) *objects {
	t.Helper()
	o, err := decode(renderedText(t, "overlays/"+name))
	if err != nil {
		t.Fatal(err)
	}
	return o
}

// decode takes every object into its type. A field that its type does not have, a field
// that is there twice and a kind that nobody expects are errors.
func decode(text string) (*objects, error) {
	o := &objects{configMaps: map[string]*corev1.ConfigMap{}, services: map[string]*corev1.Service{}, middlewares: map[string]*middleware{}, tlsOptions: map[string]*tlsOption{}, transports: map[string]*serversTransport{}}
	for document := range strings.SplitSeq(text, "\n---\n") {
		var kind metav1.TypeMeta
		if err := yaml.Unmarshal([]byte(document), &kind); err != nil {
			return nil, err
		}
		one, keep := o.place(kind.APIVersion + " " + kind.Kind)
		if one == nil {
			return nil, fmt.Errorf("%s %s is no object that belongs here", kind.APIVersion, kind.Kind)
		}
		if err := errors.Join(strictly([]byte(document), one), conforms(kind.APIVersion+" "+kind.Kind, []byte(document))); err != nil {
			return nil, fmt.Errorf("%s: %w", kind.Kind, err)
		}
		keep()
		o.all = append(o.all, one)
	}
	return o, nil
}

// strictly decodes as a cluster does with strict validation: names of fields have their
// case, and none is there twice.
func strictly(document []byte, one any) error {
	text, err := yaml.YAMLToJSONStrict(document)
	if err != nil {
		return err
	}
	strict, err := json.UnmarshalStrict(text, one)
	return errors.Join(append(strict, err)...)
}

// place is a new object of a kind, and what puts it where it belongs.
func (o *objects) place(kind string) (one metav1.Object, keep func()) {
	switch kind {
	case "apps/v1 Deployment":
		return list(&o.deployments)
	case "batch/v1 Job":
		return list(&o.jobs)
	case "v1 ConfigMap":
		return byName(o.configMaps)
	case "v1 Service":
		return byName(o.services)
	case "discovery.k8s.io/v1 EndpointSlice":
		return list(&o.slices)
	case "policy/v1 PodDisruptionBudget":
		return list(&o.budgets)
	case "networking.k8s.io/v1 NetworkPolicy":
		return list(&o.policies)
	case "v1 ServiceAccount":
		return list(&o.accounts)
	case "v1 Namespace":
		return list(&o.namespaces)
	case "rbac.authorization.k8s.io/v1 ClusterRole":
		return list(&o.roles)
	case "rbac.authorization.k8s.io/v1 RoleBinding":
		return list(&o.bindings)
	case "traefik.io/v1alpha1 IngressRoute":
		return list(&o.routes)
	case "traefik.io/v1alpha1 Middleware":
		return byName(o.middlewares)
	case "traefik.io/v1alpha1 TLSOption":
		return byName(o.tlsOptions)
	case "traefik.io/v1alpha1 ServersTransport":
		return byName(o.transports)
	case "helm.cattle.io/v1 HelmChartConfig":
		return list(&o.charts)
	}
	return nil, nil
}

// named is a pointer to T that is an object.
type named[T any] interface {
	*T
	metav1.Object
}

func list[T any, P named[T]](all *[]P) (metav1.Object, func()) {
	one := P(new(T))
	return one, func() { *all = append(*all, one) }
}

func byName[T any, P named[T]](all map[string]P) (metav1.Object, func()) {
	one := P(new(T))
	return one, func() { all[one.GetName()] = one }
}

// pod is a pod template with the name of what makes it.
type pod struct {
	owner  string // "Deployment/handoff-dao"
	labels map[string]string
	spec   corev1.PodSpec
}

func (o *objects) pods() []pod {
	var all []pod
	for _, d := range o.deployments {
		all = append(all, pod{"Deployment/" + d.Name, d.Spec.Template.Labels, d.Spec.Template.Spec})
	}
	for _, j := range o.jobs {
		all = append(all, pod{"Job/" + j.Name, j.Spec.Template.Labels, j.Spec.Template.Spec})
	}
	return all
}

// servers are the deployments of the halves.
func (o *objects) servers() []*appsv1.Deployment {
	var servers []*appsv1.Deployment
	for _, d := range o.deployments {
		if d.Labels["app.kubernetes.io/component"] == "server" {
			servers = append(servers, d)
		}
	}
	return servers
}

func eachOverlay(t *testing.T, look func(o *objects) []string) {
	t.Helper()
	for _, name := range overlays {
		for _, fault := range look(overlay(t, name)) {
			t.Errorf("%s: %s", name, fault)
		}
	}
}

// Everything that the promises are about is there, in its environment's namespace, and in
// no other.
func TestTheOverlaysRenderToWhatIsExpected(t *testing.T) {
	t.Parallel()
	for _, name := range overlays {
		o := overlay(t, name)
		counts := fmt.Sprint(len(o.deployments), len(o.servers()), len(o.jobs), len(o.services), len(o.budgets), len(o.routes))
		if counts != "3 2 2 3 2 2" {
			t.Errorf("%s: %s deployments, servers, jobs, services, budgets and routes", name, counts)
		}
		for _, one := range o.all {
			if one.GetNamespace() != "handoff-"+name {
				t.Errorf("%s: %s is in %q", name, one.GetName(), one.GetNamespace())
			}
			if one.GetLabels()["app.kubernetes.io/name"] != "handoff" {
				t.Errorf("%s: %s is not labelled", name, one.GetName())
			}
		}
	}
}

// A misspelt field is a fault, and not a promise that nobody keeps.
func TestAMisspeltFieldIsSeen(t *testing.T) {
	t.Parallel()
	text := renderedText(t, "overlays/production") + "\n---\n" + renderedText(t, "cluster")
	for _, edit := range [][2]string{
		{"readOnlyRootFilesystem", "readOnlyRootFileSystem"}, {"maxUnavailable", "maxUnavailabel"}, {"minAvailable", "minimumAvailable"},
		{"stripPrefix:", "stripprefix:"}, {"minVersion:", "minversion:"}, {"certResolver:", "certresolver:"}, {"kind: Service\n", "kind: Servise\n"},
		{"  replicas: 2\n", "  replicas: 2\n  replicas: 3\n"},
	} {
		if !strings.Contains(text, edit[0]) {
			t.Errorf("%q is not there to be misspelt", edit[0])
		}
		if _, err := decode(strings.ReplaceAll(text, edit[0], edit[1])); err == nil {
			t.Errorf("%q goes unseen", edit[1])
		}
	}
}
