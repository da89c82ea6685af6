package selftest

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"strings"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/hello-world-co-op/handoff/internal/privacy"
)

// Config says where the halves are and who signs in. URLs are base URLs without
// a trailing slash; FOSURL includes a gateway's prefix.
type Config struct {
	DAOURL, FOSURL string
	Email          string
	Password       privacy.Secret
	EntryProduct   string
}

// Step is one stage that went well, and how long it took.
type Step struct {
	Name   string
	Took   time.Duration
	Detail string
}

// requestTimeout is above the service's own 3 s.
const requestTimeout = 5 * time.Second

// Run performs the hand-off and reports each step as it is done. The error names
// the stage that failed and the problem's code; it holds no token, no email.
func Run(ctx context.Context, config Config, report func(Step)) error {
	jar, err := cookiejar.New(nil)
	if err != nil {
		return fmt.Errorf("selftest: cookie jar: %w", err)
	}
	run := &runner{config: config, client: &http.Client{
		Jar: jar, Timeout: requestTimeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
	defer run.client.CloseIdleConnections()
	for _, stage := range []struct {
		name string
		do   func(context.Context) (detail string, err error)
	}{
		{"sign in at the DAO half", run.signIn},
		{"fetch a csrf token", run.fetchCSRF},
		{"mint a token", run.mint},
		{"arrive at the FOS half", run.arrive},
		{"ask who is signed in", run.me},
		{"use the token again and be refused", run.replay},
		{"sign out of both halves", run.signOut},
	} {
		begun := time.Now()
		detail, err := stage.do(ctx)
		if err != nil {
			return fmt.Errorf("%s: %w", stage.name, err)
		}
		report(Step{Name: stage.name, Took: time.Since(begun), Detail: detail})
	}
	return nil
}

type runner struct {
	config    Config
	client    *http.Client
	csrf      string
	token     string
	handoffID string
	userID    string
}

func (r *runner) signIn(ctx context.Context) (string, error) {
	return "", r.call(ctx, request{
		method: http.MethodPost, url: r.config.DAOURL + "/api/auth/login", want: http.StatusOK,
		body: map[string]string{"email": r.config.Email, "password": r.config.Password.Reveal()},
	}, nil)
}

func (r *runner) fetchCSRF(ctx context.Context) (string, error) {
	var answer struct {
		Token string `json:"csrf_token"`
	}
	err := r.call(ctx, request{method: http.MethodGet, url: r.config.DAOURL + "/api/auth/csrf-token", want: http.StatusOK}, &answer)
	r.csrf = answer.Token
	return "", err
}

func (r *runner) mint(ctx context.Context) (string, error) {
	var answer struct {
		Token     string `json:"token"`
		HandoffID string `json:"handoff_id"`
	}
	err := r.call(ctx, request{
		method: http.MethodPost, url: r.config.DAOURL + "/api/staging_token/mint", want: http.StatusOK,
		headers: map[string]string{"X-CSRF-Token": r.csrf}, body: map[string]string{"entry_product": r.config.EntryProduct},
	}, &answer)
	r.token, r.handoffID = answer.Token, answer.HandoffID
	return "hand-off " + answer.HandoffID, err
}

func (r *runner) arrival(want int) request {
	return request{
		method: http.MethodPost, url: r.config.FOSURL + "/api/v1/auth/cross-domain-login", want: want,
		headers: requestedWith, body: map[string]string{"token": r.token},
	}
}

var requestedWith = map[string]string{"X-Requested-With": "selftest"}

type userAnswer struct {
	User struct {
		ID   string `json:"id"`
		Role string `json:"role"`
	} `json:"user"`
	HandoffID string `json:"handoff_id"`
}

func (r *runner) arrive(ctx context.Context) (string, error) {
	var answer userAnswer
	if err := r.call(ctx, r.arrival(http.StatusOK), &answer); err != nil {
		return "", err
	}
	if answer.HandoffID != r.handoffID {
		return "", errors.New("another hand-off arrived than was minted")
	}
	r.userID = answer.User.ID
	return "user " + answer.User.ID + " as " + answer.User.Role, nil
}

func (r *runner) me(ctx context.Context) (string, error) {
	var answer userAnswer
	err := r.call(ctx, request{method: http.MethodGet, url: r.config.FOSURL + "/api/v1/auth/me", want: http.StatusOK}, &answer)
	if err == nil && answer.User.ID != r.userID {
		err = errors.New("another user is signed in than arrived")
	}
	return "user " + answer.User.ID, err
}

func (r *runner) replay(ctx context.Context) (string, error) {
	var answer struct{ Code, Reason string }
	if err := r.call(ctx, r.arrival(http.StatusUnauthorized), &answer); err != nil {
		return "", err
	}
	if answer.Code != "handoff_invalid" || answer.Reason != "used" {
		return "", fmt.Errorf("refused with %s (%s), want handoff_invalid (used)", answer.Code, answer.Reason)
	}
	return answer.Code + " (" + answer.Reason + ")", nil
}

func (r *runner) signOut(ctx context.Context) (string, error) {
	err := r.call(ctx, request{
		method: http.MethodPost, url: r.config.FOSURL + "/api/v1/auth/logout", want: http.StatusNoContent, headers: requestedWith,
	}, nil)
	if err != nil {
		return "", err
	}
	return "", r.call(ctx, request{
		method: http.MethodPost, url: r.config.DAOURL + "/api/auth/logout", want: http.StatusOK,
		headers: map[string]string{"X-CSRF-Token": r.csrf},
	}, nil)
}

type request struct {
	method, url string
	headers     map[string]string
	body        any
	want        int
}

// maxAnswer bounds what is read of an answer, in bytes.
const maxAnswer = 64 << 10

func (r *runner) call(ctx context.Context, q request, into any) error {
	var body io.Reader
	if q.body != nil {
		text, err := json.Marshal(q.body)
		if err != nil {
			return fmt.Errorf("encode: %w", err)
		}
		body = bytes.NewReader(text)
	}
	call, err := http.NewRequestWithContext(ctx, q.method, q.url, body)
	if err != nil {
		return fmt.Errorf("make the request: %w", err)
	}
	if q.body != nil {
		call.Header.Set("Content-Type", "application/json")
	}
	for name, value := range q.headers {
		call.Header.Set(name, value)
	}
	answer, err := r.client.Do(call)
	if err != nil {
		return fmt.Errorf("no answer: %w", inOwnWords(err))
	}
	defer func() { _ = answer.Body.Close() }()
	text, err := io.ReadAll(io.LimitReader(answer.Body, maxAnswer))
	if err != nil {
		return fmt.Errorf("read the answer: %w", inOwnWords(err))
	}
	if answer.StatusCode != q.want {
		return unexpected(answer, text)
	}
	if into == nil || len(text) == 0 {
		return nil
	}
	if err := json.Unmarshal(text, into, json.MatchCaseInsensitiveNames(true)); err != nil {
		return errors.New("the answer is not the JSON that was expected")
	}
	return nil
}

// inOwnWords keeps of an error of net/http what was said before anything was sent,
// or by this machine: the rest may quote a server that echoes the request.
func inOwnWords(err error) error {
	var network *net.OpError
	var certificate *tls.CertificateVerificationError
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return context.DeadlineExceeded
	case errors.As(err, &network):
		return network
	case errors.As(err, &certificate):
		return certificate
	}
	return errors.New("the connection broke off, or what came was not HTTP")
}

func unexpected(answer *http.Response, text []byte) error {
	var problem struct {
		Code      string `json:"code"`
		RequestID string `json:"request_id"`
	}
	if strings.HasPrefix(answer.Header.Get("Content-Type"), "application/problem+json") && json.Unmarshal(text, &problem) == nil {
		return fmt.Errorf("status %d, code %s, request id %s", answer.StatusCode, problem.Code, problem.RequestID)
	}
	return fmt.Errorf("status %d", answer.StatusCode)
}
