// Package interop holds the live proof that package password and the platform's
// Python side (passlib) accept each other's hashes, both ways, for every kind of
// password that tells implementations apart. It contains no code to import.
//
// The test stands behind the build tag interop because it needs Python; it does not
// skip when Python is missing, it fails:
//
//	apt-get install --no-install-recommends python3-passlib python3-argon2 python3-bcrypt
//	go test -tags interop ./password/interop
//
// The ordinary tests of package password verify the committed answers of the same
// library (password/testdata/passlib.json) without it.
package interop
