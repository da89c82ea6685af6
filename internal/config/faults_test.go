package config_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"

	"github.com/hello-world-co-op/handoff/internal/config"
)

// An operator starts with a bad file and sees the whole list in one go: one fault
// a line, each with its variable, the problem and an example.
func TestAllFaultsAtOnce(t *testing.T) {
	bad := development().without("DATABASE_URL").with(environ{
		"ENVIRONMENT": "prod", "COOKIE_SECURE": "no?", "LOG_LEVEL": "loud", "TRUSTED_PROXIES": "::/0,x",
		"AUDIT_PSEUDONYM_KEYS_FILE": "/nowhere", "AUDIT_PSEUDONYM_KEYS": "", "SHUTDOWN_DELAY": "soon",
		"DAO_CORS_ORIGINS": "*", "HANDOFF_SEALING_KEYS": "zz", "JWT_SECRET_KEY": "short", "JWT_ALGORITHM": "none",
		"ACCESS_TOKEN_EXPIRE_MINUTES": "x", "HANDOFF_ELEVATED_ROLES": "y",
	})
	var got []string
	for _, f := range faultsOf(t, bad) {
		got = append(got, f.Variable)
	}
	slices.Sort(got)
	want := []string{
		"ACCESS_TOKEN_EXPIRE_MINUTES", "AUDIT_PSEUDONYM_KEYS_FILE", "COOKIE_SECURE", "DAO_CORS_ORIGINS", "DATABASE_URL",
		"ENVIRONMENT", "HANDOFF_ELEVATED_ROLES", "HANDOFF_SEALING_KEYS", "HANDOFF_TARGETS", // plain HTTP under the strictest rules
		"JWT_ALGORITHM", "JWT_SECRET_KEY", "LOG_LEVEL", "SHUTDOWN_DELAY", "TRUSTED_PROXIES", "TRUSTED_PROXIES",
	}
	if !slices.Equal(got, want) {
		t.Errorf("faults of\n%q, want\n%q", got, want)
	}
	_, err := config.Load(bad.list())
	lines := strings.Split(err.Error(), "\n")
	if len(lines) != len(want) {
		t.Errorf("%d lines for %d faults", len(lines), len(want))
	}
	for _, line := range lines {
		name, rest, _ := strings.Cut(line, ": ")
		if name != strings.ToUpper(name) || !strings.Contains(rest, " (example: ") || strings.HasSuffix(line, "(example: )") {
			t.Errorf("not VARIABLE: problem (example: ...): %s", line)
		}
	}
}

// marker stands in every value below and must stand in no error.
const marker = "mArK3r"

// shapes are ways in which a value can be wrong, each quoted by some parser on the
// way: net/url quotes the port, the host and the escape, strconv the number, the
// file system the path.
var shapes = []string{
	"%s", "%s,%s", "x://%s", "postgres://u:%s#@h/d", "postgres://u:p@h:%s/d", "postgres://u:%%zz%s@h/d", "postgres://%s h/d",
	"redis://u:%s@h/%s", "redis://h/%s", "redis://h?addr=%s", "postgres://u:%s@x@h/d", "https://%s", "https://[%s", "https://h:%s",
	"founderyos.dev=%s", "founderyos.dev=https://%s@h", "%s=https://h", "10.0.0.1/%s", ":%s", "[%s]:1", "1%s", "-%s\n", "/%s/",
	"\x00%s", "%%%s", "\xff%s", "%[1]s%[1]s%[1]s%[1]s%[1]s%[1]s,%[1]s%[1]s%[1]s%[1]s%[1]s%[1]s",
}

// Whatever is wrong with a variable, and whichever it is, no error has its value:
// secrets get pasted into the wrong variable, too.
func TestNoErrorQuotesAValue(t *testing.T) {
	refused := map[string]bool{}
	for _, v := range config.Variables() {
		for _, shape := range shapes {
			value := fmt.Sprintf(strings.ReplaceAll(shape, "%s", "%[1]s"), marker)
			names := []string{v.Name}
			if v.Secret {
				names = append(names, v.Name+"_FILE")
			}
			for _, name := range names {
				_, err := config.Load(production().with(environ{name: value}).list())
				if err == nil {
					continue
				}
				refused[name] = true
				if strings.Contains(strings.ToLower(err.Error()), strings.ToLower(marker)) {
					t.Errorf("%s=%q is quoted: %v", name, value, err)
				}
			}
		}
		if v.Secret && v.Name != "DATABASE_PASSWORD" && !refused[v.Name] {
			t.Errorf("%s was never refused: the test shows nothing", v.Name)
		}
	}
}

// A secret that is wrong only beside another is not printed either.
func TestNoErrorQuotesAClashingSecret(t *testing.T) {
	for _, v := range config.Variables() {
		if !v.Secret {
			continue
		}
		e := development().with(environ{v.Name: jwtKey3}).with(environ{"JWT_SECRET_KEY_PREVIOUS": jwtKey3 + "," + jwtKey3})
		if _, err := config.Load(e.list()); err == nil || strings.Contains(err.Error(), jwtKey3) {
			t.Errorf("%s: %v", v.Name, err)
		}
	}
}

// A loaded Config printed, encoded or logged in any way shows no secret.
func TestConfigPrintsNoSecret(t *testing.T) {
	secrets := environ{
		"CROSS_DOMAIN_SERVICE_TOKEN_PREVIOUS": serviceToken2, "JWT_SECRET_KEY_PREVIOUS": jwtKey2,
		"DATABASE_PASSWORD": "hidden-pass-1", "DAO_DATABASE_URL": "postgres://u:hidden-pass-2@h/d",
		"MIGRATE_DATABASE_URL": "postgres://u:hidden-pass-3@h/d", "DAO_MIGRATE_DATABASE_URL": "postgres://u:hidden-pass-4@h/d",
		"REDIS_URL": "redis://:hidden-pass-5@h", "DAO_REDIS_URL": "redis://h?password=hidden-pass-6",
	}
	c := mustLoad(t, development().with(secrets))
	var out bytes.Buffer
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x"} {
		_, _ = fmt.Fprintf(&out, verb+"\n", c)
		_, _ = fmt.Fprintf(&out, verb+"\n", *c)
	}
	encoded, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	out.Write(encoded)
	slog.New(slog.NewJSONHandler(&out, nil)).Info("start", "config", c)
	slog.New(slog.NewTextHandler(&out, nil)).Info("start", "config", c, "warnings", c.Warnings())
	if !strings.Contains(out.String(), "[redacted]") || !strings.Contains(out.String(), "founderyos-api") {
		t.Error("nothing was printed at all")
	}
	for _, secret := range []string{serviceToken, serviceToken2, jwtKey, jwtKey2, sealingKey, pseudonymKey, "hidden-pass"} {
		for _, form := range []string{secret, fmt.Sprintf("%x", secret)} {
			if strings.Contains(out.String(), form) {
				t.Errorf("%s is printed", form)
			}
		}
	}
}

// FuzzLoad looks for values that panic or come back in an error.
func FuzzLoad(f *testing.F) {
	for i, shape := range shapes {
		before, after, _ := strings.Cut(shape, "%s")
		f.Add(uint(i), before, after)
	}
	all := config.Variables()
	f.Fuzz(func(t *testing.T, which uint, before, after string) {
		name := all[which%uint(len(all))].Name
		e := production().with(environ{name: before + marker + after})
		if _, err := config.Load(e.list()); err != nil && strings.Contains(err.Error(), marker) {
			t.Errorf("%s is quoted: %v", name, err)
		}
	})
}
