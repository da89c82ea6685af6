// Package httpapi is the edge: what both halves' HTTP interfaces have in common.
// Routes, DTOs and handlers of one half are in daoapi and fosapi, the two pages
// for people in pages.
//
// # One way through
//
// A request passes the same steps in one order, which [New] lists in one place;
// then the guards that its [Route] names; then its handler, which decodes, makes
// one call inward and encodes. Handlers return errors and never write them: one
// ordered table ([problemOf]) turns sentinels into the problems of the protocol's
// section 3, and what it does not know is an opaque 500 whose cause is in the log
// once, under the request id.
//
// The package never logs a URI, a body, a header or an address: the token
// travels in a query, people travel in bodies. Client addresses end here; what
// goes inward is a pseudonym.
package httpapi
