package rules_test

import (
	"slices"
	"strings"
	"testing"
)

// made is a package with one file that says what source says.
func made(t *testing.T, path, source string) room {
	t.Helper()
	f, err := parseFile(path, []byte(strings.ReplaceAll(source, "$/", module+"/")))
	if err != nil {
		t.Fatal(err)
	}
	return room{path: path[:strings.LastIndex(path, "/")], files: []file{f}}
}

// A rule that cannot fail holds nothing: each is broken here by packages that do
// not exist, and kept by their neighbours that are all right.
func TestEachRuleCanFail(t *testing.T) {
	t.Parallel()
	cases := []struct {
		rule, path, source string
		broken             bool
	}{
		{"a package has a room", "internal/nowhere/x.go", "package nowhere", true},
		{"a package has a room", "internal/token/x.go", `package token; import _ "$/internal/config"`, true},
		{"a package has a room", "internal/token/x.go", `package token; import _ "$/internal/privacy"`, false},
		{"a package has a room", "internal/token/x_test.go", `package token_test; import _ "$/internal/testkit"`, false},
		{"a package has a room", "password/x.go", `package password; import _ "$/internal/privacy"`, true},
		{"a package has a room", "migrations/x.go", `package migrations; import _ "$/internal/privacy"`, true},

		{"no domain", "internal/session/x.go", `package session; import _ "$/internal/user"`, true},
		{"no domain", "internal/member/x.go", `package member; import _ "$/internal/audit"`, true},
		{"no domain", "internal/handoff/x.go", `package handoff; import _ "$/internal/user"`, false},

		{"nobody imports", "internal/signin/x.go", `package signin; import _ "$/internal/httpapi"`, true},
		{"nobody imports", "internal/selftest/x.go", `package selftest; import _ "$/internal/httpapi/fosapi"`, true},
		{"nobody imports", "internal/httpapi/fosapi/x.go", `package fosapi; import _ "$/internal/httpapi"`, false},
		{"nobody imports", "internal/app/x.go", `package app; import _ "$/cmd/server"`, true},
		{"nobody imports", "internal/app/x_test.go", `package app_test; import _ "$/cmd/server"`, true},
		{"nobody imports", "cmd/server/x.go", `package main; import _ "$/internal/testkit"`, true},
		{"nobody imports", "cmd/server/x_test.go", `package main; import _ "$/internal/testkit"`, false},
		{"nobody imports", "cmd/server/x.go", `package main; import _ "$/internal/devstack"`, true},
		{"nobody imports", "cmd/demo/x.go", `package main; import _ "$/internal/devstack"`, false},

		{"the two halves", "internal/health/x.go", `package health; import (_ "$/internal/token"; _ "$/internal/session")`, true},
		{"the two halves", "internal/session/x.go", `package session; import _ "$/internal/member"`, true},
		{"the two halves", "internal/httpapi/daoapi/x.go", `package daoapi; import (_ "$/internal/member"; _ "$/internal/user")`, true},
		{"the two halves", "internal/httpapi/x.go", `package httpapi; import (_ "$/internal/member"; _ "$/internal/user")`, true},
		{"the two halves", "internal/httpapi/problem.go", `package httpapi; import (_ "$/internal/member"; _ "$/internal/user")`, false},
		{"the two halves", "internal/httpapi/fosapi/x.go", `package fosapi; import (_ "$/internal/token"; _ "$/internal/user")`, false},

		{"a library", "internal/user/user.go", `package user; import _ "github.com/jackc/pgx/v5"`, true},
		{"a library", "internal/user/postgres.go", `package user; import _ "github.com/jackc/pgx/v5"`, false},
		{"a library", "internal/user/user_test.go", `package user; import _ "github.com/jackc/pgx/v5"`, false},
		{"a library", "internal/token/token.go", `package token; import _ "github.com/redis/go-redis/v9"`, true},
		{"a library", "internal/token/redis.go", `package token; import _ "github.com/redis/go-redis/v9"`, false},
		{"a library", "internal/handoff/mint.go", `package handoff; import _ "net/http"`, true},
		{"a library", "internal/session/x.go", `package session; import _ "crypto/rand"`, true},
		{"a library", "internal/token/x.go", `package token; import _ "testing"`, true},
		{"a library", "internal/config/x.go", `package config; import _ "os/exec"`, true},

		{"domains and use cases", "internal/session/x.go", `package session; import "time"; var now = time.Now()`, true},
		{"domains and use cases", "internal/session/x.go", `package session; import clock "time"; var now = clock.Now`, true},
		{"domains and use cases", "internal/session/x.go", `package session; import "time"; func f(c struct{ Now func() time.Time }) { c.Now() }`, false},
		{"domains and use cases", "internal/app/x.go", `package app; import "time"; var now = time.Now()`, false},

		{"a name says", "internal/util/x.go", "package util", true},
		{"a name says", "internal/token/x.go", "package tokens", true},
		{"a name says", "internal/token/x_test.go", "package token_test", false},
		{"a name says", "cmd/server/x.go", "package main", false},

		{"a file can be read", "internal/token/x.go", "package token" + strings.Repeat("\n", maxLines+1), true},
		{"a file can be read", "internal/token/x.go", "package token" + strings.Repeat("\n", maxLines), false},
		{"a file can be read", "internal/token/x_test.go", "package token" + strings.Repeat("\n", 2*maxLines), false},
	}
	var seenToFail []string
	for _, c := range cases {
		for _, rule := range rules {
			if !strings.HasPrefix(rule.says, c.rule) {
				continue
			}
			faults := rule.check(made(t, c.path, c.source))
			if broken := len(faults) > 0; broken != c.broken {
				t.Errorf("%q on %s, which says %.90q: found %q, should be broken: %v", rule.says, c.path, c.source, faults, c.broken)
			} else if broken {
				seenToFail = append(seenToFail, rule.says)
			}
		}
	}
	for _, rule := range rules {
		if !slices.Contains(seenToFail, rule.says) {
			t.Errorf("%q was not seen to fail", rule.says)
		}
	}
}
