package httpapi

import (
	"context"
	"errors"
	"net/http"
	"strconv"

	"github.com/google/uuid"
	"github.com/labstack/echo/v4"

	"github.com/hello-world-co-op/handoff/internal/handoff"
	"github.com/hello-world-co-op/handoff/internal/leaving"
	"github.com/hello-world-co-op/handoff/internal/member"
	"github.com/hello-world-co-op/handoff/internal/outage"
	"github.com/hello-world-co-op/handoff/internal/ratelimit"
	"github.com/hello-world-co-op/handoff/internal/session"
	"github.com/hello-world-co-op/handoff/internal/signin"
	"github.com/hello-world-co-op/handoff/internal/token"
	"github.com/hello-world-co-op/handoff/internal/user"
	"github.com/hello-world-co-op/handoff/password"
)

// Problem is an answer that says what went wrong: RFC 9457 with the protocol's
// extra members. Message repeats Detail for older clients.
type Problem struct {
	Type      string       `json:"type"`
	Title     string       `json:"title"`
	Status    int          `json:"status"`
	Detail    string       `json:"detail"`
	Code      string       `json:"code"`
	Message   string       `json:"message"`
	Success   bool         `json:"success"`
	RequestID string       `json:"request_id"`
	HandoffID *uuid.UUID   `json:"handoff_id,omitempty"`
	Stage     string       `json:"stage,omitempty"`
	Reason    string       `json:"reason,omitempty"`
	Errors    []FieldFault `json:"errors,omitempty"`

	retryAfter   string
	authenticate string
	exceeded     *ratelimit.Exceeded
}

// FieldFault names a field that is not what the endpoint takes, never its value.
type FieldFault struct {
	Field  string `json:"field"`
	Reason string `json:"reason"`
}

// The edge's own errors.
var (
	ErrInvalidRequest      = errors.New("request is not what the endpoint takes")
	ErrUnsupportedMedia    = errors.New("content type is not application/json")
	ErrBodyTooLarge        = errors.New("body is larger than 8 KiB")
	ErrHeadersTooLarge     = errors.New("headers are too large")
	ErrInvalidServiceToken = errors.New("bearer is not a service token")
	ErrOriginNotAllowed    = errors.New("origin is not allowed")
	ErrNoRequestedWith     = errors.New("X-Requested-With is missing")
	ErrForbidden           = errors.New("not for this account")
	ErrUntrustedProxy      = errors.New("peer is not a trusted proxy")
)

// InvalidRequest is ErrInvalidRequest with the fields that are wrong.
type InvalidRequest struct{ Faults []FieldFault }

func (*InvalidRequest) Error() string { return ErrInvalidRequest.Error() }

// Unwrap gives ErrInvalidRequest.
func (*InvalidRequest) Unwrap() error { return ErrInvalidRequest }

