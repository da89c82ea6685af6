// Package signin is a session from sign-in to its end, on each half: login, refresh,
// who is signed in, the list, logout. It is the order of steps around package member
// ([DAO]) and packages user and session ([FOS]).
//
// A session is made only after the password was checked, its row and its audit
// row are committed together, and only then does the caller get a cookie. An
// unknown account costs the same work as a wrong password.
//
// The package never moves a person from one half to the other (package handoff
// does), never sets a cookie and never holds an address.
package signin
