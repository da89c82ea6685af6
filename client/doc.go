// Package client is for Go programs that take part in a hand-off: a server that exchanges
// tokens for whom they stand for ([Exchanger]), and a program that has a member's session
// and mints ([Member]). It needs nothing but the standard library.
//
// What may be repeated is repeated, and nothing else. An exchange carries an
// Idempotency-Key, so that an answer that was lost is asked for again, within the ten
// seconds for which the key is good: without it, a lost answer would cost the person
// the hand-off. Refusals are not asked again.
//
// Errors are [*Error] with the code of the service, which [errors.Is] compares:
//
//	claims, err := exchanger.Exchange(ctx, client.Exchange{Token: token})
//	switch {
//	case errors.Is(err, client.TokenExpired), errors.Is(err, client.TokenUsed):
//		// send the person back to where they came from
//	case errors.Is(err, client.DependencyUnavailable):
//		// nothing is lost: try again later, or say so
//	}
//
// Tokens and service tokens are [Secret], which does not print. Every call ends with
// its context; give it a deadline.
//
// Who verifies access tokens of the FOS half needs a JWT library, and must check alg
// (HS256 only), type ("access"), iss, aud and exp.
package client
