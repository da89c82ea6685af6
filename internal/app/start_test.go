package app_test

import (
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/hello-world-co-op/handoff/internal/datastore"
	"github.com/hello-world-co-op/handoff/internal/testkit"
)

func TestADatabaseThatWasNeverMigratedIsAClearError(t *testing.T) {
	t.Parallel()
	s := testkit.Start(t, testkit.Options{})
	for half, variable := range map[string]string{"dao": "DAO_DATABASE_URL", "fos": "DATABASE_URL"} {
		env := map[string]string{variable: testkit.EmptyDatabaseURL(t).Reveal()}
		a, err := build(t, s, env)
		if err == nil {
			t.Fatalf("%s: it starts", half)
		}
		if a != nil {
			t.Error("there is an app beside the error")
		}
		for _, word := range []string{"the " + half + " database", "migration 0", "`server migrate up`"} {
			if !strings.Contains(err.Error(), word) {
				t.Errorf("%q does not say %q", err, word)
			}
		}
		wantNoSecret(t, err.Error(), env)
	}
}

func TestADatabaseOneStepBehindIsAClearError(t *testing.T) {
	t.Parallel()
	s := testkit.Start(t, testkit.Options{})
	testkit.Exec(t, s.FOS, `INSERT INTO goose_db_version (version_id, is_applied)
		SELECT max(version_id), false FROM goose_db_version`)
	needed := newest(t, datastore.FOS)
	says := fmt.Sprintf("the fos database is at migration %d and this program needs %d", needed-1, needed)
	if _, err := build(t, s, nil); err == nil || !strings.Contains(err.Error(), says) {
		t.Errorf("%v", err)
	}
}

func TestADatabaseThatIsAheadIsFine(t *testing.T) {
	t.Parallel()
	s := testkit.Start(t, testkit.Options{})
	testkit.Exec(t, s.FOS, `INSERT INTO goose_db_version (version_id, is_applied) VALUES (99, true)`)
	if a, err := build(t, s, nil); err != nil {
		t.Errorf("the other replica was upgraded first: %v", err)
	} else if err := a.Close(); err != nil {
		t.Error(err)
	}
}

