package deploy_test

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hello-world-co-op/handoff/internal/config"
)

// example reads an example of an .env file: names and values.
func example(t *testing.T, name string) map[string]string {
	t.Helper()
	values := map[string]string{}
	for line := range strings.Lines(readRoot(t, filepath.Join("deploy/compose", name))) {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		key, value, found := strings.Cut(line, "=")
		if _, twice := values[key]; !found || twice {
			t.Errorf("%s: %q", name, line)
		}
		values[key] = value
	}
	return values
}

const vpsImage = "registry.example/hello-world-co-op/handoff@sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"

// onTheVPS is the composition with the values of the example and made-up secrets.
func onTheVPS(t *testing.T) composition {
	t.Helper()
	values := example(t, "dot.env.example")
	values["HANDOFF_IMAGE"], values["REDIS_PASSWORD"] = vpsImage, "made-up"
	return composedFrom(t, "deploy/compose/compose.yaml", values)
}

// secretsOfTheVPS fill what stands empty in handoff.env.example.
var secretsOfTheVPS = map[string]string{
	"DAO_DATABASE_URL":           "postgres://handoff_dao:p4ss@db.example.org/handoff_dao?sslmode=verify-full",
	"DAO_REDIS_URL":              "redis://:made-up@redis:6379/0",
	"CROSS_DOMAIN_SERVICE_TOKEN": "54b2f12cc8f7dbb2d0e1a8f0a2a1d4c9e6f70f1b53c8a77e9d0b6e2f4a8c3d51",
	"HANDOFF_SEALING_KEYS":       "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
	"AUDIT_PSEUDONYM_KEYS":       "T3QK3Jm8cQ0h2fZt5y1uVw7xN9aB4dLsEoGiPrUvXzY=",
}

// What the example gives, filled in, is a configuration that production starts with; it
// holds no secret, and every secret that is needed is asked for.
func TestTheVPSIsGivenAWholeConfiguration(t *testing.T) {
	t.Parallel()
	server := onTheVPS(t).Services["server"]
	settings := example(t, "handoff.env.example")
	known := map[string]config.Variable{}
	for _, v := range config.Variables() {
		known[v.Name] = v
	}
	for name, value := range settings {
		switch v, is := known[name]; {
		case !is || v.Half == config.HalfFOS:
			t.Errorf("the DAO half does not read %s", name)
		case v.Secret != (value == ""):
			t.Errorf("%s: a secret stands empty, and nothing else does", name)
		case v.Secret:
			settings[name] = secretsOfTheVPS[name]
		}
	}
	for name, value := range server.Environment {
		settings[name] = value
	}
	var environ []string
	for name, value := range settings {
		environ = append(environ, name+"="+value)
	}
	c, err := config.Load(environ)
	if err != nil {
		t.Fatalf("it would not start:\n%v", err)
	}
	if !c.Halves.DAO || c.Halves.FOS || c.Environment != config.Production {
		t.Errorf("it is %v in %s", c.Halves, c.Environment)
	}
	for _, warning := range c.Warnings() {
		if !strings.HasPrefix(warning, "METRICS_ADDR: ") { // HANDOFF_METRICS_BIND says who reaches it
			t.Error(warning)
		}
	}
	grace, err := time.ParseDuration(server.StopGrace)
	if err != nil || grace < c.ShutdownDelay+c.ShutdownTimeout+5*time.Second {
		t.Errorf("it is killed after %s", server.StopGrace)
	}
	if got := example(t, "migrate.env.example"); len(got) != 1 || got["DAO_DATABASE_URL"] != "" {
		t.Errorf("the migrations are given %v", got)
	}
}

