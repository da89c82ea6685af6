package bench

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"

	"github.com/google/uuid"

	"github.com/hello-world-co-op/handoff/internal/handoff"
	"github.com/hello-world-co-op/handoff/internal/privacy"
	"github.com/hello-world-co-op/handoff/internal/token"
)

// carriedUnder is where claims lie in Redis. (Were it another place, every exchange would
// fail.)
func carriedUnder(digest token.Digest) string { return "dao:handoff:" + string(digest[:]) }

// perPipeline bounds the commands that are sent to Redis in one go.
const perPipeline = 1000

// mint makes a live token for each of the people, without the service: the ledger's rows
// by COPY, the claims through a pipeline. For the service the claims are sealed; for the
// floor they are the exchange's answer as it is, which it need not even decode.
func (w *world) mint(ctx context.Context, by string, people []person) ([]token.Token, error) {
	tokens := make([]token.Token, len(people))
	var rows [][]any
	pipeline := w.redis.Pipeline()
	for i, p := range people {
		tok, err := token.New(rand.Reader)
		if err != nil {
			return nil, err
		}
		claims, err := claimsOf(p)
		if err != nil {
			return nil, err
		}
		value, err := w.carry(by, tok, claims)
		if err != nil {
			return nil, err
		}
		digest := tok.Digest()
		tokens[i] = tok
		rows = append(rows, []any{claims.HandoffID, digest[:], p.member, p.session, product, target, claims.IssuedAt, claims.ExpiresAt})
		pipeline.Set(ctx, carriedUnder(digest), value, token.TTL)
		if pipeline.Len() == perPipeline || i == len(people)-1 {
			if _, err := pipeline.Exec(ctx); err != nil {
				return nil, fmt.Errorf("bench: carry claims: %w", err)
			}
		}
	}
	return tokens, fill(ctx, w.dao, "handoffs", []string{
		"handoff_id", "digest", "member_id", "session_id", "entry_product", "target_domain", "minted_at", "expires_at",
	}, rows)
}

func (w *world) carry(by string, tok token.Token, claims token.Claims) ([]byte, error) {
	if by == service {
		return w.sealer.Seal(tok, claims)
	}
	return json.Marshal(handoff.NewClaimsBody(claims))
}

func claimsOf(p person) (token.Claims, error) {
	email, err := privacy.ParseEmail(p.email)
	if err != nil {
		return token.Claims{}, err
	}
	id, err := uuid.NewV7()
	if err != nil {
		return token.Claims{}, err
	}
	issued := now()
	return token.Claims{
		HandoffID: id, UserID: p.member, Email: email, EmailVerified: true, DisplayName: &p.name, Principal: p.principal, Roles: []string{"member"},
		EntryProduct: product, Target: target, ReturnPath: new("/projects/1234/board"), AuthTime: p.authenticated, AMR: []string{"pwd"},
		IssuedAt: issued, ExpiresAt: issued.Add(token.TTL),
	}, nil
}
