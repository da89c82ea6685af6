package k8s_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
)

func is(b *bool, want bool) bool { return b != nil && *b == want }

// hardened says what is wrong with the rights of pods and their containers.
func hardened(o *objects) (faults []string) {
	for _, p := range o.pods() {
		fault := func(format string, args ...any) { faults = append(faults, p.owner+": "+fmt.Sprintf(format, args...)) }
		s := p.spec.SecurityContext
		switch {
		case s == nil || !is(s.RunAsNonRoot, true) || s.RunAsUser == nil || *s.RunAsUser == 0:
			fault("may run as root")
		case s.SeccompProfile == nil || s.SeccompProfile.Type != corev1.SeccompProfileTypeRuntimeDefault:
			fault("may make every system call")
		}
		if !is(p.spec.AutomountServiceAccountToken, false) || p.spec.ServiceAccountName != "handoff" {
			fault("holds a token of the cluster")
		}
		if !is(p.spec.EnableServiceLinks, false) {
			fault("gets variables that no manifest names")
		}
		if p.spec.HostNetwork || p.spec.HostPID || p.spec.HostIPC {
			fault("is in the host's namespaces")
		}
		for _, v := range p.spec.Volumes {
			if v.ConfigMap == nil && (v.EmptyDir == nil || v.EmptyDir.SizeLimit == nil) {
				fault("mounts %s, which is neither settings nor a bounded scratch", v.Name)
			}
		}
		for _, c := range append(p.spec.InitContainers, p.spec.Containers...) {
			for _, problem := range containerFaults(c) {
				fault("%s %s", c.Name, problem)
			}
		}
	}
	for _, a := range o.accounts {
		if !is(a.AutomountServiceAccountToken, false) {
			faults = append(faults, a.Name+" hands out its token")
		}
	}
	return faults
}

func containerFaults(c corev1.Container) (faults []string) {
	s := c.SecurityContext
	if s == nil {
		return []string{"has no security context"}
	}
	if !is(s.AllowPrivilegeEscalation, false) || s.Privileged != nil {
		faults = append(faults, "can get more rights")
	}
	if !is(s.ReadOnlyRootFilesystem, true) {
		faults = append(faults, "can write to its image")
	}
	if s.Capabilities == nil || !slices.Equal(s.Capabilities.Drop, []corev1.Capability{"ALL"}) || len(s.Capabilities.Add) > 0 {
		faults = append(faults, "has capabilities")
	}
	for _, what := range []corev1.ResourceName{corev1.ResourceCPU, corev1.ResourceMemory} {
		limit, request := c.Resources.Limits[what], c.Resources.Requests[what]
		if limit.IsZero() || request.IsZero() || request.Cmp(limit) > 0 {
			faults = append(faults, fmt.Sprintf("has no bounds on %s", what))
		}
	}
	if ours := strings.HasPrefix(c.Image, "hello-world-co-op/handoff"); ours != strings.Contains(c.Image, "@sha256:") || strings.HasSuffix(c.Image, ":latest") || !strings.Contains(c.Image, ":") {
		faults = append(faults, "has an image that may become another: "+c.Image)
	}
	return faults
}

func TestEveryPodIsHardenedAndBounded(t *testing.T) {
	t.Parallel()
	eachOverlay(t, hardened)
}

// alwaysThere says what would leave people without a server that answers.
func alwaysThere(o *objects) (faults []string) {
	for _, d := range o.servers() {
		fault := func(text string) { faults = append(faults, d.Name+": "+text) }
		if d.Spec.Replicas == nil || *d.Spec.Replicas < 2 {
			fault("fewer than two replicas")
		}
		r := d.Spec.Strategy.RollingUpdate
		if d.Spec.Strategy.Type != appsv1.RollingUpdateDeploymentStrategyType || r == nil || r.MaxUnavailable == nil || r.MaxUnavailable.String() != "0" || r.MaxSurge == nil || r.MaxSurge.String() == "0" {
			fault("a rollout takes an old one away before a new one is ready")
		}
		if len(d.Spec.Template.Spec.TopologySpreadConstraints) == 0 {
			fault("both may be on one node where there are two")
		}
		if !slices.ContainsFunc(o.budgets, func(b *policyv1.PodDisruptionBudget) bool {
			return matches(*b.Spec.Selector, d.Spec.Template.Labels) && b.Spec.MinAvailable != nil && b.Spec.MinAvailable.String() == "1"
		}) {
			fault("a drain may take all of them")
		}
		for _, problem := range probeFaults(d.Spec.Template.Spec.Containers[0]) {
			fault(problem)
		}
		s := o.services[d.Name]
		if s == nil || !matches(metaSelector(s.Spec.Selector), d.Spec.Template.Labels) || !matches(*d.Spec.Selector, d.Spec.Template.Labels) {
			fault("no service leads to it")
		}
	}
	return faults
}

func probeFaults(c corev1.Container) (faults []string) {
	for what, want := range map[string]struct {
		probe *corev1.Probe
		path  string
	}{
		"startup": {c.StartupProbe, "/health/live"}, "liveness": {c.LivenessProbe, "/health/live"}, "readiness": {c.ReadinessProbe, "/health"},
	} {
		p := want.probe
		if p == nil || p.HTTPGet == nil || p.HTTPGet.Path != want.path || p.HTTPGet.Port.String() != "http" {
			faults = append(faults, "the "+what+" probe does not ask "+want.path)
		}
	}
	// /health may take its second; the probe must not give up before it answers.
	if c.ReadinessProbe == nil || c.ReadinessProbe.TimeoutSeconds < 2 {
		faults = append(faults, "the readiness probe gives up before the answer")
	}
	slices.Sort(faults)
	return faults
}

func TestTwoReplicasAnswerWhateverIsRolledOutOrDrained(t *testing.T) {
	t.Parallel()
	eachOverlay(t, alwaysThere)
}

// forStores is what a process may take beyond its two settings (docs/operations.md).
const forStores = 5 * time.Second

// drainsInTime says whose pods are killed while they still answer.
func drainsInTime(o *objects) (faults []string) {
	for _, d := range o.servers() {
		settings := o.settings(d.Spec.Template.Spec.Containers[0])
		delay, err1 := time.ParseDuration(settings["SHUTDOWN_DELAY"])
		timeout, err2 := time.ParseDuration(settings["SHUTDOWN_TIMEOUT"])
		grace := d.Spec.Template.Spec.TerminationGracePeriodSeconds
		if err1 != nil || err2 != nil || grace == nil || time.Duration(*grace)*time.Second < delay+timeout+forStores {
			faults = append(faults, d.Name+": is killed before it has drained")
		}
	}
	return faults
}

func TestPodsHaveTheTimeToDrain(t *testing.T) {
	t.Parallel()
	eachOverlay(t, drainsInTime)
}
