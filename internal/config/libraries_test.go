package config_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/hello-world-co-op/handoff/internal/config"
)

// overruled are variables that a library reads, and that what we configure comes after.
var overruled = []string{
	"OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_INSECURE", "OTEL_EXPORTER_OTLP_TRACES_INSECURE",
	"OTEL_EXPORTER_OTLP_TIMEOUT", "OTEL_EXPORTER_OTLP_TRACES_TIMEOUT",
	"OTEL_BSP_SCHEDULE_DELAY", "OTEL_BSP_EXPORT_TIMEOUT", "OTEL_BSP_MAX_QUEUE_SIZE", "OTEL_BSP_MAX_EXPORT_BATCH_SIZE",
}

// What the drivers look up besides what they are told is on the list: a new version's name
// too. An audit would say of it that nothing reads it, and somebody would leave it there.
func TestWhatLibrariesReadIsListed(t *testing.T) {
	known := slices.Clone(overruled)
	for _, l := range config.Libraries() {
		if slices.Contains(known, l.Name) || l.Reader == "" || config.ReaderOf(l.Name) != l.Reader {
			t.Errorf("%+v is twice there, is overruled, or is ours", l)
		}
		known = append(known, l.Name)
	}
	for _, of := range []struct{ name, files, prefix, names string }{
		{"github.com/jackc/pgx/v5/pgconn", "config.go", "", `"(PG[A-Z_]+)"`},
		{"go.opentelemetry.io/otel/sdk/trace", "internal/env/*.go", "", `"(OTEL_[A-Z_]+)"`},
		{"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp", "internal/otlpconfig/envconfig.go", "OTEL_EXPORTER_OTLP_", `(?:envconfig\.With\w+|WithEnv\w+)\(\s*"([A-Z_]+)"(?:,\s*"([A-Z_]+)")?`},
	} {
		names := namesIn(t, of.name, of.files, of.names)
		if len(names) < 9 {
			t.Errorf("%s reads %v only: look again", of.name, names)
		}
		for _, name := range names {
			if !slices.Contains(known, of.prefix+name) {
				t.Errorf("%s reads %s%s", of.name, of.prefix, name)
			}
		}
	}
}

func namesIn(t *testing.T, pkg, files, pattern string) (names []string) {
	t.Helper()
	dir, err := exec.CommandContext(t.Context(), "go", "list", "-f", "{{.Dir}}", pkg).Output()
	if err != nil {
		t.Fatal(err)
	}
	paths, err := filepath.Glob(filepath.Join(strings.TrimSpace(string(dir)), files))
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range paths {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, found := range regexp.MustCompile(pattern).FindAllStringSubmatch(string(text), -1) {
			names = append(names, slices.DeleteFunc(found[1:], func(name string) bool { return name == "" })...)
		}
	}
	return names
}

// Who reads what.
func TestReaderOf(t *testing.T) {
	for name, want := range map[string]string{
		"LOG_LEVEL": "this program", "JWT_SECRET_KEY_FILE": "this program", "LOG_LEVEL_FILE": "", "OTHER": "", "": "",
		"PGSSLMODE": "the Postgres driver", "GOMEMLIMIT": "Go's runtime", "SSL_CERT_FILE": "Go's TLS", "OTEL_EXPORTER_OTLP_HEADERS": "the trace exporter",
	} {
		if got := config.ReaderOf(name); got != want {
			t.Errorf("%q: %q, want %q", name, got, want)
		}
	}
}
