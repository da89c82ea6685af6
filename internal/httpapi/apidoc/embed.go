package apidoc

import _ "embed"

//go:generate go run ./generate . ../../../docs/errors.json

//go:embed dao.json
var dao []byte

//go:embed fos.json
var fos []byte

// DAO is the description of the DAO half, for servers at "/".
func DAO() []byte { return dao }

// FOS is the description of the FOS half, for servers at "/".
func FOS() []byte { return fos }
