package httpapi_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/labstack/echo/v4"

	"github.com/hello-world-co-op/handoff/internal/handoff"
	"github.com/hello-world-co-op/handoff/internal/httpapi"
	"github.com/hello-world-co-op/handoff/internal/member"
	"github.com/hello-world-co-op/handoff/internal/outage"
	"github.com/hello-world-co-op/handoff/internal/session"
	"github.com/hello-world-co-op/handoff/internal/token"
	"github.com/hello-world-co-op/handoff/internal/user"
	"github.com/hello-world-co-op/handoff/password"
)

var journey = uuid.MustParse("0190a000-0000-7000-8000-000000000001")

// thrown is an error that a handler returns, and what the protocol's section 3
// says of it.
type thrown struct {
	name   string
	err    error
	status int
	code   string
	more   string // the extra members and headers, sorted
}

// section3 is the protocol's table, and what is wrapped in what on the way up.
func section3() []thrown {
	down := outage.New("redis", errors.New("dial tcp 10.0.0.1:6379: refused"))
	return []thrown{
		{"not found", echo.ErrNotFound, 404, "not_found", ""},
		{"somebody else's", httpapi.ErrForbidden, 404, "not_found", ""},
		{"method", echo.ErrMethodNotAllowed, 405, "method_not_allowed", ""},
		{"headers", httpapi.ErrHeadersTooLarge, 431, "headers_too_large", ""},
		{"bad request", httpapi.ErrInvalidRequest, 400, "invalid_request", ""},
		{"a field", &handoff.FieldError{Field: "entry_product", Reason: "is unknown"}, 400, "invalid_request", "errors"},
		{"fields", &httpapi.InvalidRequest{Faults: []httpapi.FieldFault{{Field: "token", Reason: "is there twice"}}}, 400, "invalid_request", "errors"},
		{"media type", httpapi.ErrUnsupportedMedia, 415, "unsupported_media_type", ""},
		{"body", httpapi.ErrBodyTooLarge, 413, "body_too_large", ""},
		{"malformed", token.ErrMalformed, 400, "token_malformed", ""},
		{"unknown", &token.Refused{Cause: token.ErrUnknown}, 400, "token_unknown", ""},
		{"expired", &token.Refused{Cause: token.ErrExpired, HandoffID: journey}, 400, "token_expired", "handoff_id"},
		{"used", &token.Refused{Cause: token.ErrUsed, HandoffID: journey}, 400, "token_used", "handoff_id"},
		{"wrong target", &token.Refused{Cause: token.ErrWrongTarget, HandoffID: journey}, 400, "token_wrong_target", "handoff_id"},
		{"binding", &token.Refused{Cause: token.ErrBinding, HandoffID: journey}, 400, "token_binding_failed", "handoff_id"},
		{"link expired", &handoff.InvalidError{Reason: handoff.ReasonExpired, HandoffID: journey, Cause: token.ErrExpired}, 401, "handoff_invalid", "handoff_id reason=expired"},
		{"link used", &handoff.InvalidError{Reason: handoff.ReasonUsed, Cause: token.ErrUsed}, 401, "handoff_invalid", "reason=used"},
		{"link invalid", &handoff.InvalidError{Reason: handoff.ReasonInvalid, Cause: token.ErrUnknown}, 401, "handoff_invalid", "reason=invalid"},
		{"bearer", httpapi.ErrInvalidServiceToken, 401, "invalid_service_token", "WWW-Authenticate=Bearer"},
		{"disabled", handoff.ErrDisabled, 503, "exchange_disabled", ""},
		{"no session", member.ErrNoSession, 401, "session_required", ""},
		{"no user session", session.ErrInvalidToken, 401, "session_required", ""},
		{"session ended", member.ErrSessionRevoked, 401, "session_revoked", ""},
		{"user session ended", session.ErrEnded, 401, "session_revoked", ""},
		{"csrf", member.ErrCSRF, 403, "csrf_failed", ""},
		{"requested with", httpapi.ErrNoRequestedWith, 403, "csrf_failed", ""},
		{"origin", httpapi.ErrOriginNotAllowed, 403, "origin_not_allowed", ""},
		{"credentials", member.ErrInvalidCredentials, 401, "invalid_credentials", ""},
		{"unverified", &handoff.JourneyError{HandoffID: journey, Cause: member.ErrEmailUnverified}, 403, "email_unverified", "handoff_id"},
		{"inactive member", member.ErrInactive, 403, "account_inactive", ""},
		{"inactive user", &user.Refused{Cause: user.ErrInactive}, 403, "account_inactive", ""},
		{"conflict", &user.Refused{Cause: user.ErrConflict}, 409, "identity_conflict", ""},
		{"store down", down, 503, "dependency_unavailable", "Retry-After=1"},
		{"store down on a journey", &handoff.JourneyError{HandoffID: journey, Cause: fmt.Errorf("put: %w", down)}, 503, "dependency_unavailable", "Retry-After=1 handoff_id"},
		{"outage under a refusal", &handoff.InvalidError{Reason: handoff.ReasonInvalid, Cause: down}, 503, "dependency_unavailable", "Retry-After=1"},
		{"hashing full", fmt.Errorf("login: %w", password.ErrBusy), 503, "dependency_unavailable", "Retry-After=1"},
		{"too slow", context.DeadlineExceeded, 503, "dependency_unavailable", "Retry-After=1"},
		{"given up", context.Canceled, 503, "dependency_unavailable", "Retry-After=1"},
		{"a broken random source", token.ErrTaken, 500, "internal", ""},
		{"anything else", errors.New("pq: column \"secret\" of ada@example.org"), 500, "internal", ""},
		{"of echo's", echo.NewHTTPError(http.StatusTeapot, "ada@example.org"), 500, "internal", ""},
	}
}

