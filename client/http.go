package client

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// connection is how both kinds of client speak.
type connection struct {
	base string
	http *http.Client
	wait func(ctx context.Context, d time.Duration) error
}

// maxAnswer bounds in bytes what is read of an answer.
const maxAnswer = 64 << 10

// Options are what a program may replace. The zero value is good.
type Options struct {
	// Transport sends the requests; nil: one of its own, without a proxy from the
	// environment, since what is sent is worth stealing.
	Transport http.RoundTripper
	// Wait waits before a repetition, for d or until ctx ends; nil: it does.
	Wait func(ctx context.Context, d time.Duration) error
}

func newConnection(base string, o Options) connection {
	if o.Transport == nil {
		o.Transport = &http.Transport{MaxIdleConnsPerHost: 16, IdleConnTimeout: 90 * time.Second, TLSHandshakeTimeout: 5 * time.Second}
	}
	if o.Wait == nil {
		o.Wait = wait
	}
	return connection{base: strings.TrimSuffix(base, "/"), wait: o.Wait, http: &http.Client{
		Transport: o.Transport,
		// The service never redirects. Followed, it would carry the credentials along.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

func wait(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}

// request is one call. Into is where a good answer goes, nil for none.
type request struct {
	method, path string
	headers      map[string]string
	body, into   any
}

// once sends r and reads the answer. Its error is an *Error.
func (c connection) once(ctx context.Context, r request) error {
	var body io.Reader
	if r.body != nil {
		text, err := json.Marshal(r.body)
		if err != nil {
			return err
		}
		body = bytes.NewReader(text)
	}
	sending, err := http.NewRequestWithContext(ctx, r.method, c.base+r.path, body)
	if err != nil {
		return err
	}
	// net/http would repeat by itself what has an Idempotency-Key, as often as it likes.
	sending.GetBody = nil
	if r.body != nil {
		sending.Header.Set("Content-Type", "application/json")
	}
	for name, value := range r.headers {
		sending.Header.Set(name, value)
	}
	answer, err := c.http.Do(sending)
	if err != nil {
		return noAnswer(ctx)
	}
	defer func() { _ = answer.Body.Close() }()
	text, err := io.ReadAll(io.LimitReader(answer.Body, maxAnswer))
	if err != nil {
		return noAnswer(ctx)
	}
	return understand(answer, text, r.into)
}

var errBrokeOff = errors.New("the connection broke off, or there was none")

// noAnswer drops net/http's own words, which quote what could not be read and the address.
func noAnswer(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return &Error{Code: NoAnswer, cause: err}
	}
	return &Error{Code: NoAnswer, cause: errBrokeOff}
}

var errNotOurs = errors.New("what answered is not the hand-off service")

func understand(answer *http.Response, text []byte, into any) error {
	media, _, _ := mime.ParseMediaType(answer.Header.Get("Content-Type"))
	switch {
	case answer.StatusCode == http.StatusNoContent && into == nil:
		return nil
	case answer.StatusCode == http.StatusOK && into != nil && media == "application/json":
		if err := json.Unmarshal(text, into); err == nil {
			return nil
		}
	case answer.StatusCode >= http.StatusBadRequest && media == "application/problem+json":
		var problem struct {
			Code, Detail string
			RequestID    string `json:"request_id"`
			HandoffID    string `json:"handoff_id"`
			Errors       []Field
		}
		if err := json.Unmarshal(text, &problem); err == nil && problem.Code != "" {
			seconds, _ := strconv.Atoi(answer.Header.Get("Retry-After"))
			return &Error{
				Code: Code(problem.Code), Status: answer.StatusCode, Detail: problem.Detail, RequestID: problem.RequestID,
				HandoffID: problem.HandoffID, Fields: problem.Errors, RetryAfter: time.Duration(max(seconds, 0)) * time.Second,
			}
		}
	}
	return &Error{Code: NoAnswer, cause: errNotOurs}
}

const (
	// tries is how often something is asked at most.
	tries = 3
	// pause is before a repetition where the service does not name one.
	pause = 250 * time.Millisecond
	// window is for how long a repetition makes sense: an Idempotency-Key is good for ten
	// seconds after the token was redeemed.
	window = 8 * time.Second
)

// repeated sends r until there is an answer, or a refusal. It must be one that may be repeated.
func (c connection) repeated(ctx context.Context, r request) error {
	ctx, cancel := context.WithTimeout(ctx, window)
	defer cancel()
	for try := 1; ; try++ {
		err := c.once(ctx, r)
		var problem *Error
		if err == nil || !errors.As(err, &problem) || try == tries || ctx.Err() != nil {
			return err
		}
		if problem.Code != NoAnswer && problem.Code != DependencyUnavailable {
			return err
		}
		if c.wait(ctx, max(problem.RetryAfter, pause)) != nil {
			return err
		}
	}
}
