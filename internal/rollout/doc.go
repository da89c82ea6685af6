// Package rollout holds the proof of what docs/operations.md has operators do: that keys are
// replaced while the service is in use, and nobody notices; and that a database which is
// restored to an earlier time honours nothing that has ended since. It has tests only.
//
// # Rotation
//
// Two replicas stand behind a load balancer. People hand off, arrive, keep their
// sessions fresh in several tabs, end hand-offs, use services behind a gateway and look
// who they are, over and over, while a key is rotated as docs/operations.md says: the
// stories read its lines and do nothing else. The new one is added where it only
// verifies, becomes the one that signs or is sent, and the old one is dropped when
// nothing made with it can be alive. In each rollout one replica after
// the other is drained, stopped in order, started with its new environment and put
// back; in between, replicas of both ages serve the same people.
//
// What is demanded is a count: no failed exchange and no sign-out, each by name, and that
// each half has told the other what has ended. A
// harness that cannot fail proves nothing, so every story of a key that something is
// verified with ends with a rotation in a hurry, which leaves a step out, and demands
// the failures of that. Nothing verifies a pseudonym; its story reads the audit rows.
//
// The time is a test's clock, which moves by half a minute between two rounds of
// everybody, and by days where a rollout waits for them. How long a rollout may
// take, and what a slow network does to it, is not shown here.
//
// # Restore
//
// A half's database is copied, the halves go on, and the copy comes back, with what Redis
// had then. First without the document's steps, which is the attack: what had ended must be
// honoured again, or the story would prove nothing. Then with them: it must not be.
package rollout
