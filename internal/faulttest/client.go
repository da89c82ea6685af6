package faulttest

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2" //nolint:depguard // addresses of nobody
	"net/http"
	"time"

	"github.com/google/uuid"

	"github.com/hello-world-co-op/handoff/internal/testkit"
)

// Patience is how long a [Client] waits for an answer. The service promises one within
// 3 s; the rest is for a busy machine.
const Patience = 5 * time.Second

// Client speaks to the service for many people at once. It repeats nothing: every
// call is one request. It is safe for concurrent use.
type Client struct{ http *http.Client }

// NewClient keeps up to conns connections to each server open. Close it.
func NewClient(conns int) *Client {
	return &Client{&http.Client{
		Transport:     &http.Transport{MaxIdleConnsPerHost: conns, DisableCompression: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// Close closes the connections that no request uses.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// Answer is what came back of one call.
type Answer struct {
	// Err is why there is no answer; whether the call took effect is not known.
	Err        error
	Status     int
	RetryAfter string
	Took       time.Duration
	RequestID  string         // as it is in the audit log
	Cookies    []*http.Cookie // that it sets

	Code, Reason string    // of a problem
	Token        string    // of a mint
	HandoffID    uuid.UUID // wherever it is told
	Session      uuid.UUID // of an arrival
}

// OK reports whether the service said that it was done.
func (a Answer) OK() bool { return a.Err == nil && a.Status == http.StatusOK }

// Refused reports whether the service said that it was not done, and will not be:
// any 4xx.
func (a Answer) Refused() bool { return a.Err == nil && a.Status >= 400 && a.Status < 500 }

// Unknown reports whether the caller cannot know what became of the call: no answer,
// or a 5xx.
func (a Answer) Unknown() bool { return !a.OK() && !a.Refused() }

func (a Answer) String() string {
	if a.Err != nil {
		return fmt.Sprintf("no answer after %v: %v", a.Took.Round(time.Millisecond), a.Err)
	}
	return fmt.Sprintf("%d %s %s after %v", a.Status, a.Code, a.Reason, a.Took.Round(time.Millisecond))
}

// Mint asks the DAO half at daoURL for a token.
func (c *Client) Mint(ctx context.Context, daoURL string, who Person) Answer {
	return c.Post(ctx, daoURL+"/api/staging_token/mint", `{"entry_product":"think-tank"}`, who.Headers())
}

// Exchange presents a token to the DAO half at daoURL as the other half does; key is
// the Idempotency-Key, "" for none.
func (c *Client) Exchange(ctx context.Context, daoURL, token, key string) Answer {
	return c.ExchangeFor(ctx, daoURL, token, key, testkit.Target)
}

// ExchangeFor is Exchange for any target.
func (c *Client) ExchangeFor(ctx context.Context, daoURL, token, key, target string) Answer {
	return c.Post(ctx, daoURL+"/api/staging_token/exchange", `{"token":"`+token+`","target_domain":"`+target+`"}`, map[string]string{
		"Authorization": "Bearer " + testkit.ServiceToken, "Idempotency-Key": key,
	})
}

// Arrive presents a token to the FOS half at fosURL as the landing page does; key is
// the arrival key, "" for none.
func (c *Client) Arrive(ctx context.Context, fosURL, token, key string) Answer {
	return c.Post(ctx, fosURL+"/api/v1/auth/cross-domain-login", `{"token":"`+token+`"}`, map[string]string{
		"X-Requested-With": "faulttest", "Idempotency-Key": key,
	})
}

// Ready asks one half whether it is: 200, or 503 naming what is down.
func (c *Client) Ready(ctx context.Context, url string) Answer {
	return c.do(ctx, http.MethodGet, url+"/health", nil, nil)
}

// Post sends body, which is JSON, with headers; those that are "" are left out.
func (c *Client) Post(ctx context.Context, url, body string, headers map[string]string) Answer {
	return c.do(ctx, http.MethodPost, url, []byte(body), headers)
}

func (c *Client) do(ctx context.Context, method, url string, body []byte, headers map[string]string) (a Answer) {
	begun := time.Now()
	defer func() { a.Took = time.Since(begun) }()
	ctx, cancel := context.WithTimeout(ctx, Patience)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, method, url, bytes.NewReader(body))
	if err != nil {
		return Answer{Err: err}
	}
	// Without it net/http would send again by itself what a dead connection took.
	request.GetBody = nil
	request.Header.Set("Content-Type", "application/json")
	n := rand.Uint32() //nolint:gosec // anybody
	request.Header.Set("X-Forwarded-For", fmt.Sprintf("10.%d.%d.%d", n>>16&255, n>>8&255, n&255))
	for name, value := range headers {
		if value != "" {
			request.Header.Set(name, value)
		}
	}
	response, err := c.http.Do(request)
	if err != nil {
		return Answer{Err: err}
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		return Answer{Err: err}
	}
	return read(response, text)
}

func read(response *http.Response, text []byte) Answer {
	var said struct {
		Code, Reason, Token string
		HandoffID           uuid.UUID `json:"handoff_id"`
		Session             struct{ ID uuid.UUID }
	}
	_ = json.Unmarshal(text, &said) // what is not JSON says nothing
	return Answer{
		Status: response.StatusCode, RetryAfter: response.Header.Get("Retry-After"),
		RequestID: response.Header.Get("X-Request-ID"), Cookies: response.Cookies(),
		Code: said.Code, Reason: said.Reason, Token: said.Token, HandoffID: said.HandoffID, Session: said.Session.ID,
	}
}
