package k8s_test

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/hello-world-co-op/handoff/internal/config"
)

var quoted = regexp.MustCompile("(Host|PathPrefix)\\(`([^`]+)`\\)")

// routed are the arguments of a matcher in a rule.
func routed(match, matcher string) (values []string) {
	for _, m := range quoted.FindAllStringSubmatch(match, -1) {
		if m[1] == matcher {
			values = append(values, m[2])
		}
	}
	return values
}

// wanted is where each route's prefixes lead.
var wanted = map[string][]string{"handoff-dao": {"/auth/", "/oracle/"}, "handoff-fos": {"/fos/"}}

// leadsIn says which route leads elsewhere, or past what stands before the service.
func leadsIn(o *objects) (faults []string) {
	for _, route := range o.routes {
		fault := func(format string, args ...any) {
			faults = append(faults, route.Name+": "+fmt.Sprintf(format, args...))
		}
		if !slices.Equal(route.Spec.EntryPoints, []string{"websecure"}) || route.Spec.TLS == nil || route.Spec.TLS.CertResolver == "" {
			fault("is reached without TLS")
		}
		// The front end and other services route our hosts, too, and TLS is settled by host:
		// where the routes of one name different options, Traefik takes its default ones.
		if route.Spec.TLS != nil && route.Spec.TLS.Options.Name != "" {
			fault("names TLS options, which hold only while all routes of its hosts name the same")
		}
		for _, rule := range route.Spec.Routes {
			if prefixes := routed(rule.Match, "PathPrefix"); !slices.Equal(prefixes, wanted[route.Name]) {
				fault("takes %v", prefixes)
			}
			if len(routed(rule.Match, "Host")) == 0 {
				fault("answers to every name")
			}
			if len(rule.Services) != 1 || rule.Services[0].Name != route.Name || rule.Services[0].Port != "http" {
				fault("leads to %v", rule.Services)
			}
			var names []string
			for _, m := range rule.Middlewares {
				names = append(names, m.Name)
			}
			faults = append(faults, o.chainFaults(route.Name, names)...)
		}
	}
	return faults
}

// chainFaults looks at the middlewares in front of a route.
func (o *objects) chainFaults(route string, names []string) (faults []string) {
	stripped, guarded, limited := []string{}, false, false
	for _, name := range names {
		m := o.middlewares[name]
		if m == nil {
			faults = append(faults, route+": there is no "+name)
			continue
		}
		if m.Spec.StripPrefix != nil {
			for _, prefix := range m.Spec.StripPrefix.Prefixes {
				stripped = append(stripped, prefix+"/")
			}
		}
		if h := m.Spec.Headers; h != nil {
			guarded = h.STSSeconds >= 365*86400 && h.ContentTypeNosniff && h.FrameDeny && h.ReferrerPolicy == "no-referrer"
		}
		limited = limited || m.Spec.RateLimit != nil && m.Spec.RateLimit.Average > 0
	}
	if !slices.Equal(stripped, wanted[route]) {
		faults = append(faults, fmt.Sprintf("%s: strips %v", route, stripped))
	}
	if !guarded || !limited {
		faults = append(faults, route+": lacks the headers or the limit")
	}
	return faults
}

func TestTraefikLeadsToTheHalvesAndNowhereElse(t *testing.T) {
	t.Parallel()
	eachOverlay(t, leadsIn)
}

// fits says where the routes and the settings mean different things.
func fits(o *objects) (faults []string) {
	for _, d := range o.servers() {
		s := o.settings(d.Spec.Template.Spec.Containers[0])
		faults = append(faults, o.hstsFaults(d.Name, s)...)
		if d.Name != "handoff-fos" {
			continue
		}
		// Another prefix than the one that is stripped, and the browser keeps the refresh
		// token to itself.
		if m := o.middlewares["handoff-strip-fos"]; m == nil || m.Spec.StripPrefix == nil || !slices.Equal(m.Spec.StripPrefix.Prefixes, []string{s["FOS_PUBLIC_PREFIX"]}) {
			faults = append(faults, "FOS_PUBLIC_PREFIX is not what is stripped")
		}
		site := strings.TrimPrefix(s["FRONTEND_URL"], "https://")
		for _, route := range o.routes {
			if route.Name == d.Name && !slices.Contains(routed(route.Spec.Routes[0].Match, "Host"), site) {
				faults = append(faults, "the front end's own host does not lead to the FOS half, and a browser sends it no cookie elsewhere")
			}
		}
	}
	if m := o.middlewares["handoff-landing"]; m == nil || m.Spec.Headers == nil || m.Spec.Headers.ReferrerPolicy != "no-referrer" || m.Spec.Headers.CustomResponseHeaders["Cache-Control"] != "no-store" {
		faults = append(faults, "the landing page passes its address on")
	}
	return faults
}

// hstsFaults says where Traefik, whose header replaces ours, tells browsers something else than
// the half is set to. Of subdomains neither speaks: the front end's host is a domain of its
// own (founderyos.dev), and a year of HTTPS for all names below it is not ours to declare.
func (o *objects) hstsFaults(name string, settings map[string]string) (faults []string) {
	c, err := config.Load(environ(settings))
	m := o.middlewares["handoff-headers"]
	if err != nil || m == nil || m.Spec.Headers == nil {
		return nil // others say so
	}
	said := fmt.Sprintf("max-age=%d", m.Spec.Headers.STSSeconds)
	if m.Spec.Headers.STSIncludeSubdomains {
		said += "; includeSubDomains"
	}
	if c.Security.HSTS != said {
		faults = append(faults, fmt.Sprintf("%s is set to %q, and Traefik says %q", name, c.Security.HSTS, said))
	}
	return faults
}

// Nobody who takes the manifests as they are binds the subdomains of a domain.
func TestNoSubdomainIsBoundByDefault(t *testing.T) {
	t.Parallel()
	for _, name := range overlays {
		o := overlay(t, name)
		if o.middlewares["handoff-headers"].Spec.Headers.STSIncludeSubdomains {
			t.Errorf("%s binds subdomains", name)
		}
	}
}

func TestTheRoutesFitTheSettings(t *testing.T) {
	t.Parallel()
	eachOverlay(t, fits)
}

// A staging that answers to production's names would take its people.
func TestTheOverlaysShareNoHostAndNoNamespace(t *testing.T) {
	t.Parallel()
	seen := map[string]string{}
	for _, name := range overlays {
		for _, route := range overlay(t, name).routes {
			for _, host := range routed(route.Spec.Routes[0].Match, "Host") {
				if other := seen[host]; other != "" && other != name {
					t.Errorf("%s belongs to %s and %s", host, other, name)
				}
				seen[host] = name
			}
		}
	}
	if len(seen) < 4 {
		t.Errorf("only %v", seen)
	}
}