// That machine has an image and no program, and an image without a shell: the document's
// command for the drift is run by the composition's own server, with the file given to it.
func TestTheVPSIsAuditedWithWhatIsThere(t *testing.T) {
	t.Parallel()
	command := regexp.MustCompile(`(?m)^    docker inspect .*handoff-production-server-1 \| (.*config drift.*)$`).FindStringSubmatch(readRoot(t, "docs/operations.md"))
	const want = `docker compose run --rm --no-deps -T --volume "$PWD/expected.env:/expected.env:ro" server config drift -manifest /expected.env`
	if len(command) < 2 || command[1] != want {
		t.Errorf("the document's command is %q", command)
	}
	if volumes := onTheVPS(t).Services["server"].Volumes; len(volumes) > 0 {
		t.Errorf("the server has %v besides", volumes)
	}
}

// Who fills in the example is told the form of the URL whose host is the composition's own.
func TestTheVPSIsToldWhereItsRedisIs(t *testing.T) {
	t.Parallel()
	text := readRoot(t, "deploy/compose/handoff.env.example")
	form := regexp.MustCompile(`(?m)^# (redis://\S+), .*\nDAO_REDIS_URL=$`).FindStringSubmatch(text)
	if len(form) < 2 || strings.Replace(form[1], "PASSWORD", "made-up", 1) != secretsOfTheVPS["DAO_REDIS_URL"] {
		t.Errorf("the form is %q", form)
	}
	if s := onTheVPS(t).Services; s["redis"].Image == "" || !slices.Contains(s["server"].Networks, "stores") {
		t.Error("nobody is called redis where the server is")
	}
}

// What holds on a developer's machine holds here, and more: an image by its digest, and no
// port on every address of the machine.
func TestTheVPSIsHardenedAndClosed(t *testing.T) {
	t.Parallel()
	c := onTheVPS(t)
	if len(c.Services) != 3 || !c.Networks["stores"].Internal {
		t.Fatalf("%d services; is the stores' network closed? %v", len(c.Services), c.Networks["stores"].Internal)
	}
	for name, s := range c.Services {
		if !s.ReadOnly || !slices.Equal(s.CapDrop, []string{"ALL"}) || !slices.Contains(s.SecurityOpt, "no-new-privileges:true") || s.MemLimit == "" || s.PidsLimit == 0 {
			t.Errorf("%s can write to its image, get more rights, or use the whole machine", name)
		}
		if s.Build != nil || (name == "redis") != (s.Image == composed(t, madeUp(t)).Services["redis"].Image) || (name != "redis") != (s.Image == vpsImage) {
			t.Errorf("%s runs %s", name, s.Image)
		}
		for _, port := range s.Ports {
			if !regexp.MustCompile(`^[0-9]+(\.[0-9]+){3}:[0-9]+:[0-9]+$`).MatchString(port) || strings.HasPrefix(port, "0.0.0.0:") {
				t.Errorf("%s: %s is open to the internet", name, port)
			}
		}
		if len(s.Ports) > 0 != (name == "server") {
			t.Errorf("%s: ports %v", name, s.Ports)
		}
		for _, file := range s.EnvFile {
			if !file.Required {
				t.Errorf("%s starts without %s", name, file.Path)
			}
		}
		if runs := s.Restart != ""; runs != (len(s.Healthcheck.Test) > 0) || runs == s.Healthcheck.Disable {
			t.Errorf("%s: who runs on has a health check, and nobody else", name)
		}
	}
	for whom, condition := range map[string]string{"migrate": "service_completed_successfully", "redis": "service_healthy"} {
		if got := c.Services["server"].DependsOn[whom].Condition; got != condition {
			t.Errorf("the server depends on %s: %q", whom, got)
		}
	}
	if files := c.Services["migrate"].EnvFile; len(files) != 1 || files[0].Path == c.Services["server"].EnvFile[0].Path {
		t.Error("the migrations are given the service's keys, or the service the owner's rights")
	}
	if _, err := os.Stat("redis/redis.sh"); err != nil {
		t.Error(err)
	}
}

func madeUp(t *testing.T) map[string]string {
	t.Helper()
	_, values := makeEnv(t)
	return values
}
