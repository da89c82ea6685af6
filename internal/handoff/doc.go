// Package handoff is the journey of a signed-in person from the DAO half to the
// FOS half: the order of steps that no domain owns.
//
//	Minter.Mint         DAO: a live session becomes a token for one target
//	Exchange.Exchange   DAO: a token becomes the claims it stands for, once
//	Starter.Start       FOS: a browser begins a journey, which binds the token to it
//	Login.Login         FOS: a token becomes a user and a session, or a question
//	Login.Confirm       FOS: the person says yes to it (Decline: no)
//
// Between the halves stands one seam, [Exchanger]: the FOS half's only way to
// the DAO half, in process ([InProcess]) or over HTTP ([Peer]). Both pass the
// same tests.
//
// # The order that makes it safe
//
// At mint the row comes before the token. At exchange the ledger's one guarded
// UPDATE is the gate, and it comes first: everything after it may fail without
// opening the gate for anybody else, and nothing before it consumes. At login
// the exchange is the gate; user, link, session and audit row are committed
// together; only then is a credential signed.
//
// The gate can be passed twice only by the same attempt (the same
// Idempotency-Key) within ten seconds, and then yields the same answer.
//
// The package never parses a request, never sets a cookie and never holds a
// client's address.
package handoff
