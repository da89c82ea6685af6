package k8s_test

import (
	"strings"
	"testing"
)

// promises are all functions from objects to faults.
var promises = []func(*objects) []string{hardened, alwaysThere, drainsInTime, givenByName, settable, starts, connected, leadsIn, encrypted, fits, asked}

// breakages are mistakes in the rendered manifests, and a word of what is said of each.
var breakages = []struct{ old, replacement, said string }{
	{"replicas: 2", "replicas: 1", "fewer than two replicas"},
	{"maxUnavailable: 0", "maxUnavailable: 1", "takes an old one away"},
	{"minAvailable: 1", "minAvailable: 0", "a drain may take all"},
	{"path: /health\n", "path: /\n", "readiness probe"},
	{"path: /health/live", "path: /health", "liveness probe"},
	{"topologySpreadConstraints:", "x", ""},
	{"terminationGracePeriodSeconds: 30", "terminationGracePeriodSeconds: 15", "killed before it has drained"},
	{"SHUTDOWN_DELAY: 5s", "SHUTDOWN_DELAY: 25s", "killed before it has drained"},
	{"runAsNonRoot: true", "runAsNonRoot: false", "may run as root"},
	{"type: RuntimeDefault", "type: Unconfined", "every system call"},
	{"allowPrivilegeEscalation: false", "allowPrivilegeEscalation: true", "more rights"},
	{"readOnlyRootFilesystem: true", "readOnlyRootFilesystem: false", "write to its image"},
	{"- ALL", "- NET_RAW", "has capabilities"},
	{"memory: 512Mi", "memory: 1Mi", "no bounds on memory"},
	{"cpu: \"2\"", "cpu: \"0\"", "no bounds on cpu"},
	{"automountServiceAccountToken: false", "automountServiceAccountToken: true", "token of the cluster"},
	{"enableServiceLinks: false", "enableServiceLinks: true", "variables that no manifest names"},
	{"handoff@sha256:", "handoff:v1-", "may become another"},
	{"- name: JWT_SECRET_KEY\n", "- name: JWT_SECRET_KEYS\n", "read by nobody"},
	{"  LOG_LEVEL: info\n", "", "LOG_LEVEL refers to a key that is not there"},
	{"key: RATE_LIMIT_MINT_PER_MINUTE\n", "key: RATE_LIMIT_MINTS_PER_MINUTE\n", "RATE_LIMIT_MINT_PER_MINUTE has the value of another, or of none"},
	{"- name: MAX_CONNECTIONS\n", "- name: MAX_REQUESTS_IN_FLIGHT\n", "MAX_CONNECTIONS has a line: false"},
	{"- name: COOKIE_DOMAIN\n", "- name: MIGRATE_DATABASE_URL\n", "MIGRATE_DATABASE_URL has a line: true"},
	{"  LOG_LEVEL: info\n", "  LOG_LEVEL: info\n  LOG_LEVELS: info\n", "LOG_LEVELS is set, and reaches nobody"},
	{"key: JWT_SECRET_KEY\n              name: handoff-fos\n", "key: JWT_SECRET_KEY\n              name: handoff-dao\n", "another's secret"},
	{"key: DATABASE_URL\n              name: handoff-fos-migrate", "key: DATABASE_URL\n              name: handoff-fos", "the service's rights"},
	{"ENVIRONMENT: production", "ENVIRONMENT: staging", "takes itself for staging"},
	{"HANDOFF_HALVES: fos", "HANDOFF_HALVES: dao,fos", "does not start"},
	{"TRUSTED_PROXIES: 10.42.0.0/16", "TRUSTED_PROXIES: \"\"", "trusts no proxy"},
	{"HANDOFF_UNBOUND: confirm", "HANDOFF_UNBOUND: allow", "warns: HANDOFF_UNBOUND"},
	{"FRONTEND_URL: https://founderyos.dev", "FRONTEND_URL: http://founderyos.dev", "does not start"},
	{"name: nobody\n", "name: nobody\n  annotations: {}\n", ""}, // harmless: nothing is said
	{"podSelector: {}\n  policyTypes:\n  - Ingress\n  - Egress", "podSelector: {}\n  policyTypes:\n  - Egress", "→ newcomer:"},
	{"kubernetes.io/metadata.name: monitoring", "kubernetes.io/metadata.name: elsewhere", "prometheus → handoff-dao:9090 is false"},
	{"- port: metrics\n", "- port: http\n", "prometheus → handoff-dao:8787 is true"},
	{"- 169.254.0.0/16", "- 192.0.2.0/24", "the metadata:5432 is true"},
	{"PathPrefix(`/auth/`)", "PathPrefix(`/auth`)", "takes [/auth /oracle/]"},
	{"- websecure", "- web", "without TLS"},
	{"certResolver: letsencrypt\n", "certResolver: letsencrypt\n    options:\n      name: handoff\n", "names TLS options"},
	{"Host(`founderyos.dev`)", "Host(`www.founderyos.dev`)", "the front end's own host"},
	{"FOS_PUBLIC_PREFIX: /fos", "FOS_PUBLIC_PREFIX: /api", "not what is stripped"},
	{"- name: handoff-limit\n", "- name: handoff-limits\n", "there is no handoff-limits"},
	{"Cache-Control: no-store", "Cache-Control: public", "passes its address on"},
	{"stsIncludeSubdomains: false", "stsIncludeSubdomains: true", "handoff-fos is set to \"max-age=31536000\", and Traefik says"},
	{"SECURITY_HSTS_INCLUDE_SUBDOMAINS: \"false\"", "SECURITY_HSTS_INCLUDE_SUBDOMAINS: \"true\"", "handoff-dao is set to"},
	{"stsSeconds: 31536000", "stsSeconds: 60", "lacks the headers"},
}

// Each promise can be broken, and then it is said which.
func TestBrokenManifestsAreSeen(t *testing.T) {
	t.Parallel()
	text := renderedText(t, "overlays/production")
	for _, b := range breakages {
		if !strings.Contains(text, b.old) {
			t.Errorf("%q is not there to be broken", b.old)
			continue
		}
		o, err := decode(strings.ReplaceAll(text, b.old, b.replacement))
		if err != nil {
			if b.replacement != "x" {
				t.Errorf("%q: %v", b.replacement, err)
			}
			continue
		}
		var said []string
		for _, promise := range promises {
			said = append(said, promise(o)...)
		}
		all := strings.Join(said, "\n")
		if !strings.Contains(all, b.said) || (b.said == "") != (all == "") {
			t.Errorf("%q in place of %q: want %q, said was\n%s", b.replacement, b.old, b.said, all)
		}
	}
}
