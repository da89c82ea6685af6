// Package fosapi is the FOS half on the wire: the routes of the protocol's
// section 2 below /api/v1, their bodies, cookies and guards. Handlers decode,
// make one call inward and encode; what may happen is decided in packages signin
// and handoff.
package fosapi
