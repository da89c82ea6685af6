package member

import "errors"

// The ways in which a member cannot go on.
var (
	// ErrNoSession: no cookie, or one that no live session has.
	ErrNoSession = errors.New("no live session")
	// ErrSessionRevoked: the session was there and has been ended.
	ErrSessionRevoked = errors.New("the session was ended")
	// ErrCSRF: the request does not prove that a page of ours sent it.
	ErrCSRF = errors.New("csrf value is missing or wrong")
	// ErrEmailUnverified: the member has not proved their address.
	ErrEmailUnverified = errors.New("email address is not verified")
	// ErrInactive: the membership is not active.
	ErrInactive = errors.New("membership is not active")
	// ErrSignInTooOld: the member signed in longer ago than the caller takes.
	ErrSignInTooOld = errors.New("signed in too long ago")
	// ErrInvalidCredentials: unknown account, wrong password or none set. Which of
	// them, nobody is told.
	ErrInvalidCredentials = errors.New("wrong email or password")
)
