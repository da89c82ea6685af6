package deploy_test

import (
	"bytes"
	"fmt"
	"maps"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/hello-world-co-op/handoff/internal/config"
)

// composition is docker-compose.yml, every key that it uses: an unknown one is a
// typing error, which an engine would refuse or, below "x-", ignore.
type composition struct {
	Name     string             `yaml:"name"`
	Hardened any                `yaml:"x-hardened"`
	Image    any                `yaml:"x-image"`
	Services map[string]service `yaml:"services"`
	Networks map[string]struct {
		Internal bool `yaml:"internal"`
	} `yaml:"networks"`
	Volumes map[string]struct{} `yaml:"volumes"`
}

type service struct {
	Image       string            `yaml:"image"`
	Build       any               `yaml:"build"`
	User        string            `yaml:"user"`
	ReadOnly    bool              `yaml:"read_only"`
	CapDrop     []string          `yaml:"cap_drop"`
	SecurityOpt []string          `yaml:"security_opt"`
	PidsLimit   int               `yaml:"pids_limit"`
	MemLimit    string            `yaml:"mem_limit"`
	CPUs        float64           `yaml:"cpus"`
	ShmSize     string            `yaml:"shm_size"`
	Logging     any               `yaml:"logging"`
	Tmpfs       []string          `yaml:"tmpfs"`
	Entrypoint  []string          `yaml:"entrypoint"`
	Command     []string          `yaml:"command"`
	EnvFile     []envFile         `yaml:"env_file"`
	Environment map[string]string `yaml:"environment"`
	Volumes     []string          `yaml:"volumes"`
	Ports       []string          `yaml:"ports"`
	Networks    []string          `yaml:"networks"`
	Profiles    []string          `yaml:"profiles"`
	Restart     string            `yaml:"restart"`
	StopGrace   string            `yaml:"stop_grace_period"`
	Healthcheck struct {
		Test        []string `yaml:"test"`
		Interval    string   `yaml:"interval"`
		Timeout     string   `yaml:"timeout"`
		StartPeriod string   `yaml:"start_period"`
		Retries     int      `yaml:"retries"`
		Disable     bool     `yaml:"disable"`
	} `yaml:"healthcheck"`
	DependsOn map[string]struct {
		Condition string `yaml:"condition"`
	} `yaml:"depends_on"`
}

type envFile struct {
	Path     string `yaml:"path"`
	Required bool   `yaml:"required"`
}

func (s service) environ() []string {
	var list []string
	for name, value := range s.Environment {
		list = append(list, name+"="+value)
	}
	return list
}

// variable is how the file names a value of .env: with a default, or required.
var variable = regexp.MustCompile(`\$\{([A-Z_]+)(:-[^}]*|:\?[^}]*)?\}`)

func readRoot(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// composed is docker-compose.yml as the engine sees it, filled with values.
func composed(t *testing.T, values map[string]string) composition {
	t.Helper()
	return composedFrom(t, "docker-compose.yml", values)
}

func composedFrom(t *testing.T, name string, values map[string]string) composition {
	t.Helper()
	text := variable.ReplaceAllStringFunc(readRoot(t, name), func(use string) string {
		part := variable.FindStringSubmatch(use)
		if value := values[part[1]]; value != "" {
			return value
		}
		otherwise, has := strings.CutPrefix(part[2], ":-")
		if !has {
			t.Errorf("%s has no value in .env and no default", part[1])
		}
		return otherwise
	})
	decoder := yaml.NewDecoder(strings.NewReader(text))
	decoder.KnownFields(true)
	var c composition
	if err := decoder.Decode(&c); err != nil {
		t.Fatal(err)
	}
	return c
}

// makeEnv runs make-env.sh on a new file.
func makeEnv(t *testing.T) (path string, values map[string]string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), ".env")
	if out, err := exec.CommandContext(t.Context(), "sh", "make-env.sh", path).CombinedOutput(); err != nil {
		t.Fatalf("make-env.sh: %v\n%s", err, out)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	values = map[string]string{}
	for line := range strings.Lines(string(text)) {
		if name, value, found := strings.Cut(strings.TrimSpace(line), "="); found {
			values[name] = value
		}
	}
	return path, values
}

// Two commands bring the service up: what the first writes, the second can use,
// with no fault in it, and not in production's eyes either.
func TestWhatMakeEnvWritesIsAConfigurationWithoutFault(t *testing.T) {
	t.Parallel()
	_, values := makeEnv(t)
	server := composed(t, values).Services["server"]
	if _, err := config.Load(server.environ()); err != nil {
		t.Errorf("the server would not start:\n%v", err)
	}
	server.Environment["ENVIRONMENT"] = "production"
	for name, value := range server.Environment {
		server.Environment[name] = strings.ReplaceAll(strings.ReplaceAll(value, "http://", "https://"), ".localhost", ".example.org")
	}
	if _, err := config.Load(server.environ()); err != nil {
		t.Errorf("production would refuse the secrets:\n%v", err)
	}
}

