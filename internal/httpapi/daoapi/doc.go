// Package daoapi is the DAO half on the wire: the routes of the protocol's
// section 2, their bodies, cookies and guards. Handlers decode, make one call
// inward and encode; what may happen is decided in packages signin and handoff.
package daoapi
