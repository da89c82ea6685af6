// Package groupcommit lets requests that come at the same time share a statement, a
// round trip and a commit of Postgres. The idea is old and the term is the field's
// (DeWitt, Katz, Olken, Shapiro, Stonebraker and Wood, "Implementation Techniques for
// Main Memory Database Systems", SIGMOD 1984): what a commit costs, the log being
// forced, is the same for one row and for fifty.
//
// # How
//
// A [Group] has one statement in three texts, made of one body: for a row that goes
// alone, and for one row and for many that go by the group. A row that finds no statement
// on its way goes out at once, in its caller's goroutine, and waits for nobody. Rows that
// come meanwhile queue, and whatever is queued when the statement has come back goes out as
// the next (package batch says when there is a second one): there is no timer, and a row
// never waits for company. A caller has its answer after the commit, never before.
//
// # Nobody waits for one
//
// By the group no row waits for a lock (SKIP LOCKED): a row that somebody holds is passed
// over, as is one that the statement does not match. Who was passed over goes alone,
// where waiting costs nobody but them. So one row cannot hold up the others, and two
// groups, of two replicas, cannot wait for each other. When Postgres says no to a
// statement for many, it has written none of them, and each goes alone: the row that is
// the cause fails, by itself.
//
// When a statement's answer is lost, nobody knows whether it was committed. All of its
// rows have that error, each as if it had gone alone: what became of a row is asked as
// before.
//
// # Limits
//
// The queue is bounded; beyond, a row is refused, as one that was never sent. Who gives
// up while queued was never sent either. Who gives up while the statement is on its way
// does not know, and does not end it for the others: it ends with the last of their
// deadlines.
//
// The package knows nothing of tokens, sessions or audit, never splits a row's writes
// over two commits, and never repeats a statement that may have taken effect.
package groupcommit