// table is the protocol's section 3. The first row that an error matches is its
// problem. A test walks the sentinels of every package and fails if one is
// missing here.
var table = []struct {
	is     error
	status int
	code   string
	detail string
}{
	{echo.ErrNotFound, http.StatusNotFound, "not_found", "There is nothing at this address."},
	{echo.ErrMethodNotAllowed, http.StatusMethodNotAllowed, "method_not_allowed", "This address does not take that method; see the Allow header."},
	{ErrHeadersTooLarge, http.StatusRequestHeaderFieldsTooLarge, "headers_too_large", "The request's headers are larger than 16 KiB."},
	{ErrInvalidRequest, http.StatusBadRequest, "invalid_request", "The request is not what this endpoint takes; see errors."},
	{ErrUnsupportedMedia, http.StatusUnsupportedMediaType, "unsupported_media_type", "Send the body as application/json."},
	{ErrBodyTooLarge, http.StatusRequestEntityTooLarge, "body_too_large", "The body is larger than 8 KiB."},

	{handoff.ErrDisabled, http.StatusServiceUnavailable, "exchange_disabled", "Hand-offs are switched off here: no service token is configured."},
	// Before the bearer's own: who is told to wait is not told that they were wrong.
	{ratelimit.ErrExceeded, http.StatusTooManyRequests, "rate_limited", "Too many tries. Wait as long as Retry-After says."},
	{ErrInvalidServiceToken, http.StatusUnauthorized, "invalid_service_token", "Send a valid service token as Authorization: Bearer."},

	{token.ErrMalformed, http.StatusBadRequest, "token_malformed", "The token must be 64 lowercase hexadecimal characters."},
	{token.ErrUnknown, http.StatusBadRequest, "token_unknown", "The token is not known."},
	{token.ErrExpired, http.StatusBadRequest, "token_expired", "The token is older than 60 seconds."},
	{token.ErrUsed, http.StatusBadRequest, "token_used", "The token has been used before."},
	{token.ErrWrongTarget, http.StatusBadRequest, "token_wrong_target", "The token was made for another target and has been destroyed."},
	{token.ErrBinding, http.StatusBadRequest, "token_binding_failed", "The verifier does not fit the token's challenge."},

	{member.ErrNoSession, http.StatusUnauthorized, "session_required", "Sign in first."},
	{member.ErrSessionRevoked, http.StatusUnauthorized, "session_revoked", "This session was ended. Sign in again."},
	{session.ErrInvalidToken, http.StatusUnauthorized, "session_required", "Sign in first."},
	{session.ErrEnded, http.StatusUnauthorized, "session_revoked", "This session was ended. Sign in again."},
	{member.ErrCSRF, http.StatusForbidden, "csrf_failed", "Fetch a csrf token and send it as cookie and as X-CSRF-Token."},
	{ErrNoRequestedWith, http.StatusForbidden, "csrf_failed", "Send the header X-Requested-With."},
	{ErrOriginNotAllowed, http.StatusForbidden, "origin_not_allowed", "Requests from this origin are not taken."},
	{ErrUntrustedProxy, http.StatusForbidden, "proxy_not_trusted", "Only the proxies of TRUSTED_PROXIES may ask here."},
	{leaving.ErrNotYours, http.StatusNotFound, "not_found", "There is nothing at this address."},
	{signin.ErrNotYours, http.StatusNotFound, "not_found", "There is nothing at this address."},
	{handoff.ErrNotAsked, http.StatusNotFound, "not_found", "There is nothing at this address."},
	{ErrForbidden, http.StatusNotFound, "not_found", "There is nothing at this address."},

	{member.ErrSignInTooOld, http.StatusUnauthorized, "login_required", "You signed in too long ago for this. Sign in again."},
	{member.ErrInvalidCredentials, http.StatusUnauthorized, "invalid_credentials", "Email or password is wrong."},
	{member.ErrEmailUnverified, http.StatusForbidden, "email_unverified", "Verify your email address first."},
	{member.ErrInactive, http.StatusForbidden, "account_inactive", "This account is not active."},
	{user.ErrInvalidCredentials, http.StatusUnauthorized, "invalid_credentials", "Email or password is wrong."},
	{user.ErrEmailUnverified, http.StatusForbidden, "email_unverified", "Verify your email address first."},
	{user.ErrSecondFactor, http.StatusForbidden, "second_factor_required", "This account has a second factor, which cannot be given here."},
	{user.ErrInactive, http.StatusForbidden, "account_inactive", "This account is not active."},
	{user.ErrConflict, http.StatusConflict, "identity_conflict", "This identity belongs to another account. Sign in to that account, or ask support to join them."},

	{ErrOverloaded, http.StatusServiceUnavailable, "dependency_unavailable", "Too much is going on at this moment. Try again."},
	{password.ErrBusy, http.StatusServiceUnavailable, "dependency_unavailable", "Too many people are signing in at this moment. Try again."},
	{context.DeadlineExceeded, http.StatusServiceUnavailable, "dependency_unavailable", "The service cannot answer at this moment. Try again."},
	{context.Canceled, http.StatusServiceUnavailable, "dependency_unavailable", "The request was given up."},
}

// problemOf is the one place where an error becomes an answer. It reports
// whether the cause is the service's own and belongs in the log.
func problemOf(err error) (p Problem, ours bool) {
	p = Problem{Status: http.StatusInternalServerError, Code: "internal", Detail: "Something went wrong on our side. Quote the request id to support."}
	ours = true

	var invalid *handoff.InvalidError
	var field *handoff.FieldError
	var down *outage.Error
	switch {
	case errors.As(err, &down):
		p.Status, p.Code = http.StatusServiceUnavailable, "dependency_unavailable"
		p.Detail = "The service cannot answer at this moment. Try again."
	case errors.As(err, &invalid):
		p.Status, p.Code, p.Reason, ours = http.StatusUnauthorized, "handoff_invalid", invalid.Reason, false
		p.Detail = handoffInvalid[invalid.Reason]
	case errors.As(err, &field):
		p.Status, p.Code, ours = http.StatusBadRequest, "invalid_request", false
		p.Detail, p.Errors = "The request is not what this endpoint takes; see errors.", []FieldFault{{field.Field, field.Reason}}
	default:
		for _, row := range table {
			if errors.Is(err, row.is) {
				p.Status, p.Code, p.Detail = row.status, row.code, row.detail
				ours = row.code == "dependency_unavailable"
				break
			}
		}
	}
	return p.complete(err), ours
}

var handoffInvalid = map[string]string{
	handoff.ReasonExpired: "This link is older than 60 seconds. Go back and open it again.",
	handoff.ReasonUsed:    "This link has been used before. Go back and open it again.",
	handoff.ReasonInvalid: "This link is not valid. Go back and open it again.",
	handoff.ReasonUnbound: "This link is not of a journey that began in this browser. Begin here.",
}

// complete fills in what follows from the rest, and the journey's id where the
// error knows it.
func (p Problem) complete(err error) Problem {
	p.Type, p.Title, p.Message = "urn:handoff:problem:"+p.Code, http.StatusText(p.Status), p.Detail
	var faults *InvalidRequest
	if errors.As(err, &faults) {
		p.Errors = faults.Faults
	}
	var journey interface{ Journey() uuid.UUID }
	if errors.As(err, &journey) && journey.Journey() != uuid.Nil {
		id := journey.Journey()
		p.HandoffID = &id
	}
	if p.Code == "dependency_unavailable" { // "exchange_disabled" does not pass by itself
		p.retryAfter = "1"
	}
	if errors.As(err, &p.exceeded) {
		p.retryAfter = strconv.Itoa(p.exceeded.RetryAfterSeconds())
	}
	if p.Code == "invalid_service_token" {
		p.authenticate = "Bearer"
	}
	return p
}
