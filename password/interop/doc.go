// Package interop holds the live proof that package password and the platform's
// Python side accept each other's hashes, both ways, for every kind of password
// that tells implementations apart and for random ones. The Python side is passlib
// (Argon2id and bcrypt) and argon2-cffi, which passlib calls, by itself. The
// package contains no code to import.
//
// The tests stand behind the build tag proof, as all that are slow do, and need
// Python; they do not skip when it is missing, they fail:
//
//	apt-get install --no-install-recommends python3-passlib python3-argon2 python3-bcrypt
//	go test -tags proof -v ./password/interop
//	go test -tags proof -v ./password/interop -random 500
//
// The log says how many pairs of password and hash were proven. "make check" runs
// them in the step proofs.
//
// The ordinary tests of package password verify the committed answers of the same
// library (password/testdata/passlib.json) without it.
package interop
