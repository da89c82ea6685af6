package k8s_test

import (
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/hello-world-co-op/handoff/internal/config"
)

const portAuthz int32 = 8001

// With the listener for Traefik all other promises hold, Traefik alone reaches it, and no
// route does; a service behind it is told what the FOS half says, and nothing that a client
// says of itself.
func TestTraefikAloneAsksWhoItIs(t *testing.T) {
	t.Parallel()
	o, err := decode(renderedText(t, "testdata/authz"))
	if err != nil {
		t.Fatal(err)
	}
	for _, promise := range []func(*objects) []string{hardened, alwaysThere, drainsInTime, givenByName, starts, leadsIn, fits, connected} {
		for _, fault := range promise(o) {
			t.Error(fault)
		}
	}
	everybody := o.ends()
	for name, who := range everybody {
		if got := o.reaches(who, everybody["handoff-fos"], portAuthz); got != (name == "traefik") {
			t.Errorf("%s reaches the listener: %v", name, got)
		}
	}
	for _, route := range o.routes {
		for _, r := range route.Spec.Routes {
			for _, to := range r.Services {
				if to.Name == "handoff-authz" || to.Port == "authz" {
					t.Errorf("%s leads to the listener", route.Name)
				}
			}
		}
	}
	listens := o.fosListens(t)
	for name, path := range map[string]string{"handoff-session": "/authz/session", "handoff-service": "/authz/service"} {
		asks := o.middlewares[name].Spec.ForwardAuth
		if asks == nil || asks.TrustForwardHeader == nil || *asks.TrustForwardHeader {
			t.Fatalf("%s: %+v: a client's own X-Forwarded-Method is believed", name, asks)
		}
		at, err := url.Parse(asks.Address)
		if service := o.services[at.Hostname()]; err != nil || service == nil || at.Path != path || ":"+at.Port() != listens || service.Spec.Ports[0].Port != portAuthz {
			t.Errorf("%s asks at %s, which leads nowhere", name, asks.Address)
		}
		for _, header := range []string{"X-Auth-Service", "X-Auth-User", "X-Auth-Role", "X-Auth-Session"} {
			if !slices.Contains(asks.AuthResponseHeaders, header) {
				t.Errorf("%s lets a client's own %s through", name, header)
			}
		}
	}
	if !slices.Contains(o.middlewares["handoff-service"].Spec.ForwardAuth.AuthResponseHeaders, "Authorization") {
		t.Error("a service is given its caller's bearer")
	}
}

// fosListens is where the FOS half answers Traefik, by its own reading of its settings.
func (o *objects) fosListens(t *testing.T) string {
	t.Helper()
	for _, p := range o.pods() {
		if strings.HasSuffix(p.owner, "/handoff-fos") {
			c, err := config.Load(environ(o.settings(p.spec.Containers[0])))
			if err != nil {
				t.Fatal(err)
			}
			return c.FOS.AuthzAddr
		}
	}
	t.Fatal("there is no FOS half")
	return ""
}
