// Package crowd tries the service with more people than it can serve, with people who
// are slow on purpose, and while its replicas are restarted under them. It holds tests
// only; they run with the build tag "faults".
//
// # How the load is made
//
// Everything shares one machine: servers, stores and the crowd. So the crowd must
// cost little: connections that stay open, requests that are bytes made beforehand,
// answers read no further than needed. What it costs all the same is reported beside
// the figures. A closed loop (so many people, each of whom goes on when answered)
// finds the peak; an open loop (so many arrivals a second, whatever becomes of the
// earlier ones) finds what happens beyond it, because a closed loop slows down with
// the server it should press (Schroeder, Wierman and Harchol-Balter, Open Versus
// Closed: A Cautionary Tale, NSDI 2006). The times of an open loop count from the
// moment at which a request was due, not from when a connection was free.
//
// # What counts
//
// Goodput is whole hand-offs, from the request for a token to the session, each
// counted once, when the session was told. A token whose arrival was shed is presented again
// after the time that Retry-After names, as the landing page does.
//
// # What it never shows
//
// What a network does: all connections are on loopback. And nothing about several
// machines; the ratio of goodput to peak is the figure to look at, not the peak.
package crowd
