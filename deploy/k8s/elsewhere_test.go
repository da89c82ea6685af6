package k8s_test

import (
	"strings"
	"testing"
)

// With the DAO half on a machine of its own nothing of it is left here but its name, and the
// promises hold for the half that is.
func TestTheDAOHalfElsewhereKeepsItsName(t *testing.T) {
	t.Parallel()
	o := overlayWith(t, "production", "dao-elsewhere")
	for _, promise := range []func(*objects) []string{hardened, alwaysThere, drainsInTime, givenByName, starts, leadsIn, fits} {
		for _, fault := range promise(o) {
			t.Error(fault)
		}
	}
	for _, p := range o.pods() {
		if strings.HasPrefix(p.owner, "Deployment/handoff-dao") || strings.HasPrefix(p.owner, "Job/handoff-dao") {
			t.Errorf("%s runs here", p.owner)
		}
	}
	if len(o.servers()) != 1 || len(o.budgets) != 1 || len(o.slices) != 1 {
		t.Fatalf("%d servers, %d budgets, %d slices", len(o.servers()), len(o.budgets), len(o.slices))
	}
	// Without a selector Kubernetes leaves the addresses to us, under the service's name.
	service, slice := o.services["handoff-dao"], o.slices[0]
	if len(service.Spec.Selector) > 0 || slice.Labels["kubernetes.io/service-name"] != service.Name || slice.Namespace != service.Namespace ||
		*slice.Ports[0].Name != service.Spec.Ports[0].Name || *slice.Ports[0].Port != service.Spec.Ports[0].TargetPort.IntVal {
		t.Errorf("the name leads nowhere: %v, %v", service.Spec, slice.Ports)
	}
	fos, there := o.ends()["handoff-fos"], end{address: slice.Endpoints[0].Addresses[0]}
	if !o.reaches(fos, there, 8788) || o.reaches(fos, there, portHTTPS) || o.reaches(fos, end{address: "192.0.2.3"}, 8788) {
		t.Error("the FOS half does not reach the DAO half, or more than it")
	}
}
