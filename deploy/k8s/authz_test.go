package k8s_test

import (
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"

	"github.com/hello-world-co-op/handoff/internal/config"
)

const portAuthz int32 = 8001

// With the listener for Traefik all other promises hold, Traefik alone reaches it, and no
// route does; a service behind it is told what the FOS half says, and nothing that a client
// says of itself.
func TestTraefikAloneAsksWhoItIs(t *testing.T) {
	t.Parallel()
	for _, name := range overlays {
		o := overlayWith(t, name, "authz")
		for _, promise := range promises {
			for _, fault := range promise(o) {
				t.Errorf("%s: %s", name, fault)
			}
		}
		everybody := o.ends()
		for who, end := range everybody {
			if got := o.reaches(end, everybody["handoff-fos"], portAuthz); got != (who == "traefik") {
				t.Errorf("%s: %s reaches the listener: %v", name, who, got)
			}
		}
		for _, route := range o.routes {
			for _, r := range route.Spec.Routes {
				for _, to := range r.Services {
					if to.Name == "handoff-authz" || to.Port == "authz" {
						t.Errorf("%s: %s leads to the listener", name, route.Name)
					}
				}
			}
		}
		for asker, path := range map[string]string{"handoff-session": "/authz/session", "handoff-service": "/authz/service"} {
			o.asksAt(t, asker, path)
		}
		if asks := o.middlewares["handoff-service"].Spec.ForwardAuth; !slices.Contains(asks.AuthResponseHeaders, "Authorization") {
			t.Errorf("%s: a service is given its caller's bearer", name)
		}
	}
}

// asksAt looks at one of the two questions.
func (o *objects) asksAt(t *testing.T, name, path string) {
	t.Helper()
	asks := o.middlewares[name].Spec.ForwardAuth
	if asks == nil || asks.TrustForwardHeader == nil || *asks.TrustForwardHeader {
		t.Fatalf("%s: %+v: a client's own X-Forwarded-Method is believed", name, asks)
	}
	at, err := url.Parse(asks.Address)
	if err != nil || at.Path != path || ":"+at.Port() != o.fosListens(t) {
		t.Errorf("%s asks at %s, where nobody listens", name, asks.Address)
	}
	for _, header := range []string{"X-Auth-Service", "X-Auth-User", "X-Auth-Role", "X-Auth-Session"} {
		if !slices.Contains(asks.AuthResponseHeaders, header) {
			t.Errorf("%s lets a client's own %s through", name, header)
		}
	}
}

// asked says which question leads to no Service. Traefik looks names up in its own
// namespace: a bare one of ours is nobody's there, and every request is refused.
func asked(o *objects) (faults []string) {
	for name, m := range o.middlewares {
		if m.Spec.ForwardAuth == nil {
			continue
		}
		at, err := url.Parse(m.Spec.ForwardAuth.Address)
		if err != nil || !slices.ContainsFunc(slices.Collect(maps.Values(o.services)), func(s *corev1.Service) bool {
			return at.Hostname() == s.Name+"."+s.Namespace+".svc" && at.Port() == strconv.Itoa(int(s.Spec.Ports[0].Port))
		}) {
			faults = append(faults, fmt.Sprintf("%s asks at %s, which is no Service of this namespace by its whole name", name, m.Spec.ForwardAuth.Address))
		}
	}
	return faults
}

// A bare name, another namespace's and another port are seen.
func TestAQuestionThatLeadsNowhereIsSeen(t *testing.T) {
	t.Parallel()
	text := renderedWith(t, "production", "authz")
	const right = "http://handoff-authz.handoff-production.svc:8001/"
	for _, wrong := range []string{"http://handoff-authz:8001/", "http://handoff-authz.handoff-staging.svc:8001/", "http://handoff-authz.handoff-production.svc:8000/", "http://handoff-fos.handoff-production.svc:8001/"} {
		if !strings.Contains(text, right) {
			t.Fatalf("nobody asks at %s", right)
		}
		o, err := decode(strings.ReplaceAll(text, right, wrong))
		if err != nil {
			t.Fatal(err)
		}
		if got := asked(o); len(got) != 2 {
			t.Errorf("%s: %v", wrong, got)
		}
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
