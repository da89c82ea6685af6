package main

import "testing"

// The demonstration seeds members whose password is printed; a database elsewhere
// is somebody's real one.
func TestOnlyDatabasesOfThisMachineAreSeeded(t *testing.T) {
	t.Parallel()
	for databaseURL, want := range map[string]bool{
		"postgres://a:b@127.0.0.1:5432/x":              true,
		"postgres://a@localhost/x":                     true,
		"postgres://a@[::1]:5432/x":                    true,
		"postgres:///x?host=/run/postgresql":           true,
		"postgres://a:b@db.example.org/x":              false,
		"postgres://a@10.0.0.5/x":                      false,
		"postgres://a@localhost/x?host=db.example.org": false,
		"postgres://a@localhost.example.org/x":         false,
		"postgres:///x":                                false,
		"postgres://a:%zz@127.0.0.1/x":                 false,
		"postgres://a@127.0.0.1,db.example.org/x":      false,
		"host=127.0.0.1 dbname=x":                      false,
	} {
		if got := onThisMachine(databaseURL); got != want {
			t.Errorf("%s is on this machine: %v", databaseURL, got)
		}
	}
}
