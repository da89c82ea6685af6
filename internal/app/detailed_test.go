package app_test

import (
	"io/fs"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hello-world-co-op/handoff/internal/datastore"
	"github.com/hello-world-co-op/handoff/internal/privacy"
	"github.com/hello-world-co-op/handoff/internal/testkit"
	"github.com/hello-world-co-op/handoff/internal/user"
	"github.com/hello-world-co-op/handoff/migrations"
)

func bearer(token string) testkit.Header {
	return testkit.Header{Name: "Authorization", Value: "Bearer " + token}
}

// newest is the number of the half's newest migration: they are numbered from 1
// without a gap.
func newest(t testing.TB, half datastore.Half) int {
	t.Helper()
	files := map[datastore.Half]fs.FS{datastore.DAO: migrations.DAO, datastore.FOS: migrations.FOS}
	names, err := fs.Glob(files[half], string(half)+"/*.sql")
	if err != nil || len(names) == 0 {
		t.Fatal(names, err)
	}
	return len(names)
}

// wantDetails demands the fields that operators build their views on.
func wantDetails(t testing.TB, half datastore.Half, answer testkit.Answer, keyIDs map[string]any) {
	t.Helper()
	fields := []string{"dependencies", "key_ids", "migration", "pool", "service_token_first_used", "service_token_last_used", "uptime_seconds", "version"}
	number := float64(newest(t, half))
	if answer.Status != http.StatusOK || answer.Header.Get("Cache-Control") != "no-store" {
		t.Fatalf("%d %s %v", answer.Status, answer.Raw, answer.Header)
	}
	names := func(object any) []string {
		members, _ := object.(map[string]any)
		return slices.Sorted(maps.Keys(members))
	}
	got := map[string]any{
		"fields": names(answer.Body), "version": answer.Body["version"], "key ids": answer.Body["key_ids"],
		"dependencies": names(answer.Body["dependencies"]), "pool": names(answer.Body["pool"]), "migration": answer.Body["migration"],
	}
	want := map[string]any{
		"fields": fields, "version": "test",
		"key ids": keyIDs, "dependencies": []string{"postgres", "redis"},
		"pool":      []string{"idle", "in_use", "max", "total", "waited", "waited_ms"},
		"migration": map[string]any{"applied": number, "known": number},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("details (-want +got):\n%s", diff)
	}
	wantNoKey(t, answer.Raw)
}

func wantNoKey(t testing.TB, text string) {
	t.Helper()
	for _, secret := range []string{testkit.ServiceToken, testkit.JWTKey, testkit.SealingKey, testkit.PseudonymKey, "postgres://"} {
		if strings.Contains(text, secret) {
			t.Errorf("a secret is in %s", text)
		}
	}
}

func idOf(secret string) []any { return []any{privacy.NewSecret(secret).KeyID()} }

func TestDetailsOfTheDAOHalfAreForTheServiceToken(t *testing.T) {
	t.Parallel()
	s := testkit.Start(t, testkit.Options{})
	b := s.Browser(t)
	url := s.DAOURL + "/health/detailed"
	for name, headers := range map[string][]testkit.Header{
		"nobody": nil, "another bearer": {bearer("another-service-token-of-enough-length")}, "an empty one": {bearer("")},
	} {
		answer := b.Get(url, headers...)
		if answer.Code() != "invalid_service_token" || answer.Header.Get("WWW-Authenticate") != "Bearer" {
			t.Errorf("%s: %d %s", name, answer.Status, answer.Raw)
		}
	}
	wantDetails(t, datastore.DAO, b.Get(url, bearer(testkit.ServiceToken)), map[string]any{
		"service_token": idOf(testkit.ServiceToken),
		"sealing":       []any{testkit.Key(t, testkit.SealingKey).KeyID()}, "pseudonym": []any{testkit.Key(t, testkit.PseudonymKey).KeyID()},
	})
}

func TestDetailsOfTheFOSHalfAreForFoundersAndAdmins(t *testing.T) {
	t.Parallel()
	s := testkit.Start(t, testkit.Options{})
	url := s.FOSURL + "/health/detailed"
	if answer := s.Browser(t).Get(url); answer.Code() != "session_required" {
		t.Errorf("nobody: %d %s", answer.Status, answer.Raw)
	}
	if answer := s.Browser(t).Get(url, bearer(testkit.ServiceToken)); answer.Code() != "session_required" {
		t.Errorf("the service token: %d %s", answer.Status, answer.Raw)
	}
	for role, status := range map[user.Role]int{
		user.Founder: http.StatusOK, user.Admin: http.StatusOK, user.Member: http.StatusNotFound, user.Guest: http.StatusNotFound,
	} {
		who := s.User(t, string(role)+"@example.org", func(u *user.User) { u.Role = role })
		answer := s.SignInAtFOS(t, who).Get(url)
		if answer.Status != status {
			t.Errorf("%s: %d %s, want %d", role, answer.Status, answer.Raw, status)
		}
		if status == http.StatusOK {
			wantDetails(t, datastore.FOS, answer, map[string]any{
				"service_token": idOf(testkit.ServiceToken), "jwt": idOf(testkit.JWTKey),
				"pseudonym": []any{testkit.Key(t, testkit.PseudonymKey).KeyID()},
			})
		}
	}
}

// An operator looks here when something is down. Then is not the time to say no more
// than that.
func TestDetailsAreThereWhenAStoreIsNot(t *testing.T) {
	t.Parallel()
	s := testkit.Start(t, testkit.Options{}).Linked(t, nil)
	for name, trouble := range map[string]func(){"down": s.DAOPostgres.Cut, "hanging": s.DAOPostgres.Freeze} {
		trouble()
		begun := time.Now()
		answer := s.Browser(t).Get(s.DAOURL+"/health/detailed", bearer(testkit.ServiceToken))
		if took := time.Since(begun); took > 3500*time.Millisecond {
			t.Errorf("%s: took %v", name, took)
		}
		dependencies, _ := answer.Body["dependencies"].(map[string]any)
		postgres, _ := dependencies["postgres"].(map[string]any)
		redis, _ := dependencies["redis"].(map[string]any)
		if answer.Status != http.StatusOK || postgres["ok"] != false || redis["ok"] != true {
			t.Errorf("%s: %d %s", name, answer.Status, answer.Raw)
		}
		wantNoKey(t, answer.Raw)
		s.DAOPostgres.Mend()
	}
}
