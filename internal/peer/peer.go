package peer

import (
	"bytes"
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/hello-world-co-op/handoff/internal/privacy"
)

// Client posts to the half at one address. It is safe for concurrent use.
type Client struct {
	base   string
	bearer privacy.Secret
	http   *http.Client
	// Watch is set before the first post; nil: nobody watches.
	Watch Watch
}

// Watch sees what is posted. It is told of a message before it is sent, by the address that
// it is for, and may return another context and headers for it, and a function to be called
// with how it ended: nil where the other half has answered, whatever it said.
type Watch func(ctx context.Context, path string, header http.Header) (context.Context, func(err error))

// Config is what a Client needs. Connections is how many it opens at most; it keeps half
// of them while nothing is posted.
type Config struct {
	BaseURL      string
	ServiceToken privacy.Secret
	Connections  int
	Watch        Watch // [Client.Watch]
}

// maxAnswer bounds in bytes what a confused peer can make us read, headers and body
// alike (I13).
const maxAnswer = 64 << 10

// New makes a client. Close its idle connections with CloseIdle.
func New(config Config) *Client {
	return &Client{
		base: strings.TrimSuffix(config.BaseURL, "/"), bearer: config.ServiceToken, Watch: config.Watch,
		http: &http.Client{
			Transport: &http.Transport{
				// No proxy from the environment: the bearer goes to the peer alone.
				Proxy:                  nil,
				MaxConnsPerHost:        config.Connections,
				MaxIdleConnsPerHost:    config.Connections / 2,
				IdleConnTimeout:        90 * time.Second,
				MaxResponseHeaderBytes: maxAnswer,
			},
			// A redirect would carry message and bearer to wherever it points.
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}
}

// CloseIdle closes the connections that no request uses.
func (c *Client) CloseIdle() { c.http.CloseIdleConnections() }

// Message is what is posted: Body as JSON to Path. IdempotencyKey is sent unless it is "".
type Message struct {
	Path           string
	Body           any
	IdempotencyKey string
}

// Answer is what came back, no more than 64 KiB of it.
type Answer struct {
	Status      int
	ContentType string
	Body        []byte
}

// Post sends m once and reads the answer. Its error is net/http's; take it through
// [InOwnWords] before it goes anywhere.
func (c *Client) Post(ctx context.Context, m Message) (Answer, error) {
	text, err := json.Marshal(m.Body)
	if err != nil {
		return Answer{}, fmt.Errorf("peer: encode: %w", err)
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, c.base+m.Path, bytes.NewReader(text))
	if err != nil {
		return Answer{}, fmt.Errorf("peer: make request: %w", err)
	}
	// Without it net/http cannot send a request again that has left: it would do so
	// by itself, as often as it likes, because of the Idempotency-Key.
	request.GetBody = nil
	request.Header.Set("Authorization", "Bearer "+c.bearer.Reveal())
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Accept", "application/json, application/problem+json")
	request.Header.Set("User-Agent", "handoff")
	if m.IdempotencyKey != "" {
		request.Header.Set("Idempotency-Key", m.IdempotencyKey)
	}
	end := func(error) {}
	if c.Watch != nil {
		ctx, end = c.Watch(ctx, m.Path, request.Header)
	}
	answer, err := c.send(request.WithContext(ctx))
	end(err)
	return answer, err
}

func (c *Client) send(request *http.Request) (Answer, error) {
	response, err := c.http.Do(request)
	if err != nil {
		return Answer{}, err
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer))
	return Answer{Status: response.StatusCode, ContentType: response.Header.Get("Content-Type"), Body: body}, err
}

var errBrokeOff = errors.New("the connection broke off, or what came was not HTTP")

// InOwnWords says why there was no answer. The texts of net/http are dropped: they
// quote what could not be read, and the address that a redirect named.
func InOwnWords(err error) error {
	for _, ended := range []error{context.DeadlineExceeded, context.Canceled} {
		if errors.Is(err, ended) {
			return ended
		}
	}
	return cmp.Or(BeforeAWord(err), errBrokeOff)
}

// BeforeAWord is the part of err that says that the peer has not heard a word of ours,
// which can quote none; nil if it may have.
func BeforeAWord(err error) error {
	var dial *net.OpError
	var certificate *tls.CertificateVerificationError
	switch {
	case errors.As(err, &dial) && dial.Op == "dial":
		return dial
	case errors.As(err, &certificate):
		return certificate
	case errors.Is(err, http.ErrSchemeMismatch):
		return http.ErrSchemeMismatch
	}
	return nil
}
