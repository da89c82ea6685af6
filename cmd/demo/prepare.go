package main

import (
	"context"
	"fmt"
	"net"
	"net/url"
	"strings"
	"time"

	"github.com/hello-world-co-op/handoff/internal/config"
	"github.com/hello-world-co-op/handoff/internal/datastore"
	"github.com/hello-world-co-op/handoff/internal/devstack"
	"github.com/hello-world-co-op/handoff/internal/member"
	"github.com/hello-world-co-op/handoff/internal/privacy"
	"github.com/hello-world-co-op/handoff/internal/seed"
	"github.com/hello-world-co-op/handoff/internal/user"
	"github.com/hello-world-co-op/handoff/password"
)

// stores starts a private server for each store that the environment does not
// name, and returns the environment with all of them.
func stores(ctx context.Context, dir string, environ []string, say func(string, ...any)) ([]string, *devstack.Stack, error) {
	databases := []struct{ variable, name string }{{"DAO_DATABASE_URL", "handoff_dao"}, {"DATABASE_URL", "handoff_fos"}}
	needPostgres := false
	for _, d := range databases {
		named := lookup(environ, d.variable, "")
		needPostgres = needPostgres || named == ""
		if named != "" && !onThisMachine(named) {
			return nil, nil, fmt.Errorf("%s leads to another machine: the demonstration would migrate that database and create"+
				" members with a known password in it; unset it, or use server migrate and server serve", d.variable)
		}
	}
	needRedis := lookup(environ, "REDIS_URL", "") == ""
	if !needPostgres && !needRedis {
		return environ, nil, nil
	}
	stack, err := devstack.Start(ctx, devstack.Options{
		Dir: dir, EmbeddedRedis: true, Postgres: needPostgres, Redis: needRedis, Log: say,
	})
	if err != nil {
		return nil, nil, err
	}
	for _, d := range databases {
		if lookup(environ, d.variable, "") != "" {
			continue
		}
		databaseURL, err := stack.CreateDatabase(ctx, d.name)
		if err != nil {
			return nil, stack, err
		}
		environ = append(environ, d.variable+"="+databaseURL)
	}
	if needRedis {
		environ = append(environ, "REDIS_URL="+stack.RedisURL)
	}
	return environ, stack, nil
}

// onThisMachine guards against the wrong shell: one in which the variables of a
// real deployment are still set.
func onThisMachine(databaseURL string) bool {
	parsed, err := url.Parse(databaseURL)
	if err != nil {
		return false
	}
	host := parsed.Hostname()
	if named := parsed.Query().Get("host"); named != "" {
		host = named
	}
	ip := net.ParseIP(host)
	return host == "localhost" || strings.HasPrefix(host, "/") || (ip != nil && ip.IsLoopback())
}

// demoMember is somebody to sign in as.
type demoMember struct {
	email, displayName, principal string
	roles                         []string
}

var demoMembers = []demoMember{
	{"ada@example.org", "Ada Lovelace", "rrkah-fqaaa-aaaaa-aaaaq-cai", []string{"member"}},
	{"grace@example.org", "Grace Hopper", "", []string{"member", "steward"}},
}

// demoFounder has a password on both halves, and is no one person to both until she says so.
var demoFounder = demoMember{"joan@example.org", "Joan Clarke", "", []string{"member"}}

// prepare migrates both databases and creates the demo members.
func prepare(ctx context.Context, c *config.Config, s secrets, say func(string, ...any)) error {
	for half, databaseURL := range map[datastore.Half]privacy.Secret{
		datastore.DAO: c.DAO.MigrateDatabaseURL, datastore.FOS: c.FOS.MigrateDatabaseURL,
	} {
		if err := migrate(ctx, half, databaseURL, say); err != nil {
			return err
		}
	}
	hash, err := password.Hash(s.Password)
	if err != nil {
		return fmt.Errorf("hash the demo password: %w", err)
	}
	if err := seedMembers(ctx, c.DAO.DatabaseURL, privacy.NewSecret(hash)); err != nil {
		return err
	}
	return seedFounder(ctx, c.FOS.DatabaseURL, privacy.NewSecret(hash))
}

func migrate(ctx context.Context, half datastore.Half, databaseURL privacy.Secret, say func(string, ...any)) error {
	migrator, err := datastore.NewMigrator(half, databaseURL)
	if err != nil {
		return err
	}
	defer func() { _ = migrator.Close() }()
	count, err := migrator.Up(ctx)
	if err == nil && count > 0 {
		say("Applied %d migrations to the %s database.", count, half)
	}
	return err
}

// seeder opens a database for seeding. It needs no guard: it is the demonstration's own, or
// one that its user named.
func seeder(ctx context.Context, databaseURL privacy.Secret) (s *seed.Seeder, end func(), err error) {
	pool, err := datastore.OpenPostgres(ctx, databaseURL)
	if err != nil {
		return nil, nil, err
	}
	return seed.New(pool, pool.Config().ConnConfig.Database, time.Now().UTC().Truncate(time.Millisecond)), pool.Close, nil
}

func seedMembers(ctx context.Context, databaseURL, hash privacy.Secret) error {
	s, end, err := seeder(ctx, databaseURL)
	if err != nil {
		return err
	}
	defer end()
	for _, m := range append(demoMembers, demoFounder) {
		email, err := privacy.ParseEmail(m.email)
		if err != nil {
			return err
		}
		account := member.Account{PasswordHash: hash, Member: member.Member{
			Email: email, EmailVerified: true, DisplayName: &m.displayName, Roles: m.roles, Status: member.Active,
		}}
		if m.principal != "" {
			account.Principal = &m.principal
		}
		if _, err := s.Member(ctx, account); err != nil {
			return err
		}
	}
	return nil
}

// seedFounder gives the founder the account at FounderyOS that others get by arriving.
func seedFounder(ctx context.Context, databaseURL, hash privacy.Secret) error {
	s, end, err := seeder(ctx, databaseURL)
	if err != nil {
		return err
	}
	defer end()
	email, err := privacy.ParseEmail(demoFounder.email)
	if err != nil {
		return err
	}
	_, err = s.Account(ctx, user.Account{
		Email: email, DisplayName: demoFounder.displayName, Role: user.Founder, PasswordHash: hash,
	})
	return err
}
