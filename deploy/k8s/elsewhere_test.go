package k8s_test

import (
	"fmt"
	"net/url"
	"strings"
	"testing"
)

// With the DAO half on a machine of its own nothing of it is left here but its name, and the
// promises hold for the half that is.
func TestTheDAOHalfElsewhereKeepsItsName(t *testing.T) {
	t.Parallel()
	o := overlayWith(t, "production", "dao-elsewhere")
	for _, promise := range []func(*objects) []string{hardened, alwaysThere, drainsInTime, givenByName, settable, starts, leadsIn, encrypted, fits, asked} {
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

// here says whether it is pods of this cluster that answer to a Service's name. Without a
// selector the name stands for whatever address somebody wrote down.
func (o *objects) here(service string) bool {
	s := o.services[service]
	return s != nil && len(s.Spec.Selector) > 0
}

// encrypted says what leaves the cluster in clear: service tokens and people's claims between
// the halves, passwords and cookies from Traefik. The program refuses plain HTTP to an address
// outside, but a name of the cluster that leads there looks internal to it.
func encrypted(o *objects) (faults []string) {
	for _, d := range o.servers() {
		s := o.settings(d.Spec.Template.Spec.Containers[0])
		for _, name := range []string{"ORACLE_BRIDGE_URL", "FOUNDERYOS_API_URL"} {
			if peer, err := url.Parse(s[name]); err != nil || s[name] != "" && peer.Scheme != "https" && !o.here(peer.Hostname()) {
				faults = append(faults, fmt.Sprintf("%s: %s leaves the cluster in clear", d.Name, name))
			}
		}
	}
	for _, route := range o.routes {
		for _, rule := range route.Spec.Routes {
			for _, s := range rule.Services {
				transport := o.transports[s.ServersTransport]
				if !o.here(s.Name) && (s.Scheme != "https" || transport == nil || transport.Spec.ServerName == "") {
					faults = append(faults, route.Name+": people's passwords leave the cluster in clear, or for whoever answers")
				}
			}
		}
	}
	return faults
}

// Both ways to the DAO half elsewhere are TLS, with a certificate for the same name, and
// each way of losing that is seen.
func TestNothingLeavesTheClusterInClear(t *testing.T) {
	t.Parallel()
	text := renderedWith(t, "production", "dao-elsewhere")
	o, err := decode(text)
	if err != nil {
		t.Fatal(err)
	}
	if got := encrypted(o); len(got) > 0 || o.transports["handoff-dao"] == nil {
		t.Fatal(got)
	}
	for _, d := range o.servers() {
		peer, err := url.Parse(o.settings(d.Spec.Template.Spec.Containers[0])["ORACLE_BRIDGE_URL"])
		if err != nil || peer.Hostname() != o.transports["handoff-dao"].Spec.ServerName || peer.Port() != fmt.Sprint(*o.slices[0].Ports[0].Port) {
			t.Errorf("the FOS half asks %v, Traefik %v", peer, o.transports)
		}
	}
	_, host, _ := strings.Cut(text, "ORACLE_BRIDGE_URL: https://")
	host, _, _ = strings.Cut(host, "\n")
	for old, replacement := range map[string]string{
		"https://" + host:                              "http://handoff-dao:8787",
		"ORACLE_BRIDGE_URL: https://":                  "ORACLE_BRIDGE_URL: http://",
		"scheme: https":                                "scheme: http",
		"serversTransport: handoff-dao":                "serversTransport: handoff-fos",
		"serverName: " + host[:len(host)-len(":8788")]: `serverName: ""`,
	} {
		broken, err := decode(strings.ReplaceAll(text, old, replacement))
		if err != nil {
			t.Fatalf("%s: %v", replacement, err)
		}
		if got := encrypted(broken); len(got) != 1 {
			t.Errorf("%q in place of %q: %q", replacement, old, got)
		}
	}
	if broken := strings.ReplaceAll(text, "  serverName:", "  insecureSkipVerify: true\n  serverName:"); broken == text {
		t.Error("there is no name to verify")
	} else if _, err := decode(broken); err == nil {
		t.Error("a certificate that nobody looks at goes unseen")
	}
}
