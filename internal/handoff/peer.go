package handoff

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/google/uuid"

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
	// maxPeerAnswer bounds what a confused peer can make us read.
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
	status, body, err := p.post(ctx, presented)
	if err != nil && presented.IdempotencyKey != "" && ctx.Err() == nil {
		status, body, err = p.post(ctx, presented)
	}
	if err != nil {
		return token.Claims{}, outage.New("peer", err)
	}
	if status != http.StatusOK {
		return token.Claims{}, refusalOf(status, body)
	}
	var answer ClaimsBody
	if err := json.Unmarshal(body, &answer); err != nil {
		// The decoder's error may quote the answer: an email.
		return token.Claims{}, outage.New("peer", errors.New("the exchange's answer cannot be read"))
	}
	claims, err := answer.claims(presented.Token, p.assumeVerified)
	if err != nil {
		return token.Claims{}, outage.New("peer", err)
	}
	return claims, nil
}

func (p *Peer) post(ctx context.Context, presented Presentation) (status int, body []byte, err error) {
	text, err := json.Marshal(ExchangeBody{
		Token: presented.Token.Reveal(), TargetDomain: presented.Target, Verifier: presented.Verifier,
	})
	if err != nil {
		return 0, nil, fmt.Errorf("handoff: encode exchange: %w", err)
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, p.endpoint, bytes.NewReader(text))
	if err != nil {
		return 0, nil, fmt.Errorf("handoff: make exchange: %w", err)
	}
	request.Header.Set("Authorization", "Bearer "+p.bearer.Reveal())
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Accept", "application/json, application/problem+json")
	request.Header.Set("User-Agent", "handoff")
	if presented.IdempotencyKey != "" {
		request.Header.Set("Idempotency-Key", presented.IdempotencyKey)
	}
	response, err := p.client.Do(request)
	if err != nil {
		return 0, nil, err
	}
	defer func() { _ = response.Body.Close() }()
	body, err = io.ReadAll(io.LimitReader(response.Body, maxPeerAnswer))
	return response.StatusCode, body, err
}

// refusals are the codes of section 3 that say something about the token. All
// else is the peer's trouble, or ours with it, and the token may still be good.
var refusals = map[string]error{
	"token_malformed":      token.ErrUnknown,
	"token_unknown":        token.ErrUnknown,
	"token_expired":        token.ErrExpired,
	"token_used":           token.ErrUsed,
	"token_wrong_target":   token.ErrWrongTarget,
	"token_binding_failed": token.ErrBinding,
}

func refusalOf(status int, body []byte) error {
	var problem struct {
		Code      string    `json:"code"`
		HandoffID uuid.UUID `json:"handoff_id"`
	}
	if err := json.Unmarshal(body, &problem); err != nil {
		return outage.New("peer", fmt.Errorf("exchange answered %d without a problem", status))
	}
	if cause, ok := refusals[problem.Code]; ok && status == http.StatusBadRequest {
		return &token.Refused{Cause: cause, HandoffID: problem.HandoffID}
	}
	return outage.New("peer", fmt.Errorf("exchange answered %d", status))
}
