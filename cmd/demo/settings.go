package main

import (
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"

	"github.com/hello-world-co-op/handoff/internal/privacy"
)

// secrets are made up once per checkout, so that sessions survive a restart.
type secrets struct {
	Password     string `json:"demo_password"`
	ServiceToken string `json:"service_token"`
	JWTKey       string `json:"jwt_secret_key"`
	SealingKey   string `json:"sealing_key"`
	PseudonymKey string `json:"pseudonym_key"`
}

func (s secrets) password() privacy.Secret { return privacy.NewSecret(s.Password) }

func loadSecrets(path string) (secrets, error) {
	text, err := os.ReadFile(path) //nolint:gosec // a file of our own
	if err == nil {
		var kept secrets
		if err := json.Unmarshal(text, &kept); err != nil || kept.Password == "" {
			return secrets{}, fmt.Errorf("%s cannot be read; delete it", path)
		}
		return kept, nil
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return secrets{}, err
	}
	made := secrets{
		Password: "demo-" + random(6), ServiceToken: random(32), JWTKey: random(32), SealingKey: random(32), PseudonymKey: random(32),
	}
	text, err = json.MarshalIndent(made, "", "  ") //nolint:gosec // secrets of a demonstration, for this file alone
	if err != nil {
		return secrets{}, err
	}
	//nolint:gosec // the servers' account has to pass through it
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return secrets{}, err
	}
	return made, os.WriteFile(path, append(text, '\n'), 0o600)
}

func random(bytes int) string {
	raw := make([]byte, bytes)
	_, _ = rand.Read(raw) // never fails (crypto/rand)
	return hex.EncodeToString(raw)
}

// settings completes the environment for a demonstration. What the person has set
// stays as it is.
func settings(environ []string, s secrets) []string {
	dao, fos := lookup(environ, "DAO_ADDR", "127.0.0.1:8787"), lookup(environ, "FOS_ADDR", "127.0.0.1:8000")
	thinkTank, founderyOS := pageURL("think-tank", dao), pageURL("founderyos", fos)
	for _, setting := range [][2]string{
		{"ENVIRONMENT", "development"},
		{"DAO_ADDR", dao},
		{"FOS_ADDR", fos},
		{"METRICS_ADDR", "127.0.0.1:0"}, // for an operator to choose; here any free port
		{"CROSS_DOMAIN_SERVICE_TOKEN", s.ServiceToken},
		{"JWT_SECRET_KEY", s.JWTKey},
		{"HANDOFF_SEALING_KEYS", s.SealingKey},
		{"AUDIT_PSEUDONYM_KEYS", s.PseudonymKey},
		{"HANDOFF_TARGETS", "founderyos.localhost=" + strings.TrimSuffix(founderyOS, "/") + "/cross-domain"},
		{"CROSS_DOMAIN_EXPECTED_TARGET", "founderyos.localhost"},
		{"DAO_CORS_ORIGINS", strings.TrimSuffix(thinkTank, "/")},
		{"DAO_START_URLS", "think-tank=" + thinkTank},
		{"FRONTEND_URL", strings.TrimSuffix(founderyOS, "/")},
	} {
		if lookup(environ, setting[0], "") == "" && lookup(environ, setting[0]+"_FILE", "") == "" {
			environ = append(environ, setting[0]+"="+setting[1])
		}
	}
	return environ
}

func lookup(environ []string, name, otherwise string) string {
	value := ""
	for _, entry := range environ {
		if key, text, _ := strings.Cut(entry, "="); key == name {
			value = text
		}
	}
	if value == "" {
		return otherwise
	}
	return value
}

// pageURL is a half's address under a name of its own: two names make two sites,
// and browsers resolve *.localhost to this machine by themselves (RFC 6761, 6.3).
func pageURL(name, addr string) string {
	_, port, err := net.SplitHostPort(addr)
	if err != nil {
		port = addr
	}
	return "http://" + name + ".localhost:" + port + "/"
}

// local is the same address for programs, which may not resolve *.localhost.
func local(addr string) string {
	_, port, err := net.SplitHostPort(addr)
	if err != nil {
		port = addr
	}
	return "http://127.0.0.1:" + port
}
