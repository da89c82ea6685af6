package client

import (
	"fmt"
	"time"
)

// Code is what the service says is wrong. A Code is an error, so that errors.Is compares
// with it. There may be ones that are younger than this package: go by the status then.
type Code string

// Error is the code.
func (c Code) Error() string { return "handoff: " + string(c) }

// The codes that a caller of this package may meet; docs/errors.json has all, with their texts.
const (
	InvalidRequest        Code = "invalid_request"
	InvalidServiceToken   Code = "invalid_service_token"
	ExchangeDisabled      Code = "exchange_disabled"
	TokenMalformed        Code = "token_malformed"
	TokenUnknown          Code = "token_unknown"
	TokenExpired          Code = "token_expired"
	TokenUsed             Code = "token_used"
	TokenWrongTarget      Code = "token_wrong_target" //nolint:gosec // G101: a name, no credential
	TokenBindingFailed    Code = "token_binding_failed"
	SessionRequired       Code = "session_required"
	SessionRevoked        Code = "session_revoked"
	LoginRequired         Code = "login_required"
	CSRFFailed            Code = "csrf_failed"
	OriginNotAllowed      Code = "origin_not_allowed"
	EmailUnverified       Code = "email_unverified"
	AccountInactive       Code = "account_inactive"
	RateLimited           Code = "rate_limited"
	DependencyUnavailable Code = "dependency_unavailable"
	Internal              Code = "internal"

	// NoAnswer is ours: the connection broke, or what came was not of this service.
	NoAnswer Code = "no_answer"
)

// Error is an answer that says what went wrong. It quotes nothing of what was sent.
type Error struct {
	Code   Code
	Status int // 0 with NoAnswer
	// Detail is for people, and may change.
	Detail string
	// RequestID leads to the line in the service's log.
	RequestID string
	// HandoffID names the journey, where it is known.
	HandoffID string
	Fields    []Field
	// RetryAfter is how long the service asks to wait; 0 if it does not.
	RetryAfter time.Duration

	cause error
}

// Field is one that is not what the endpoint takes, of InvalidRequest.
type Field struct {
	Field  string `json:"field"`
	Reason string `json:"reason"`
}

// Error names the code, and the id under which the service's log has more.
func (e *Error) Error() string {
	if e.Code == NoAnswer {
		return fmt.Sprintf("handoff: no answer: %v", e.cause)
	}
	return fmt.Sprintf("handoff: %d %s (request %s)", e.Status, e.Code, e.RequestID)
}

// Is reports whether target is this error's code.
func (e *Error) Is(target error) bool { return target == e.Code }

// Unwrap is what broke the connection, of NoAnswer; context.DeadlineExceeded among others.
func (e *Error) Unwrap() error { return e.cause }
