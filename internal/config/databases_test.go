package config_test

import (
	"strings"
	"testing"

	"github.com/hello-world-co-op/handoff/internal/config"
)

// A job that changes a schema is given database URLs and nothing else of the
// service, and reads them by the same rules: overrides, files, defaults, and
// errors that quote nothing.
func TestDatabasesLoadWithoutTheKeysOfTheService(t *testing.T) {
	d, err := config.LoadDatabases(environ{
		"DATABASE_URL": "postgres://a:b@h/d", "DATABASE_USER": "c", "DATABASE_PASSWORD_FILE": secretFile(t, "e\n"),
	}.list())
	if err != nil {
		t.Fatal(err)
	}
	const want = "postgres://c:e@h/d"
	if d.FOS.Reveal() != want || d.MigrateFOS.Reveal() != want || !d.DAO.IsEmpty() || !d.MigrateDAO.IsEmpty() {
		t.Errorf("FOS %s, migrations %s", d.FOS.Reveal(), d.MigrateFOS.Reveal())
	}
	full := mustLoad(t, development())
	d, err = config.LoadDatabases(development().list())
	if err != nil || d.DAO.Reveal() != full.DAO.DatabaseURL.Reveal() || d.MigrateDAO.Reveal() != full.DAO.MigrateDatabaseURL.Reveal() ||
		d.FOS.Reveal() != full.FOS.DatabaseURL.Reveal() {
		t.Errorf("Load and LoadDatabases differ (%v)", err)
	}
	_, err = config.LoadDatabases(environ{"DAO_DATABASE_URL": "mysql://" + marker, "DATABASE_URL": "postgres://u:%zz" + marker + "@h/d"}.list())
	if err == nil || strings.Count(err.Error(), "\n") != 1 || strings.Contains(err.Error(), marker) {
		t.Errorf("error is %v", err)
	}
}
