// Package e2e holds no code: its tests drive a real browser (Debian's Chromium,
// by chromedp) through both sites of the real service on a real Postgres and a
// real Redis, as a person would, with mouse and keyboard.
//
// # What is proved here and nowhere else
//
// What only a browser decides: that the token is out of the address bar and the
// history before anything else happens, that no request carries it on, that
// cookies are kept from scripts, that the content security policy is what the
// pages can live with, that a keyboard is enough, that a double click or a
// reload costs nobody the hand-off. What the service decides has its tests where
// it is decided.
//
// Every story is watched (watch_test.go): whatever else it is about, it fails
// when a page talks to anybody but the two sites, sends a Referer, carries the
// token anywhere but where it belongs, breaks its policy, throws, or is refused
// something that the story does not name; and when the service's log quotes a
// secret (invariant I6).
//
// # How
//
// Each story has its own sites (ports, databases, Redis) and each person a
// browser profile of their own; one Chromium serves all. The service runs on the
// wall clock, since browsers drop cookies by it, plus what a story lets pass.
// Nothing sleeps: a story waits for what a person would see, within a deadline.
//
// The tests need chromium and say so; the database and Redis they bring
// themselves, as all tests of this repository do. With HANDOFF_SCREENSHOTS=DIR
// they leave a picture of every state of every page there.
//
// # Limits
//
// One engine. The profile's files on disk, where a browser writes down addresses
// on its own account, are not read. A picture is not judged, only whether
// everything fits and can be pressed.
package e2e
