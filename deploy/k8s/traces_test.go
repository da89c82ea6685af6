package k8s_test

import (
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"

	"github.com/hello-world-co-op/handoff/internal/config"
)

// With a collector both halves reach it, at the port that they are told; nobody else does,
// nobody reaches anything more, and all other promises hold. Its credentials are no setting.
func TestTheHalvesReachTheirCollector(t *testing.T) {
	t.Parallel()
	for _, name := range overlays {
		o := overlayWith(t, name, "traces")
		for _, promise := range promises {
			if got := promise(o); len(got) > 0 && !slices.Equal(got, []string{"handoff-dao → collector:4318 is true", "handoff-fos → collector:4318 is true"}) {
				t.Errorf("%s: %v", name, got)
			}
		}
		if got := connected(o); len(got) != 2 {
			t.Errorf("%s: they do not reach it: %v", name, got)
		}
		for _, d := range o.servers() {
			c, err := config.Load(environ(o.settings(d.Spec.Template.Spec.Containers[0])))
			if err != nil || !strings.HasSuffix(c.TraceEndpoint, ":4318") {
				t.Errorf("%s: %s sends its traces to %q, %v", name, d.Name, c.TraceEndpoint, err)
			}
			if !slices.ContainsFunc(d.Spec.Template.Spec.Containers[0].Env, func(v corev1.EnvVar) bool {
				return v.Name == "OTEL_EXPORTER_OTLP_HEADERS" && v.ValueFrom.SecretKeyRef != nil && v.ValueFrom.SecretKeyRef.Name == d.Name && is(v.ValueFrom.SecretKeyRef.Optional, true)
			}) {
				t.Errorf("%s: %s has no place for a collector's credentials", name, d.Name)
			}
		}
	}
}

// The components go together.
func TestTheComponentsGoTogether(t *testing.T) {
	t.Parallel()
	for _, components := range []string{"authz, ../../components/traces", "dao-elsewhere, ../../components/traces", "dao-elsewhere, ../../components/authz, ../../components/traces"} {
		o := overlayWith(t, "production", components)
		for _, promise := range []func(*objects) []string{hardened, alwaysThere, drainsInTime, givenByName, settable, starts, leadsIn, fits, asked} {
			for _, fault := range promise(o) {
				t.Errorf("%s: %s", components, fault)
			}
		}
		if !o.reaches(o.ends()["handoff-fos"], o.ends()["collector"], portTraces) {
			t.Errorf("%s: the collector is not reached", components)
		}
	}
}
