// Package mutants holds the proof that the tests can fail: a list of small,
// dangerous changes to the service, each of which some test must notice. It has
// tests only.
//
// A mutant is a fence left out, a check that looks at the wrong end, an audit row
// that is not written. Each has a name, says which invariant of the protocol it
// breaks, the text that it changes in which file, and the tests that are to notice.
// A test that was never seen failing may be one that cannot (DeMillo, Lipton and
// Sayward, "Hints on Test Data Selection", 1978).
//
// Two tests keep the list:
//
//   - TestTheListIsInOrder is an ordinary test, and quick. Every text that a mutant
//     changes stands exactly once in its file, what comes of it is still Go, and the
//     tests that are to notice are there. So whoever rewrites a line of the list
//     learns it at once.
//   - TestMutants stands behind the build tag mutants and takes long. In a copy of the
//     module it makes one change after the other and runs the tests that are to
//     notice. A mutant is killed when one of them fails; it survives when all of them
//     pass, and then TestMutants fails. A mutant that does not compile is an error of
//     the list, and so are tests that fail without any change.
//
// Run all of them, or one:
//
//	go test -tags mutants -timeout 60m -v ./internal/mutants
//	go test -tags mutants -v -run TestMutants/no-fence ./internal/mutants
//	MUTANT=no-fence go test -tags mutants -v ./internal/mutants
//
// Limits: the list is what people thought of, and says nothing of the rest. A check
// that stands behind another of the same kind is changed together with it, since
// leaving out one of two changes nothing that can be seen. The race detector is off:
// a mutant that only it would notice is not in the list.
package mutants
