// Package testkit gives tests the real things: a database of their own, a Redis
// of their own, a clock that moves only when told. It is imported from _test.go
// files only.
//
// The servers are those of TEST_DATABASE_URL (a superuser's URL) and
// TEST_REDIS_URL where set, else a private pair that lives as long as the test
// process (package devstack). Each half's schema is migrated once per process
// into a template; a test's database is a copy of it and is dropped after the
// test, so that tests run in parallel and leave nothing.
package testkit
