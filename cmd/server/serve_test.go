package main

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/hello-world-co-op/handoff/internal/member"
	"github.com/hello-world-co-op/handoff/internal/privacy"
	"github.com/hello-world-co-op/handoff/internal/seed"
	"github.com/hello-world-co-op/handoff/internal/testkit"
	"github.com/hello-world-co-op/handoff/password"
)

const (
	probe         = "probe@example.org"
	probePassword = "a probe's own password"
)

// seedProbe gives the deployment the member that operators test it with.
func seedProbe(t testing.TB, env environ) {
	t.Helper()
	hash, err := password.Hash(probePassword)
	if err != nil {
		t.Fatal(err)
	}
	pool := testkit.Pool(t, privacy.NewSecret(env["DAO_DATABASE_URL"]))
	_, err = seed.New(pool, pool.Config().ConnConfig.Database, time.Now()).Member(context.Background(), member.Account{
		PasswordHash: privacy.NewSecret(hash),
		Member:       member.Member{Email: testkit.Email(t, probe), EmailVerified: true, Roles: []string{}, Status: member.Active},
	})
	if err != nil {
		t.Fatal(err)
	}
}

// An operator's day: the service runs, is asked how it does, is probed, and is told
// to leave. Not beside others: many passwords at once take longer than a request may.
func TestAServiceIsStartedProbedAndStopped(t *testing.T) {
	env := whole(t)
	seedProbe(t, env)
	service := serving(t, env)
	probing := []string{"selftest", "--dao", "http://" + service.dao + "/", "--fos", "http://" + service.fos, "--email", probe, "--password-stdin"}

	health := env.with(environ{"DAO_ADDR": service.dao, "FOS_ADDR": service.fos})
	server(t, health, "", "healthcheck").wants(t, 0, "", "")

	good := probed(t, env, probePassword+"\n", probing...)
	if good.exit != 0 || strings.Count(good.out, "\n") != 8 {
		t.Errorf("selftest: exit %d\n%s%s", good.exit, good.out, good.err)
	}
	for _, words := range []string{"sign in at the DAO half", "mint a token", "hand-off ", " as member", "handoff_invalid (used)", "sign out of both halves", " ms  ", " ms  in all"} {
		if !strings.Contains(good.out, words) {
			t.Errorf("selftest does not say %q:\n%s", words, good.out)
		}
	}

	wrong := probed(t, env, "not the password", probing...)
	wrong.wants(t, 1, "", "sign in at the DAO half: status 401, code invalid_credentials")
	empty := probed(t, env, "\n", probing...)
	empty.wants(t, 1, "", "the password on standard input is empty")
	for _, r := range []result{good, wrong, empty} {
		if said := r.out + r.err; strings.Contains(said, probe) || strings.Contains(said, probePassword) || strings.Contains(said, "not the password") {
			t.Errorf("it names who or with what: %s", said)
		}
	}

	if exit := service.terminate(t); exit != 0 || !strings.Contains(service.log.String(), `"msg":"leaving"`) {
		t.Errorf("exit %d\n%s", exit, service.log)
	}
	server(t, health, "", "healthcheck").wants(t, 1, "", "half: ")
	probed(t, env, probePassword, probing...).wants(t, 1, "", "sign in at the DAO half: no answer")
	if log := service.log.String(); strings.Contains(log, "example.org") || strings.Contains(log, probePassword) {
		t.Errorf("the log names them:\n%s", log)
	}
}

func TestASelftestNamesTheStageThatFails(t *testing.T) {
	env := whole(t)
	seedProbe(t, env)
	service := serving(t, env.with(environ{"CROSS_DOMAIN_SERVICE_TOKEN": ""}))
	probing := []string{"selftest", "--dao", "http://" + service.dao, "--fos", "http://" + service.fos, "--email", probe, "--password-stdin"}
	disabled := probed(t, env, probePassword, probing...)
	disabled.wants(t, 1, "mint a token", "arrive at the FOS half: status 503, code exchange_disabled")
	product := probed(t, env, probePassword, append(probing, "--entry-product", "nothing-of-ours")...)
	product.wants(t, 1, "fetch a csrf token", "mint a token: status 400, code invalid_request")
	if exit := service.terminate(t); exit != 0 {
		t.Errorf("exit %d", exit)
	}
}

// A container's healthcheck says which half is not ready.
func TestAHealthcheckNamesTheHalfThatIsNotReady(t *testing.T) {
	t.Parallel()
	s := testkit.Start(t, testkit.Options{}).Linked(t, nil)
	env := environ(s.Environ).with(environ{
		"DAO_ADDR": strings.TrimPrefix(s.DAOURL, "http://"), "FOS_ADDR": ":" + s.FOSURL[strings.LastIndex(s.FOSURL, ":")+1:],
	})
	server(t, env, "", "healthcheck").wants(t, 0, "", "")
	gateways := env.with(environ{"AUTHZ_ADDR": "127.0.0.1:1", "TRUSTED_PROXIES": "127.0.0.1"})
	server(t, gateways, "", "healthcheck").wants(t, 1, "", "the listener for gateways: ")
	s.FOSPostgres.Cut()
	server(t, env, "", "healthcheck").wants(t, 1, "", "the fos half: not ready: 503")
}
