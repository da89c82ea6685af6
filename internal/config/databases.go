package config

import "github.com/hello-world-co-op/handoff/internal/privacy"

// Databases is the part of the configuration that migrations and the seeder need:
// a job that changes a schema must not have to be given the keys of the service.
// A half that is not configured is empty.
type Databases struct {
	DAO, FOS               privacy.Secret
	MigrateDAO, MigrateFOS privacy.Secret
}

// rawDatabases repeats names of rawDAO and rawFOS, without their being required.
type rawDatabases struct {
	DAO              privacy.Secret `env:"DAO_DATABASE_URL"`
	MigrateDAO       privacy.Secret `env:"DAO_MIGRATE_DATABASE_URL"`
	FOS              privacy.Secret `env:"DATABASE_URL"`
	DatabaseUser     string         `env:"DATABASE_USER"`
	DatabasePassword privacy.Secret `env:"DATABASE_PASSWORD"`
	MigrateFOS       privacy.Secret `env:"MIGRATE_DATABASE_URL"`
}

// LoadDatabases resolves the databases alone, by the rules of [Load].
func LoadDatabases(environ []string) (Databases, error) {
	l := newLoader(environ)
	raw := parse[rawDatabases](l)
	d := Databases{
		DAO:        l.postgresURL("DAO_DATABASE_URL", raw.DAO),
		MigrateDAO: l.postgresURL("DAO_MIGRATE_DATABASE_URL", raw.MigrateDAO),
		MigrateFOS: l.postgresURL("MIGRATE_DATABASE_URL", raw.MigrateFOS),
	}
	d.FOS = l.withCredentials(l.postgresURL("DATABASE_URL", raw.FOS), raw.DatabaseUser, raw.DatabasePassword)
	if raw.MigrateDAO.IsEmpty() {
		d.MigrateDAO = d.DAO
	}
	if raw.MigrateFOS.IsEmpty() {
		d.MigrateFOS = d.FOS
	}
	return d, l.faults.err()
}
