package leaving

import (
	"bytes"
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
	"github.com/google/uuid"

	"github.com/hello-world-co-op/handoff/internal/outage"
	"github.com/hello-world-co-op/handoff/internal/privacy"
)

// The two addresses of the message.
const (
	EndPath   = "/api/v1/auth/handoffs/end" // at the FOS half
	EndedPath = "/api/auth/ended-handoffs"  // at the DAO half; below /handoffs everything is an id
)

// Peer tells a half elsewhere, over HTTP.
type Peer struct {
	endpoint string
	bearer   privacy.Secret
	client   *http.Client
}

// maxAnswer bounds what a confused peer can make us read. The answer that counts has no
// body at all.
const maxAnswer = 16 << 10

// NewPeer makes a teller of the half at baseURL; path is one of the two. Close its idle
// connections with CloseIdle.
func NewPeer(baseURL, path string, serviceToken privacy.Secret) *Peer {
	return &Peer{
		endpoint: strings.TrimSuffix(baseURL, "/") + path, bearer: serviceToken,
		client: &http.Client{
			Transport: &http.Transport{
				// No proxy from the environment: the bearer goes to the peer alone.
				Proxy:               nil,
				MaxIdleConnsPerHost: 1, MaxConnsPerHost: 2, IdleConnTimeout: 90 * time.Second,
				TLSHandshakeTimeout: tellTime, MaxResponseHeaderBytes: maxAnswer,
			},
			// A redirect would carry the bearer to wherever it points.
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}
}

// CloseIdle closes the connections that no request uses.
func (p *Peer) CloseIdle() { p.client.CloseIdleConnections() }

// Tell implements [Teller]. Only 204 is heard: a front end that answers 200 to everything
// may stand where the address points.
func (p *Peer) Tell(ctx context.Context, ended []uuid.UUID) error {
	var body Body
	for _, id := range ended {
		body.HandoffIDs = append(body.HandoffIDs, id.String())
	}
	text, err := json.Marshal(body)
	if err != nil {
		return fmt.Errorf("leaving: encode: %w", err)
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, p.endpoint, bytes.NewReader(text))
	if err != nil {
		return fmt.Errorf("leaving: make request: %w", err)
	}
	request.Header.Set("Authorization", "Bearer "+p.bearer.Reveal())
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Accept", "application/problem+json")
	request.Header.Set("User-Agent", "handoff")
	response, err := p.client.Do(request)
	if err != nil {
		return outage.New("peer", inOwnWords(err))
	}
	defer func() { _ = response.Body.Close() }()
	_, _ = io.Copy(io.Discard, io.LimitReader(response.Body, maxAnswer)) // so that the connection can be used again
	if response.StatusCode != http.StatusNoContent {
		return outage.New("peer", fmt.Errorf("answered %d", response.StatusCode))
	}
	return nil
}

var errBrokeOff = errors.New("the connection broke off, or what came was not HTTP")

// inOwnWords says why there was no answer. The texts of net/http are dropped: they quote
// what could not be read, and whatever sits in the peer's place may send back our bearer
// (I6).
func inOwnWords(err error) error {
	for _, ended := range []error{context.DeadlineExceeded, context.Canceled, http.ErrSchemeMismatch} {
		if errors.Is(err, ended) {
			return ended
		}
	}
	var dial *net.OpError
	var certificate *tls.CertificateVerificationError
	if errors.As(err, &dial) && dial.Op == "dial" {
		return dial
	}
	if errors.As(err, &certificate) {
		return certificate
	}
	return errBrokeOff
}
