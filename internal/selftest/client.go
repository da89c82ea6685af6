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
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
)

// requestTimeout is above the service's own 3 s.
const requestTimeout = 5 * time.Second

// newBrowser has cookies of its own, as a browser has.
func newBrowser() (*http.Client, error) {
	jar, err := cookiejar.New(nil)
	if err != nil {
		return nil, fmt.Errorf("selftest: cookie jar: %w", err)
	}
	return &http.Client{
		Jar: jar, Timeout: requestTimeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}, nil
}

type request struct {
	method, url string
	headers     map[string]string
	body        any
	// want are the statuses that are well.
	want []int
}

// heard is an answer that was well.
type heard struct {
	status   int
	location string
}

// maxAnswer bounds what is read of an answer, in bytes.
const maxAnswer = 64 << 10

func call(ctx context.Context, as *http.Client, q request, into any) (heard, error) {
	var body io.Reader
	if q.body != nil {
		text, err := json.Marshal(q.body)
		if err != nil {
			return heard{}, fmt.Errorf("encode: %w", err)
		}
		body = bytes.NewReader(text)
	}
	call, err := http.NewRequestWithContext(ctx, q.method, q.url, body)
	if err != nil {
		return heard{}, fmt.Errorf("make the request: %w", err)
	}
	if q.body != nil {
		call.Header.Set("Content-Type", "application/json")
	}
	for name, value := range q.headers {
		call.Header.Set(name, value)
	}
	answer, err := as.Do(call)
	if err != nil {
		return heard{}, fmt.Errorf("no answer: %w", inOwnWords(err))
	}
	defer func() { _ = answer.Body.Close() }()
	text, err := io.ReadAll(io.LimitReader(answer.Body, maxAnswer))
	if err != nil {
		return heard{}, fmt.Errorf("read the answer: %w", inOwnWords(err))
	}
	if !slices.Contains(q.want, answer.StatusCode) {
		return heard{}, unexpected(answer, text)
	}
	was := heard{answer.StatusCode, answer.Header.Get("Location")}
	if into == nil || len(text) == 0 {
		return was, nil
	}
	if err := json.Unmarshal(text, into, json.MatchCaseInsensitiveNames(true)); err != nil {
		return heard{}, errors.New("the answer is not the JSON that was expected")
	}
	return was, nil
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
		Reason    string `json:"reason"`
		RequestID string `json:"request_id"`
	}
	if strings.HasPrefix(answer.Header.Get("Content-Type"), "application/problem+json") && json.Unmarshal(text, &problem) == nil {
		code := word(problem.Code)
		if problem.Reason != "" {
			code += " (" + word(problem.Reason) + ")"
		}
		return fmt.Errorf("status %d, code %s, request id %s", answer.StatusCode, code, word(problem.RequestID))
	}
	return fmt.Errorf("status %d", answer.StatusCode)
}

// wordShape is that of ids, codes and roles. A token is longer, an address has an "@".
var wordShape = regexp.MustCompile(`^[A-Za-z0-9_.:-]{0,40}$`)

// word is what an answer has where an id, a code or a role is expected, if it is one. Who
// answers may be anything that has our address: it could have us print the words that we sent
// it, lines that look like our own, or what terminals obey.
func word(said string) string {
	if wordShape.MatchString(said) {
		return said
	}
	return "(not shown)"
}
