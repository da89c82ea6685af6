// Package proof holds proofs about the whole service that take long, measure time
// and memory, or need another language. It contains no code to import.
//
//   - The DAO half's answers fit existing front ends: a client in Node, with a
//     browser's cookie jar and a browser's CORS (node_test.go).
//   - The FOS half's tokens are what other verifiers take: PyJWT reads ours, and we
//     read PyJWT's (pyjwt_test.go).
//   - I11 in large numbers: ten tabs that refresh at once, stolen refresh tokens,
//     lost answers (tabs_test.go, theft_test.go, lost_test.go).
//   - A failed login takes the same time for every kind of account, seen from
//     outside (timing_test.go).
//   - What a login costs beside its hash, on the server as it is shipped
//     (throughput_test.go).
//
// The proofs stand behind the build tag proof and log their figures. They run one
// after the other, without the race detector, which would measure itself:
//
//	go test -tags proof -v ./internal/proof
//	go test -tags proof -v -run TestProof_I11 ./internal/proof
//
// They do not skip what they need and do not find, they fail:
//
//	apt-get install --no-install-recommends nodejs node-tough-cookie python3-jwt
//
// Node is 18 or newer. Whoever has tough-cookie elsewhere says so in NODE_PATH.
// "make check" runs them in the step proofs.
//
// Limits: the proofs of time say that so many tries do not show a difference, on
// the machine that they ran on, and log how small a one they would have shown. The
// throughput is logged and hardly judged: whatever else the machine does is in it.
package proof
