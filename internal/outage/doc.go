// Package outage knows what a driver's error means: that a store cannot answer
// now ([Error], worth trying again), or that this program made a mistake.
//
// Adapters pass every driver error that they do not understand themselves (no
// row, a unique violation) through [Postgres] or [Redis]. At the edge one rule
// turns an Error into 503 with Retry-After; anything else is an opaque 500.
//
// The package never retries and never decides whether a statement took effect:
// after an outage in a COMMIT nobody knows, and the caller has to ask.
package outage
