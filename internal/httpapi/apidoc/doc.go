// Package apidoc holds the published description of both halves' interface (OpenAPI
// 3.1), and serves it with pages to read it on.
//
// dao.yaml, fos.yaml and common.yaml are written by hand; dao.json and fos.json, which are
// served, are made of them by go generate. What it adds is what would have to be repeated:
// the answers that are problems, by the codes that an operation names (x-problems), those
// that every operation may give, aliases (x-aliases), and the parts of common.yaml that
// the half refers to. docs/errors.json comes out of the same run, and
// is served beside them.
//
// Tests hold the description to the service in both directions: its paths to echo's
// routes, its schemas to the structs that are sent and received, its codes to the problem
// table, and every answer that any test's browser sees to what is said here
// (internal/testkit).
//
// The pages are Swagger UI, which the program carries in itself. They ask for nothing
// outside their own folder, and know no address of their own, so that they work
// behind a gateway that strips a prefix.
package apidoc