func TestMakeEnvKeepsWhatIsThereAndKeepsItFromOthers(t *testing.T) {
	t.Parallel()
	path, values := makeEnv(t)
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if info.Mode().Perm() != 0o600 {
		t.Errorf("%s has mode %v: other accounts can read it", path, info.Mode())
	}
	before, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if out, err := exec.CommandContext(t.Context(), "sh", "make-env.sh", path).CombinedOutput(); err == nil {
		t.Errorf("a second run was no error: %s", out)
	}
	if after, err := os.ReadFile(path); err != nil || !bytes.Equal(before, after) {
		t.Errorf("a second run changed the file: %v", err)
	}
	seen := slices.Sorted(maps.Values(values))
	if distinct := len(slices.Compact(seen)); distinct != len(values) || len(values) < 10 {
		t.Errorf("%d variables have %d values", len(values), distinct)
	}
	for name, value := range values {
		if !regexp.MustCompile(`^[0-9a-f]{64}$`).MatchString(value) {
			t.Errorf("%s is not 32 bytes in hexadecimal", name)
		}
		if !strings.Contains(readRoot(t, "docker-compose.yml"), "${"+name+":?") {
			t.Errorf("docker-compose.yml does not ask for %s", name)
		}
	}
}

// A variable that the program does not know is a typing error that nobody would
// be told about, and a job gets no key that it has no use for.
func TestContainersGetTheVariablesTheyReadAndNoOthers(t *testing.T) {
	t.Parallel()
	_, values := makeEnv(t)
	services := composed(t, values).Services
	known := map[string]config.Variable{}
	for _, v := range config.Variables() {
		known[v.Name] = v
		if _, passed := services["server"].Environment[v.Name]; v.Required && !passed {
			t.Errorf("the server does not get %s", v.Name)
		}
	}
	for name := range services["server"].Environment {
		if _, is := known[name]; !is {
			t.Errorf("the server gets %s, which it does not read", name)
		}
	}
	for _, job := range []string{"migrate", "seed"} {
		if got := slices.Sorted(maps.Keys(services[job].Environment)); !slices.Equal(got, []string{"DAO_DATABASE_URL", "DATABASE_URL"}) {
			t.Errorf("%s gets %v", job, got)
		}
		if _, err := config.LoadDatabases(services[job].environ()); err != nil {
			t.Errorf("%s would not start:\n%v", job, err)
		}
	}
	for name, url := range services["migrate"].Environment {
		if url == services["server"].Environment[name] {
			t.Errorf("the server has the rights of the migrations in %s", name)
		}
	}
}

func TestEveryContainerIsHardenedAndWatched(t *testing.T) {
	t.Parallel()
	_, values := makeEnv(t)
	c := composed(t, values)
	if got := slices.Sorted(maps.Keys(c.Services)); !slices.Equal(got, []string{"migrate", "postgres", "redis", "seed", "server"}) {
		t.Fatalf("the services are %v", got)
	}
	for name, s := range c.Services {
		if !s.ReadOnly || !slices.Equal(s.CapDrop, []string{"ALL"}) || !slices.Contains(s.SecurityOpt, "no-new-privileges:true") {
			t.Errorf("%s can write to its image, has capabilities or can get more", name)
		}
		if s.MemLimit == "" || s.PidsLimit == 0 {
			t.Errorf("%s may use the whole machine", name)
		}
		if runs := s.Restart != ""; runs != (len(s.Healthcheck.Test) > 0) || runs == s.Healthcheck.Disable {
			t.Errorf("%s: who runs on has a health check, and nobody else", name)
		}
		if s.Build == nil && (!strings.Contains(s.Image, ":") || strings.HasSuffix(s.Image, ":latest") || s.User == "") {
			t.Errorf("%s: image %q as %q", name, s.Image, s.User)
		}
		for _, port := range s.Ports {
			host, _, err := net.SplitHostPort(port[:strings.LastIndex(port, ":")])
			if err != nil || host != "127.0.0.1" {
				t.Errorf("%s: %s is open to the network", name, port)
			}
		}
		if name != "server" && (len(s.Ports) > 0 || !slices.Equal(s.Networks, []string{"stores"})) {
			t.Errorf("%s can be reached from outside", name)
		}
		if keeps := slices.ContainsFunc(s.Volumes, func(v string) bool { return !strings.HasSuffix(v, ":ro") }); keeps != (name == "postgres") {
			t.Errorf("%s: only Postgres keeps something, and Redis nothing", name)
		}
	}
	if !c.Networks["stores"].Internal {
		t.Error("the stores' network leads outside")
	}
}

// The service starts when its stores answer and its schema is there, not before.
func TestTheServerWaitsForItsStores(t *testing.T) {
	t.Parallel()
	_, values := makeEnv(t)
	services := composed(t, values).Services
	for _, want := range []string{
		"server migrate service_completed_successfully", "server redis service_healthy",
		"migrate postgres service_healthy", "seed migrate service_completed_successfully",
	} {
		var who, whom, condition string
		if _, err := fmt.Sscan(want, &who, &whom, &condition); err != nil {
			t.Fatal(err)
		}
		if got := services[who].DependsOn[whom].Condition; got != condition {
			t.Errorf("%s depends on %s: %q, want %q", who, whom, got, condition)
		}
	}
	for _, mount := range slices.Concat(services["postgres"].Volumes, services["redis"].Volumes) {
		from, _, _ := strings.Cut(mount, ":")
		if !strings.HasPrefix(from, "./") {
			continue
		}
		if info, err := os.Stat(filepath.Join("..", from)); err != nil || !info.Mode().IsRegular() {
			t.Errorf("%s is mounted and is not there: %v", from, err)
		}
	}
}