// A replica that starts during an outage waits for its end in readiness, not in a
// crash loop.
func TestAProcessStartsWhileItsStoresAreAway(t *testing.T) {
	t.Parallel()
	s := testkit.Start(t, testkit.Options{})
	for name, story := range map[string]struct {
		trouble  func(testkit.Links)
		dao, fos map[string]any
	}{
		"postgres of the DAO half": {
			func(l testkit.Links) { l.DAOPostgres.Cut() }, checks("unavailable", "down", "ok"), checks("ready", "ok", "ok"),
		},
		"postgres of the FOS half": {
			func(l testkit.Links) { l.FOSPostgres.Cut() }, checks("ready", "ok", "ok"), checks("unavailable", "down", "ok"),
		},
		"redis": {
			func(l testkit.Links) { l.RedisLink.Cut() }, checks("unavailable", "ok", "down"), checks("unavailable", "ok", "down"),
		},
		"all of them, hanging": {
			func(l testkit.Links) { l.DAOPostgres.Freeze(); l.FOSPostgres.Freeze(); l.RedisLink.Freeze() },
			checks("unavailable", "down", "down"), checks("unavailable", "down", "down"),
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			links, env := s.Links(t)
			story.trouble(links)
			begun := time.Now()
			a, err := build(t, s, env)
			if err != nil {
				t.Fatal(err)
			}
			if took := time.Since(begun); took > 8*time.Second {
				t.Errorf("starting took %v", took)
			}
			p, b := run(t, a), s.Browser(t)
			for url, body := range map[string]map[string]any{p.dao: story.dao, p.fos: story.fos} {
				status := http.StatusOK
				if body["status"] != "ready" {
					status = http.StatusServiceUnavailable
				}
				wantHealth(t, b, url, status, body)
			}

			links.DAOPostgres.Mend()
			links.FOSPostgres.Mend()
			links.RedisLink.Mend()
			for _, url := range []string{p.dao, p.fos} {
				until(t, b, url+"/health", func(answer testkit.Answer, _ error) bool { return answer.Status == http.StatusOK })
			}
			p.leave()
			if err := p.gone(t); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestReadinessFollowsAStoreThatGoesAndComesBack(t *testing.T) {
	t.Parallel()
	s := testkit.Start(t, testkit.Options{}).Linked(t, nil)
	b := s.Browser(t)
	ready := checks("ready", "ok", "ok")
	for _, story := range []struct {
		link *testkit.Link
		down map[string]any
	}{
		{s.FOSPostgres, checks("unavailable", "down", "ok")}, {s.RedisLink, checks("unavailable", "ok", "down")},
	} {
		wantHealth(t, b, s.FOSURL, http.StatusOK, ready)
		for _, trouble := range []func(){story.link.Cut, story.link.Freeze} {
			trouble()
			wantHealth(t, b, s.FOSURL, http.StatusServiceUnavailable, story.down)
			if got := b.Get(s.FOSURL + "/health").Header.Get("Retry-After"); got == "" {
				t.Error("no Retry-After")
			}
			story.link.Mend()
			until(t, b, s.FOSURL+"/health", func(answer testkit.Answer, _ error) bool { return answer.Status == http.StatusOK })
		}
	}
}

func TestAPortThatIsTakenIsAClearErrorAndLeavesTheOtherFree(t *testing.T) {
	t.Parallel()
	s := testkit.Start(t, testkit.Options{})
	taken, free := listener(t), listener(t)
	if err := free.Close(); err != nil {
		t.Fatal(err)
	}
	_, err := build(t, s, map[string]string{"DAO_ADDR": free.Addr().String(), "FOS_ADDR": taken.Addr().String()})
	if err == nil || !strings.Contains(err.Error(), taken.Addr().String()) || !strings.Contains(err.Error(), "fos") ||
		!strings.Contains(err.Error(), "address already in use") {
		t.Errorf("%v", err)
	}
	again, err := new(net.ListenConfig).Listen(t.Context(), "tcp", free.Addr().String())
	if err != nil {
		t.Fatalf("the first half's port is still held: %v", err)
	}
	_ = again.Close()
}

func listener(t testing.TB) net.Listener {
	t.Helper()
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	return l
}

// A process has the listeners, the routes and the demands of its halves alone.
func TestAHalfThatIsNotConfiguredIsNotThere(t *testing.T) {
	t.Parallel()
	s := testkit.StartApart(t)
	dao, fos := s.Started[0], s.Started[1]
	if dao.Addr("fos") != "" || fos.Addr("dao") != "" || dao.Addr("metrics") != "" {
		t.Errorf("listeners: %q %q %q", dao.Addr("fos"), fos.Addr("dao"), dao.Addr("metrics"))
	}
	b := s.Browser(t)
	for _, url := range []string{
		s.DAOURL + "/api/v1/auth/me", s.DAOURL + "/metrics", s.FOSURL + "/api/auth/session", s.FOSURL + "/metrics", s.FOSURL + "/debug/pprof/",
	} {
		if answer := b.Get(url); answer.Code() != "not_found" {
			t.Errorf("%s: %d %s", url, answer.Status, answer.Raw)
		}
	}
}

func TestPagesAreServedInDevelopmentOnly(t *testing.T) {
	t.Parallel()
	s := testkit.Start(t, testkit.Options{})
	staging := s.Process(t, map[string]string{"ENVIRONMENT": "staging", "SHUTDOWN_DELAY": "0s"})
	b := s.Browser(t)
	for path, halves := range map[string][2]string{
		"/": {s.DAOURL, staging.DAOURL}, "/cross-domain": {s.FOSURL, staging.FOSURL},
	} {
		if page := b.Get(halves[0] + path); page.Status != http.StatusOK || !strings.HasPrefix(page.Header.Get("Content-Type"), "text/html") {
			t.Errorf("development %s: %d %v", path, page.Status, page.Header)
		}
		if page := b.Get(halves[1] + path); page.Code() != "not_found" {
			t.Errorf("staging %s: %d %s", path, page.Status, page.Raw)
		}
	}
	if page := b.Get(staging.FOSURL + "/"); page.Code() != "not_found" {
		t.Errorf("staging: %d", page.Status)
	}
	// What only browsers over HTTPS heed is said there, and not in development.
	if got := b.Get(staging.FOSURL + "/health/live").Header.Get("Strict-Transport-Security"); got == "" {
		t.Error("no HSTS in staging")
	}
	if got := b.Get(s.FOSURL + "/health/live").Header.Get("Strict-Transport-Security"); got != "" {
		t.Error("HSTS in development")
	}
}
