package leaving

import (
	"context"
	"fmt"
	"net/http"

	"github.com/google/uuid"

	"github.com/hello-world-co-op/handoff/internal/outage"
	"github.com/hello-world-co-op/handoff/internal/peer"
	"github.com/hello-world-co-op/handoff/internal/privacy"
)

// The two addresses of the message.
const (
	EndPath   = "/api/v1/auth/handoffs/end" // at the FOS half
	EndedPath = "/api/auth/ended-handoffs"  // at the DAO half; below /handoffs everything is an id
)

// Peer tells a half elsewhere, over HTTP.
type Peer struct {
	*peer.Client

	path string
}

// peerConnections: a courier tells one thing at a time, and may have given up on the one before.
const peerConnections = 2

// NewPeer makes a teller of the half at baseURL; path is one of the two. Close its idle
// connections with CloseIdle.
func NewPeer(baseURL, path string, serviceToken privacy.Secret) *Peer {
	return &Peer{peer.New(peer.Config{BaseURL: baseURL, ServiceToken: serviceToken, Connections: peerConnections}), path}
}

// Tell implements [Teller]. Only 204 is heard: a front end that answers 200 to everything
// may stand where the address points.
func (p *Peer) Tell(ctx context.Context, ended []uuid.UUID) error {
	var body Body
	for _, id := range ended {
		body.HandoffIDs = append(body.HandoffIDs, id.String())
	}
	answer, err := p.Post(ctx, peer.Message{Path: p.path, Body: body})
	if err != nil {
		return outage.New("peer", peer.InOwnWords(err))
	}
	if answer.Status != http.StatusNoContent {
		return outage.New("peer", fmt.Errorf("answered %d", answer.Status))
	}
	return nil
}
