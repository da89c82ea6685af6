package apidoc

import _ "embed"

//go:generate go run ./generate . ../../../docs/errors.json

//go:embed dao.json
var dao []byte

//go:embed fos.json
var fos []byte

// The server of each is where the document itself is, relative to it (OpenAPI 3.1, "Server
// Object"; RFC 3986, section 5.2). So it is true behind any gateway, also one that strips a
// prefix that nobody told us.

// DAO is the description of the DAO half, for /openapi.json: its server is ".".
func DAO() []byte { return dao }

// FOS is the description of the FOS half, for /api/v1/openapi.json: its server is "../..".
func FOS() []byte { return fos }
