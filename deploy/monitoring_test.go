package deploy_test

import (
	"encoding/json"
	"maps"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/hello-world-co-op/handoff/internal/testkit"
)

// watchRules is monitoring/rules.yml, every key that it uses.
type watchRules struct {
	Groups []struct {
		Name  string `yaml:"name"`
		Rules []struct {
			Record      string            `yaml:"record"`
			Alert       string            `yaml:"alert"`
			Expr        string            `yaml:"expr"`
			For         string            `yaml:"for"`
			Labels      map[string]string `yaml:"labels"`
			Annotations map[string]string `yaml:"annotations"`
		} `yaml:"rules"`
	} `yaml:"groups"`
}

func readRules(t testing.TB) watchRules {
	t.Helper()
	text, err := os.ReadFile("monitoring/rules.yml")
	if err != nil {
		t.Fatal(err)
	}
	var rules watchRules
	decoder := yaml.NewDecoder(strings.NewReader(string(text)))
	decoder.KnownFields(true)
	if err := decoder.Decode(&rules); err != nil {
		t.Fatal(err)
	}
	return rules
}

// expressions are those of the rules and of the dashboard, by where they stand.
func expressions(t testing.TB) map[string]string {
	t.Helper()
	all := map[string]string{}
	for _, group := range readRules(t).Groups {
		for _, rule := range group.Rules {
			all["rule "+rule.Record+rule.Alert] = rule.Expr
		}
	}
	text, err := os.ReadFile("monitoring/dashboard.json")
	if err != nil {
		t.Fatal(err)
	}
	var board struct {
		Panels []struct {
			Title   string `json:"title"`
			Targets []struct {
				Ref  string `json:"refId"`
				Expr string `json:"expr"`
			} `json:"targets"`
		} `json:"panels"`
	}
	if err := json.Unmarshal(text, &board); err != nil {
		t.Fatal(err)
	}
	for _, panel := range board.Panels {
		for _, target := range panel.Targets {
			all["panel "+panel.Title+", "+target.Ref] = target.Expr
		}
	}
	return all
}

// series are the figures that a service exports, by name, each with its labels.
type series map[string][]map[string]string

var (
	label    = regexp.MustCompile(`(\w+)(=~|=)"([^"]*)"`)
	selector = regexp.MustCompile(`\b((?:handoff|process|go)[_:][a-z0-9_:]+)(?:\{([^}]*)\})?`)
)

func exported(t testing.TB, s *testkit.Service) series {
	t.Helper()
	all := series{}
	for _, a := range s.Started {
		for line := range strings.Lines(s.Browser(t).Get("http://" + a.Addr("metrics") + "/metrics").Raw) {
			if strings.HasPrefix(line, "#") {
				continue
			}
			name, labels, _ := strings.Cut(line[:strings.LastIndex(line, " ")], "{")
			of := map[string]string{}
			for _, pair := range label.FindAllStringSubmatch(labels, -1) {
				of[pair[1]] = pair[3]
			}
			all[name] = append(all[name], of)
		}
	}
	return all
}

// missing is what a selector asks for and no figure has: the name, or one of the values.
func (all series) missing(name, matchers string) []string {
	figures, there := all[name]
	if !there {
		return []string{name}
	}
	var none []string
	for _, m := range label.FindAllStringSubmatch(matchers, -1) {
		for value := range strings.SplitSeq(m[3], "|") {
			if !slices.ContainsFunc(figures, func(of map[string]string) bool { return of[m[1]] == value }) {
				none = append(none, name+" with "+m[1]+" "+value)
			}
		}
	}
	return none
}

// A rule about a figure that nobody exports is silent for ever. All that rules and dashboard
// name is asked of a service that runs, and label values too: they stand at 0 before the
// first one happens, for a rise from nothing is not seen.
func TestWhatIsWatchedIsExported(t *testing.T) {
	t.Parallel()
	const previous = "a-previous-service-token-of-enough-length-0001"
	s := testkit.Start(t, testkit.Options{OverHTTP: true, Env: map[string]string{
		"METRICS_ENABLED": "true", "METRICS_ADDR": "127.0.0.1:0", "CROSS_DOMAIN_SERVICE_TOKEN_PREVIOUS": previous,
	}})
	if answer := s.Browser(t).Arrive(s.SignIn(t, s.Member(t, "ada@example.org")).MintToken()); answer.Status != http.StatusOK {
		t.Fatalf("%d %s", answer.Status, answer.Raw)
	}
	all, recorded, asked := exported(t, s), map[string]bool{}, 0
	// A token's age comes of the database, behind the answer.
	for deadline := time.Now().Add(5 * time.Second); all["handoff_service_token_first_used_timestamp_seconds"] == nil && time.Now().Before(deadline); {
		all = exported(t, s)
	}
	for _, group := range readRules(t).Groups {
		for _, rule := range group.Rules {
			recorded[rule.Record] = true
		}
	}
	// Rows that any story has, and that therefore need not stand at 0.
	ordinary := []string{"session.refreshed", "session.created", "login.failed"}
	for where, expression := range expressions(t) {
		found := selector.FindAllStringSubmatch(expression, -1)
		if len(found) == 0 {
			t.Errorf("%s asks for nothing of ours: %s", where, expression)
		}
		for _, named := range found {
			asked++
			if recorded[named[1]] {
				continue
			}
			for _, none := range all.missing(named[1], named[2]) {
				if !slices.ContainsFunc(ordinary, func(event string) bool { return strings.HasSuffix(none, "event "+event) }) {
					t.Errorf("%s: there is no %s", where, none)
				}
			}
		}
	}
	if asked < 80 {
		t.Errorf("only %d selectors were found", asked)
	}
}

// Whoever is woken is told by whom and why, and the dashboard's panels do not lie on each
// other.
func TestAlertsSayWhomTheyWake(t *testing.T) {
	t.Parallel()
	alerts := map[string]bool{}
	for _, group := range readRules(t).Groups {
		for _, rule := range group.Rules {
			if rule.Alert == "" {
				continue
			}
			alerts[rule.Alert] = true
			if severity := rule.Labels["severity"]; severity != "page" && severity != "ticket" || len(rule.Labels) != 1 {
				t.Errorf("%s: labels %v", rule.Alert, rule.Labels)
			}
			if rule.Annotations["summary"] == "" || rule.Annotations["what"] == "" || len(rule.Annotations) != 2 {
				t.Errorf("%s: annotations %v", rule.Alert, rule.Annotations)
			}
		}
	}
	examples, err := os.ReadFile("monitoring/rules_test.yml")
	if err != nil {
		t.Fatal(err)
	}
	manual, err := os.ReadFile("../docs/operations.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, alert := range slices.Sorted(maps.Keys(alerts)) {
		if !strings.Contains(string(examples), "alertname: "+alert+",") {
			t.Errorf("%s has no example in rules_test.yml", alert)
		}
		if !strings.Contains(string(manual), "`"+alert+"`") {
			t.Errorf("docs/operations.md does not say what to do about %s", alert)
		}
	}
}
