package k8s_test

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/util/intstr"
)

func matches(selector metav1.LabelSelector, set map[string]string) bool {
	s, err := metav1.LabelSelectorAsSelector(&selector)
	return err == nil && s.Matches(labels.Set(set))
}

func metaSelector(set map[string]string) metav1.LabelSelector {
	return metav1.LabelSelector{MatchLabels: set}
}

// end is one end of a connection: a pod, or an address outside of the cluster.
type end struct {
	namespace string // "" is this one
	labels    map[string]string
	address   string // outside
	ports     map[string]int32
}

// reaches decides as a cluster does: where a policy selects a pod for a direction, only
// what some policy lists is let through; both ends must agree.
func (o *objects) reaches(from, to end, port int32) bool {
	return o.lets(networkingv1.PolicyTypeEgress, from, to, port) && o.lets(networkingv1.PolicyTypeIngress, to, from, port)
}

func (o *objects) lets(way networkingv1.PolicyType, whose, other end, port int32) bool {
	if whose.namespace != "" || whose.address != "" {
		return true // not ours to say
	}
	selected := false
	for _, p := range o.policies {
		if !matches(p.Spec.PodSelector, whose.labels) || !slices.Contains(p.Spec.PolicyTypes, way) {
			continue
		}
		selected = true
		for _, rule := range rulesOf(p, way) {
			target := other
			if way == networkingv1.PolicyTypeIngress {
				target = whose // names of ports are those of the pod that is reached
			}
			if anyPeer(rule.peers, other) && anyPort(rule.ports, target, port) {
				return true
			}
		}
	}
	return !selected
}

type rule struct {
	peers []networkingv1.NetworkPolicyPeer
	ports []networkingv1.NetworkPolicyPort
}

func rulesOf(p *networkingv1.NetworkPolicy, way networkingv1.PolicyType) (rules []rule) {
	if way == networkingv1.PolicyTypeIngress {
		for _, r := range p.Spec.Ingress {
			rules = append(rules, rule{r.From, r.Ports})
		}
		return rules
	}
	for _, r := range p.Spec.Egress {
		rules = append(rules, rule{r.To, r.Ports})
	}
	return rules
}

// anyPeer: no peer at all means everybody.
func anyPeer(peers []networkingv1.NetworkPolicyPeer, other end) bool {
	return len(peers) == 0 || slices.ContainsFunc(peers, func(p networkingv1.NetworkPolicyPeer) bool {
		if p.IPBlock != nil {
			return other.address != "" && inBlock(p.IPBlock, other.address)
		}
		if other.address != "" {
			return false
		}
		namespace := map[string]string{"kubernetes.io/metadata.name": other.namespace}
		inNamespace := p.NamespaceSelector == nil && other.namespace == "" || p.NamespaceSelector != nil && matches(*p.NamespaceSelector, namespace)
		return inNamespace && (p.PodSelector == nil || matches(*p.PodSelector, other.labels))
	})
}

func inBlock(block *networkingv1.IPBlock, address string) bool {
	in := func(cidr string) bool { return netip.MustParsePrefix(cidr).Contains(netip.MustParseAddr(address)) }
	return in(block.CIDR) && !slices.ContainsFunc(block.Except, in)
}

func anyPort(ports []networkingv1.NetworkPolicyPort, target end, port int32) bool {
	return len(ports) == 0 || slices.ContainsFunc(ports, func(p networkingv1.NetworkPolicyPort) bool {
		if p.Protocol != nil && *p.Protocol != corev1.ProtocolTCP {
			return false
		}
		return p.Port == nil || p.Port.Type == intstr.Int && p.Port.IntVal == port || p.Port.Type == intstr.String && target.ports[p.Port.StrVal] == port
	})
}

// ends are who is in and around the namespace.
func (o *objects) ends() map[string]end {
	all := map[string]end{
		"traefik":      {namespace: "kube-system", labels: map[string]string{"app.kubernetes.io/name": "traefik"}},
		"prometheus":   {namespace: "monitoring", labels: map[string]string{"app.kubernetes.io/name": "prometheus"}},
		"collector":    {namespace: "monitoring", labels: map[string]string{"app.kubernetes.io/name": "opentelemetry-collector"}},
		"dns":          {namespace: "kube-system", labels: map[string]string{"k8s-app": "kube-dns"}},
		"neighbour":    {namespace: "elsewhere", labels: map[string]string{"app.kubernetes.io/name": "traefik"}},
		"newcomer":     {labels: map[string]string{"app.kubernetes.io/name": "shell"}},
		"postgres":     {address: "203.0.113.5"},
		"the metadata": {address: "169.254.169.254"},
	}
	for _, p := range o.pods() {
		e := end{labels: p.labels, ports: map[string]int32{}}
		for _, c := range p.spec.Containers {
			for _, port := range c.Ports {
				e.ports[port.Name] = port.ContainerPort
			}
		}
		_, name, _ := strings.Cut(p.owner, "/")
		all[name] = e
	}
	return all
}

const (
	portDAO, portFOS, portMetrics int32 = 8787, 8000, 9090
	portRedis, portPostgres       int32 = 6379, 5432
	portDNS, portHTTPS            int32 = 53, 443
	portTraces                    int32 = 4318
)

// allowed is all that may happen; every other pair and port may not.
var allowed = map[string][]int32{
	"traefik → handoff-dao": {portDAO}, "traefik → handoff-fos": {portFOS},
	"prometheus → handoff-dao": {portMetrics}, "prometheus → handoff-fos": {portMetrics},
	"handoff-dao → handoff-fos": {portFOS}, "handoff-fos → handoff-dao": {portDAO},
	"handoff-dao → handoff-redis": {portRedis}, "handoff-fos → handoff-redis": {portRedis},
	"handoff-dao → postgres": {portPostgres}, "handoff-fos → postgres": {portPostgres},
	"handoff-dao-migrate → postgres": {portPostgres}, "handoff-fos-migrate → postgres": {portPostgres},
	"handoff-dao → dns": {portDNS}, "handoff-fos → dns": {portDNS}, "handoff-redis → dns": {portDNS},
	"handoff-dao-migrate → dns": {portDNS}, "handoff-fos-migrate → dns": {portDNS}, "newcomer → dns": {portDNS},
}

// connected says who reaches whom without being allowed to, and who does not although.
func connected(o *objects) (faults []string) {
	everybody := o.ends()
	for from, a := range everybody {
		for to, b := range everybody {
			if from == to || (a.namespace != "" || a.address != "") && (b.namespace != "" || b.address != "") {
				continue
			}
			for _, port := range []int32{portDAO, portFOS, portMetrics, portRedis, portPostgres, portDNS, portHTTPS, portTraces} {
				want := slices.Contains(allowed[from+" → "+to], port)
				if got := o.reaches(a, b, port); got != want {
					faults = append(faults, fmt.Sprintf("%s → %s:%d is %v", from, to, port, got))
				}
			}
		}
	}
	slices.Sort(faults)
	return faults
}

func TestWhoMayReachWhom(t *testing.T) {
	t.Parallel()
	eachOverlay(t, connected)
}
