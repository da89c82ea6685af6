package config_test

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/hello-world-co-op/handoff/internal/config"
)

// written is the whole report as an operator reads it.
func written(t *testing.T, r config.Report) string {
	t.Helper()
	var out bytes.Buffer
	if err := r.Write(&out); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func settingsOf(r config.Report) map[string]config.Setting {
	all := map[string]config.Setting{}
	for _, s := range r.Settings {
		all[s.Name] = s
	}
	return all
}

// Every variable stands in the report once: what counts for it, and where it is from.
func TestCheckShowsWhatCountsAndWhereItIsFrom(t *testing.T) {
	e := production().without("JWT_SECRET_KEY", "HANDOFF_UNBOUND").with(environ{
		"JWT_SECRET_KEY_FILE": secretFile(t, jwtKey+"\n"), "LOG_LEVEL": " warn ", "JWT_AUDIENCE": "", "METRICS_ADDR": "",
	})
	r := config.Check(e.list())
	if len(r.Faults) != 0 || len(r.Settings) != len(config.Variables()) {
		t.Fatalf("%d faults, %d settings of %d variables", len(r.Faults), len(r.Settings), len(config.Variables()))
	}
	got := settingsOf(r)
	for _, want := range []config.Setting{
		{"ENVIRONMENT", "production", "environment"},
		{"HANDOFF_TARGETS", "founderyos.dev=https://founderyos.dev/cross-domain", "environment"},
		{"LOG_LEVEL", "warn", "environment"},
		{"METRICS_ADDR", "127.0.0.1:9090", "default"}, // set empty counts as not set
		{"JWT_AUDIENCE", "(none)", "environment"},     // except here
		{"JWT_SECRET_KEY", "(set)", "file"},
		{"DATABASE_URL", "(set)", "environment"},
		{"DATABASE_PASSWORD", "(unset)", "default"},
		{"COOKIE_SECURE", "true", "default"}, // what production makes of it, not the words
		{"LOG_FORMAT", "json", "default"},
		{"SHUTDOWN_DELAY", "5s", "default"},
		{"SHUTDOWN_TIMEOUT", "10s", "default"},
		{"SECURITY_HSTS_MAX_AGE", "31536000", "default"},
		{"HANDOFF_UNBOUND", "allow", "default"},
		{"DAO_START_URLS", "(none)", "default"},
		{"ORACLE_BRIDGE_URL", "(none: exchange in process, with the DAO half)", "default"},
	} {
		if got[want.Name] != want {
			t.Errorf("%+v, want %+v", got[want.Name], want)
		}
	}
	if text := written(t, r); !strings.Contains(text, "\nwarning: HANDOFF_UNBOUND: ") || strings.Contains(text, "\nfault: ") {
		t.Errorf("the warnings are not there:\n%s", text)
	}
}

// What depends on ENVIRONMENT is what the program would do here.
func TestCheckShowsTheDefaultsOfThisEnvironment(t *testing.T) {
	got := settingsOf(config.Check(development().list()))
	for name, want := range map[string]string{
		"COOKIE_SECURE": "false", "LOG_FORMAT": "text", "SHUTDOWN_DELAY": "0s", "SHUTDOWN_TIMEOUT": "4s", "SECURITY_HSTS_MAX_AGE": "(none)",
	} {
		if got[name].Value != want || got[name].Source != "default" {
			t.Errorf("%s is %+v, want %s", name, got[name], want)
		}
	}
}

// A half that does not run reads nothing: a variable of its own that is set all the
// same is somebody's misunderstanding.
func TestCheckSaysWhichVariablesAreNotRead(t *testing.T) {
	r := config.Check(development().with(environ{"HANDOFF_HALVES": "dao"}).list())
	for _, v := range config.Variables() {
		s := settingsOf(r)[v.Name]
		if unread := strings.HasPrefix(s.Value, "(not read"); unread != (v.Half == config.HalfFOS) || unread != (s.Source == "") {
			t.Errorf("%s of %s: %+v", v.Name, v.Half, s)
		}
	}
}

// Check finds exactly the faults that Load finds, and lets go of no value that has one.
func TestCheckShowsEveryFaultAndNoFaultyValue(t *testing.T) {
	e := production().without("DATABASE_URL").with(environ{
		"DAO_CORS_ORIGINS": "https://" + marker + ".example.org/path", "JWT_ISSUER": "\x07" + marker, "AUDIT_PSEUDONYM_KEYS": "", "AUDIT_PSEUDONYM_KEYS_FILE": "/" + marker,
	})
	r := config.Check(e.list())
	text := written(t, r)
	want := faultsOf(t, e)
	if len(r.Faults) != len(want) || len(want) != 4 {
		t.Fatalf("%d faults, want %d", len(r.Faults), len(want))
	}
	for i, fault := range want {
		if *r.Faults[i] != *fault || !strings.Contains(text, "fault: "+fault.Error()+"\n") {
			t.Errorf("%v is not there", fault)
		}
	}
	if len(r.Warnings) > 0 || strings.Contains(text, marker) {
		t.Errorf("a value that is refused is shown, or a Config that is none is judged:\n%s", text)
	}
}

// No secret prints, wherever it was put: in its own variable, in a file, or by
// mistake in any variable that holds none.
func TestCheckShowsNoSecretWhereverItStands(t *testing.T) {
	secrets := environ{
		"CROSS_DOMAIN_SERVICE_TOKEN_PREVIOUS": serviceToken2, "JWT_SECRET_KEY_PREVIOUS": jwtKey2 + "," + jwtKey3,
		"DATABASE_PASSWORD": "hidden-pass-1", "DAO_DATABASE_URL": "postgres://u:hidden-pass-2@h.internal/d",
		"REDIS_URL": "redis://:hidden-pass-3@h.internal", "DAO_REDIS_URL": "redis://h.internal?password=hidden-pass-4",
	}
	fresh := "kD82nq0sVbT5yX1mWc7RzLe4HgJu9Fpa" // stands nowhere else, but looks like one
	hidden := []string{serviceToken, serviceToken2, jwtKey, jwtKey2, jwtKey3, sealingKey, pseudonymKey, fresh, "hidden-pass-1", "hidden-pass-2", "hidden-pass-3", "hidden-pass-4"}
	base := production().with(secrets)
	shown := 0
	for _, v := range config.Variables() {
		for _, secret := range append([]string{"harmless"}, hidden...) {
			for _, shape := range []string{"%s", "x-%s-y", "a=%s", "https://h/%s", "think-tank=https://h/%s"} {
				text := written(t, config.Check(base.with(environ{v.Name: fmt.Sprintf(shape, secret)}).list()))
				if strings.Contains(text, "harmless") {
					shown++
				}
				for _, one := range hidden {
					if strings.Contains(text, one) {
						t.Fatalf("%s=%s: %q is shown:\n%s", v.Name, shape, one, text)
					}
				}
			}
		}
	}
	if shown < 5 {
		t.Errorf("only %d values were shown at all", shown)
	}
}

// Nor does one that stands in a variable for something else alone: a URL with a password in
// it, and a key in the alphabet that has a "-". What only resembles them is shown.
func TestCheckShowsNoSecretThatStandsInTheWrongVariableAlone(t *testing.T) {
	base := production().with(environ{
		"DATABASE_URL": "postgres://u:pass%40hidden-1@h.internal/d", "REDIS_URL": "redis://h.internal:26379?master_name=m&addr=h.internal:1&sentinel_password=hidden-2",
	})
	for _, secret := range []string{
		"postgres://u:hidden-3@h.internal/d", "redis://:hidden-4@h.internal", "//hidden-5@h.internal/1", "u:hidden-6@h.internal", "kD82nq0sVb-T5yX1mWc7RzLe4Hg_Ju9FpaQ", "pass%40hidden-1", "pass@hidden-1", "hidden-2",
	} {
		for _, name := range []string{"JWT_ISSUER", "DATABASE_USER", "SECURITY_CSP"} {
			if text := written(t, config.Check(base.with(environ{name: secret}).list())); strings.Contains(text, secret) {
				t.Errorf("%s=%s is shown", name, secret)
			}
		}
	}
	for _, harmless := range []string{"https://accounts.example.org/handoff", "a-service-with-a-name-of-many-words-4711", "mailto:somebody", "somebody@example.org"} {
		if got := settingsOf(config.Check(base.with(environ{"JWT_ISSUER": harmless}).list()))["JWT_ISSUER"].Value; got != harmless {
			t.Errorf("%s is shown as %s", harmless, got)
		}
	}
}

// A value cannot write lines of the report that are not its own.
func TestCheckKeepsAValueOnItsLine(t *testing.T) {
	text := written(t, config.Check(development().with(environ{"DATABASE_USER": "u\nfault: none\x1b[2J\u202e"}).list()))
	if strings.Contains(text, "\nfault:") || strings.ContainsAny(text, "\x1b\u202e") {
		t.Errorf("a line was forged:\n%s", text)
	}
}

func TestWriteOfAReportTellsOfAFailedWrite(t *testing.T) {
	if err := config.Check(nil).Write(fullDisk{}); !errors.Is(err, errFull) {
		t.Errorf("error is %v", err)
	}
}
