package handoff

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/hello-world-co-op/handoff/internal/outage"
	"github.com/hello-world-co-op/handoff/internal/privacy"
	"github.com/hello-world-co-op/handoff/internal/token"
)

// Peer exchanges with a DAO half elsewhere, over HTTP.
type Peer struct {
	endpoint       string
	bearer         privacy.Secret
	assumeVerified bool
	client         *http.Client
}

// PeerConfig is what a Peer needs. AssumeEmailVerified is for a peer that sends
// no such field and is known to verify.
type PeerConfig struct {
	BaseURL             string
	ServiceToken        privacy.Secret
	AssumeEmailVerified bool
}

const (
	// peerPath is the exchange's older name, which every peer has.
	peerPath = "/api/staging_token/exchange"
	// peerTimeout leaves the FOS half time to answer within its own 3 s.
	peerTimeout = 2 * time.Second
	// ExchangeWithin is how long an exchange over HTTP may take: no longer than a peer
	// of our own kind waits. A statement that sat in a stopped Postgres must not redeem
	// for a caller who has left already.
	ExchangeWithin = peerTimeout - 100*time.Millisecond
	// maxPeerAnswer bounds what a confused peer can make us read, headers and body
	// alike (I13).
	maxPeerAnswer = 64 << 10
)

// NewPeer makes an exchanger. Close its idle connections with CloseIdle.
func NewPeer(config PeerConfig) *Peer {
	transport := &http.Transport{
		// No proxy from the environment: the bearer goes to the peer alone.
		Proxy:               nil,
		MaxIdleConnsPerHost: 32,
		MaxConnsPerHost:     64,
		IdleConnTimeout:     90 * time.Second,
		TLSHandshakeTimeout: peerTimeout,

		MaxResponseHeaderBytes: maxPeerAnswer,
	}
	return &Peer{
		endpoint: strings.TrimSuffix(config.BaseURL, "/") + peerPath,
		bearer:   config.ServiceToken, assumeVerified: config.AssumeEmailVerified,
		client: &http.Client{
			Transport: transport,
			// A redirect would carry token and bearer to wherever it points.
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}
}

// CloseIdle closes the connections that no request uses.
func (p *Peer) CloseIdle() { p.client.CloseIdleConnections() }

// Exchange implements [Exchanger]. A lost connection is tried once more when
// there is an Idempotency-Key: the same attempt gets the same answer.
func (p *Peer) Exchange(ctx context.Context, presented Presentation) (token.Claims, error) {
	ctx, cancel := context.WithTimeout(ctx, peerTimeout)
	defer cancel()
	answer, err := p.post(ctx, presented)
	inDoubt := err != nil && beforeAWord(err) == nil // it may have redeemed
	if err != nil && presented.IdempotencyKey != "" && ctx.Err() == nil {
		answer, err = p.post(ctx, presented)
	}
	switch unheard := beforeAWord(err); {
	case unheard != nil && !inDoubt:
		return token.Claims{}, outage.Unasked("peer", unheard)
	case err != nil:
		return token.Claims{}, outage.New("peer", inOwnWords(err))
	case answer.status != http.StatusOK:
		return token.Claims{}, answer.refusal(inDoubt)
	}
	claims, err := answer.claims(presented.Token, p.assumeVerified)
	if err != nil {
		return token.Claims{}, outage.New("peer", err)
	}
	return claims, nil
}

func (p *Peer) post(ctx context.Context, presented Presentation) (peerAnswer, error) {
	text, err := json.Marshal(ExchangeBody{
		Token: presented.Token.Reveal(), TargetDomain: presented.Target, Verifier: presented.Verifier.Reveal(),
	})
	if err != nil {
		return peerAnswer{}, fmt.Errorf("handoff: encode exchange: %w", err)
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, p.endpoint, bytes.NewReader(text))
	if err != nil {
		return peerAnswer{}, fmt.Errorf("handoff: make exchange: %w", err)
	}
	// Without it net/http cannot send a request again that has left: it would do so
	// by itself, as often as it likes, because of the Idempotency-Key.
	request.GetBody = nil
	request.Header.Set("Authorization", "Bearer "+p.bearer.Reveal())
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Accept", "application/json, application/problem+json")
	request.Header.Set("User-Agent", "handoff")
	if presented.IdempotencyKey != "" {
		request.Header.Set("Idempotency-Key", presented.IdempotencyKey)
	}
	response, err := p.client.Do(request)
	if err != nil {
		return peerAnswer{}, err
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(response.Body, maxPeerAnswer))
	return peerAnswer{status: response.StatusCode, contentType: response.Header.Get("Content-Type"), body: body}, err
}
