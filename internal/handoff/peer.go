package handoff

import (
	"context"
	"net/http"
	"time"

	"github.com/hello-world-co-op/handoff/internal/outage"
	"github.com/hello-world-co-op/handoff/internal/peer"
	"github.com/hello-world-co-op/handoff/internal/privacy"
	"github.com/hello-world-co-op/handoff/internal/token"
)

// Peer exchanges with a DAO half elsewhere, over HTTP.
type Peer struct {
	client         *peer.Client
	assumeVerified bool
}

// PeerConfig is what a Peer needs. AssumeEmailVerified is for a peer that sends
// no such field and is known to verify.
type PeerConfig struct {
	BaseURL             string
	ServiceToken        privacy.Secret
	AssumeEmailVerified bool
	Watch               peer.Watch
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
)

// peerConnections is how many arrivals ask at the same time.
const peerConnections = 64

// NewPeer makes an exchanger. Close its idle connections with CloseIdle.
func NewPeer(config PeerConfig) *Peer {
	client := peer.New(peer.Config{BaseURL: config.BaseURL, ServiceToken: config.ServiceToken, Connections: peerConnections, Watch: config.Watch})
	return &Peer{client: client, assumeVerified: config.AssumeEmailVerified}
}

// CloseIdle closes the connections that no request uses.
func (p *Peer) CloseIdle() { p.client.CloseIdle() }

// Exchange implements [Exchanger]. A lost connection is tried once more when
// there is an Idempotency-Key: the same attempt gets the same answer.
func (p *Peer) Exchange(ctx context.Context, presented Presentation) (token.Claims, error) {
	ctx, cancel := context.WithTimeout(ctx, peerTimeout)
	defer cancel()
	answer, err := p.post(ctx, presented)
	inDoubt := err != nil && peer.BeforeAWord(err) == nil // it may have redeemed
	if err != nil && presented.IdempotencyKey != "" && ctx.Err() == nil {
		answer, err = p.post(ctx, presented)
	}
	switch unheard := peer.BeforeAWord(err); {
	case unheard != nil && !inDoubt:
		return token.Claims{}, outage.Unasked("peer", unheard)
	case err != nil:
		return token.Claims{}, outage.New("peer", peer.InOwnWords(err))
	case answer.Status != http.StatusOK:
		return token.Claims{}, answer.refusal(inDoubt)
	}
	claims, err := answer.claims(presented.Token, p.assumeVerified)
	if err != nil {
		return token.Claims{}, outage.New("peer", err)
	}
	return claims, nil
}

func (p *Peer) post(ctx context.Context, presented Presentation) (peerAnswer, error) {
	answer, err := p.client.Post(ctx, peer.Message{
		Path: peerPath, IdempotencyKey: presented.IdempotencyKey,
		Body: ExchangeBody{Token: presented.Token.Reveal(), TargetDomain: presented.Target, Verifier: presented.Verifier.Reveal()},
	})
	return peerAnswer(answer), err
}
