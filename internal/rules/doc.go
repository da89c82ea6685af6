// Package rules holds no code: its tests parse every Go file of this module and
// hold the rules of docs/architecture.md, so that the house keeps its shape while
// many people build in it.
//
// The tables at the top of table_test.go are those rules, to be read and to be
// changed: a package that needs one more import gets it there, in the same
// change, where a reviewer sees it. Every rule is shown to fail on a made-up
// package (broken_test.go), since a rule that cannot fail holds nothing.
//
// Limits: imports and a few names are looked at, not behaviour. All files count,
// whatever their build tags. What lies in a module of its own (e2e, tools), in
// testdata or in a folder that begins with a dot is not looked at. Rooms are
// about the shipped code; a test may import what it needs, commands excepted.
package rules
