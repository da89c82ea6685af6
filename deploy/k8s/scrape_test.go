package k8s_test

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"
)

// prometheus is monitoring/prometheus.yml, every key that it uses.
type prometheus struct {
	RuleFiles []string `json:"rule_files"`
	Scrape    []struct {
		Job string `json:"job_name"`
		SD  []struct {
			Role       string `json:"role"`
			Namespaces struct {
				Names []string `json:"names"`
			} `json:"namespaces"`
		} `json:"kubernetes_sd_configs"`
		Relabel []struct {
			Source []string `json:"source_labels"`
			Regex  string   `json:"regex"`
			Action string   `json:"action"`
			Target string   `json:"target_label"`
		} `json:"relabel_configs"`
	} `json:"scrape_configs"`
}

// kept is whether all "keep" rules keep a target, as Prometheus decides: the values joined by
// semicolons, the expression over the whole of it.
func (p prometheus) kept(meta map[string]string) bool {
	for _, rule := range p.Scrape[0].Relabel {
		var values []string
		for _, name := range rule.Source {
			values = append(values, meta[name])
		}
		if rule.Action == "keep" && !regexp.MustCompile("^(?:"+rule.Regex+")$").MatchString(strings.Join(values, ";")) {
			return false
		}
	}
	return true
}

// Prometheus finds the metrics of each half's pods, at the port that the policies let it
// reach, and takes nothing else for a target: neither Redis nor a port for people.
func TestPrometheusScrapesEachHalfAndNothingElse(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../monitoring/prometheus.yml")
	if err != nil {
		t.Fatal(err)
	}
	var p prometheus
	if err := yaml.UnmarshalStrict(text, &p); err != nil || len(p.Scrape) != 1 || len(p.Scrape[0].SD) != 1 || !slices.Equal(p.RuleFiles, []string{"rules.yml"}) {
		t.Fatalf("%v: %+v", err, p)
	}
	o, targets := overlay(t, "production"), []string{}
	if sd := p.Scrape[0].SD[0]; sd.Role != "pod" || !slices.Equal(sd.Namespaces.Names, []string{o.servers()[0].Namespace}) {
		t.Errorf("it looks for %+v", sd)
	}
	for _, pod := range o.pods() {
		meta := map[string]string{}
		for name, value := range pod.labels {
			meta["__meta_kubernetes_pod_label_"+regexp.MustCompile(`[^a-zA-Z0-9_]`).ReplaceAllString(name, "_")] = value
		}
		_, name, _ := strings.Cut(pod.owner, "/")
		for _, c := range pod.spec.Containers {
			for _, port := range c.Ports {
				meta["__meta_kubernetes_pod_container_port_name"] = port.Name
				if !p.kept(meta) {
					continue
				}
				targets = append(targets, name)
				if port.ContainerPort != portMetrics || !o.reaches(o.ends()["prometheus"], o.ends()[name], port.ContainerPort) {
					t.Errorf("%s:%d is not the metrics', or not reached", name, port.ContainerPort)
				}
			}
		}
	}
	slices.Sort(targets)
	if !slices.Equal(targets, []string{"handoff-dao", "handoff-fos"}) {
		t.Errorf("the targets are %v", targets)
	}
}
