package config_test

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/hello-world-co-op/handoff/internal/config"
)

// Every secret can come as a file, with the line break that editors and echo put
// at the end, and the result is the same.
func TestSecretsComeFromFiles(t *testing.T) {
	direct := development().with(environ{
		"CROSS_DOMAIN_SERVICE_TOKEN_PREVIOUS": serviceToken2, "JWT_SECRET_KEY_PREVIOUS": jwtKey2,
		"DATABASE_PASSWORD": "three", "DAO_REDIS_URL": "redis://h/2",
		"MIGRATE_DATABASE_URL": "postgres://o@h/handoff_fos", "DAO_MIGRATE_DATABASE_URL": "postgres://o@h/handoff_dao",
	})
	files := environ{}
	secrets := 0
	for _, v := range config.Variables() {
		if v.Secret {
			secrets++
			files[v.Name+"_FILE"] = secretFile(t, direct[v.Name]+"\r\n")
		} else if value, set := direct[v.Name]; set {
			files[v.Name] = value
		}
	}
	if secrets != 13 {
		t.Errorf("%d secrets; the protocol has 13", secrets)
	}
	want, got := mustLoad(t, direct), mustLoad(t, files)
	for name, pair := range map[string][2]string{
		"token":         {want.ServiceTokens[0].Reveal(), got.ServiceTokens[0].Reveal()},
		"old token":     {want.ServiceTokens[1].Reveal(), got.ServiceTokens[1].Reveal()},
		"pseudonyms":    {want.PseudonymKeys[0].Reveal(), got.PseudonymKeys[0].Reveal()},
		"sealing":       {want.DAO.SealingKeys[0].Reveal(), got.DAO.SealingKeys[0].Reveal()},
		"DAO db":        {want.DAO.DatabaseURL.Reveal(), got.DAO.DatabaseURL.Reveal()},
		"DAO migration": {want.DAO.MigrateDatabaseURL.Reveal(), got.DAO.MigrateDatabaseURL.Reveal()},
		"DAO redis":     {want.DAO.RedisURL.Reveal(), got.DAO.RedisURL.Reveal()},
		"db":            {want.FOS.DatabaseURL.Reveal(), got.FOS.DatabaseURL.Reveal()},
		"migration":     {want.FOS.MigrateDatabaseURL.Reveal(), got.FOS.MigrateDatabaseURL.Reveal()},
		"redis":         {want.FOS.RedisURL.Reveal(), got.FOS.RedisURL.Reveal()},
		"jwt":           {want.FOS.JWT.Key.Reveal(), got.FOS.JWT.Key.Reveal()},
		"old jwt":       {want.FOS.JWT.Previous[0].Reveal(), got.FOS.JWT.Previous[0].Reveal()},
	} {
		if pair[0] == "" || pair[0] != pair[1] {
			t.Errorf("%s differs when it comes from a file", name)
		}
	}
}

// A file that cannot be read is a fault of the X_FILE variable alone: X is not
// called missing on top of it, and nothing stands in for it.
func TestSecretFilesThatCannotBeRead(t *testing.T) {
	pipe := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	link := filepath.Join(t.TempDir(), "loop")
	if err := os.Symlink(link, link); err != nil {
		t.Fatal(err)
	}
	for path, words := range map[string]string{
		"/nowhere/to/be/found": "does not exist",
		jwtKey:                 "takes a path, not the secret",
		t.TempDir():            "not a regular file",
		pipe:                   "not a regular file",
		"/dev/zero":            "not a regular file",
		link:                   "cannot be read",
		secretFile(t, ""):      "empty",
		secretFile(t, "\n\n"):  "empty",
		secretFile(t, strings.Repeat("x", 65<<10)): "longer than 64 KiB",
		secretFile(t, "a\x00b"):                    "NUL",
	} {
		for _, name := range []string{"JWT_SECRET_KEY", "CROSS_DOMAIN_SERVICE_TOKEN", "REDIS_URL", "DATABASE_PASSWORD"} {
			wantFault(t, development().without(name).with(environ{name + "_FILE": path}), name+"_FILE", words)
		}
	}
}

// Both set is a fault even when they agree: the next rotation would change one.
func TestSecretAndFileBothSet(t *testing.T) {
	wantFault(t, development().with(environ{"JWT_SECRET_KEY_FILE": secretFile(t, jwtKey)}),
		"JWT_SECRET_KEY_FILE", "JWT_SECRET_KEY is set too")
	// Set empty, either counts as not set.
	mustLoad(t, development().with(environ{"JWT_SECRET_KEY_FILE": " "}))
	mustLoad(t, development().with(environ{"JWT_SECRET_KEY": "", "JWT_SECRET_KEY_FILE": secretFile(t, jwtKey)}))
}

// I3: a service token whose file fails is a fault, never "no token configured".
func TestI3_FailingTokenFileIsNoSilentOff(t *testing.T) {
	wantFault(t, development().without("CROSS_DOMAIN_SERVICE_TOKEN").with(environ{
		"CROSS_DOMAIN_SERVICE_TOKEN_FILE": "/nowhere", "CROSS_DOMAIN_SERVICE_TOKEN_PREVIOUS": serviceToken2,
	}), "CROSS_DOMAIN_SERVICE_TOKEN_FILE", "does not exist")
}