// always are the members of every problem.
var always = []string{"code", "detail", "message", "request_id", "stage", "status", "success", "title", "type"}

func TestProblem_isTheProtocolsSection3(t *testing.T) {
	t.Parallel()
	for _, row := range section3() {
		e := serve(t, []httpapi.Route{{
			Method: http.MethodPost, Paths: []string{"/x"}, Stage: "mint", Handle: func(echo.Context) error { return row.err },
		}})
		got := e.send(http.MethodPost, "/x", "")
		if got.status != row.status || got.code() != row.code {
			t.Errorf("%s: %d %s, want %d %s", row.name, got.status, got.code(), row.status, row.code)
		}
		wantShape(t, row.name, got)
		if more := moreOf(got); more != row.more {
			t.Errorf("%s: besides there is %q, want %q", row.name, more, row.more)
		}
		for _, part := range []string{"ada@example.org", "secret", "10.0.0.1", "redis"} {
			if strings.Contains(got.raw, part) {
				t.Errorf("%s: the answer tells %q: %s", row.name, part, got.raw)
			}
		}
	}
}

// wantShape checks what all problems have in common.
func wantShape(t *testing.T, name string, got reply) {
	t.Helper()
	if media := got.header.Get("Content-Type"); media != "application/problem+json" {
		t.Errorf("%s: Content-Type %s", name, media)
	}
	if got.header.Get("Cache-Control") != "no-store" {
		t.Errorf("%s: a problem that caches keep", name)
	}
	for _, member := range always {
		if _, there := got.body[member]; !there {
			t.Errorf("%s: no %s in %s", name, member, got.raw)
		}
	}
	b := got.body
	if b["success"] != false || b["message"] != b["detail"] || b["detail"] == "" || b["status"] != float64(got.status) ||
		b["title"] != http.StatusText(got.status) || b["type"] != "urn:handoff:problem:"+got.code() || b["stage"] != "mint" {
		t.Errorf("%s: %s", name, got.raw)
	}
	if id := got.header.Get("X-Request-ID"); id == "" || b["request_id"] != id {
		t.Errorf("%s: request_id %v, X-Request-ID %s", name, b["request_id"], id)
	}
}

// moreOf lists what a problem has beyond the members of every one.
func moreOf(got reply) string {
	var more []string
	for name := range maps.Keys(got.body) {
		switch {
		case slices.Contains(always, name):
		case name == "handoff_id" && got.body[name] == journey.String(), name == "errors":
			more = append(more, name)
		default:
			more = append(more, fmt.Sprintf("%s=%v", name, got.body[name]))
		}
	}
	for _, name := range []string{"Retry-After", "WWW-Authenticate", "Allow"} {
		if value := got.header.Get(name); value != "" {
			more = append(more, name+"="+value)
		}
	}
	slices.Sort(more)
	return strings.Join(more, " ")
}

// The cause of what is ours is in the log once, under the request id; what is the
// client's doing is not an error of ours.
func TestProblem_ourFaultsAreLoggedOnceAndTheClientsAreNot(t *testing.T) {
	t.Parallel()
	for _, row := range section3() {
		e := serve(t, []httpapi.Route{route(http.MethodPost, "/x", func(echo.Context) error { return row.err })})
		got := e.send(http.MethodPost, "/x", "")
		failed, ours := e.lines("request failed"), row.code == "internal" || row.code == "dependency_unavailable"
		if errors.Is(row.err, context.Canceled) {
			ours = false // the client left; there is nothing to mend
		}
		switch {
		case ours && len(failed) != 1:
			t.Errorf("%s: %d lines say what failed", row.name, len(failed))
		case ours && (failed[0]["request_id"] != got.header.Get("X-Request-ID") || failed[0]["error"] != row.err.Error()):
			t.Errorf("%s: the line is %v", row.name, failed[0])
		case !ours && len(failed) != 0:
			t.Errorf("%s: logged as ours: %v", row.name, failed)
		}
		requests := e.lines("request")
		if len(requests) != 1 || requests[0]["code"] != row.code || requests[0]["status"] != float64(row.status) {
			t.Errorf("%s: access log %v", row.name, requests)
		}
	}
}
