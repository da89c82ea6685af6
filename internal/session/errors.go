package session

import "errors"

var (
	// ErrInvalidToken: not a token that this service signed for this purpose and
	// that is good now. It says no more, to nobody: neither what was wrong nor a
	// piece of the token.
	ErrInvalidToken = errors.New("session token is not valid")
	// ErrEnded: the session was ended or has expired.
	ErrEnded = errors.New("session has ended")
	// ErrHandoffUsed: the hand-off opened a session already, and nothing shows that
	// this is the browser that it was opened for.
	ErrHandoffUsed = errors.New("hand-off has opened a session already")
	// ErrHandoffEnded: what the hand-off came from has ended, and with it the hand-off.
	ErrHandoffEnded = errors.New("hand-off ended with its source")
)
