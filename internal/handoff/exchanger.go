package handoff

import (
	"context"

	"github.com/hello-world-co-op/handoff/internal/audit"
	"github.com/hello-world-co-op/handoff/internal/outage"
	"github.com/hello-world-co-op/handoff/internal/privacy"
	"github.com/hello-world-co-op/handoff/internal/token"
)

// Presentation is what the FOS half tells the DAO half of a token that arrived.
type Presentation struct {
	Token          token.Token
	Target         string
	Verifier       privacy.Secret // empty: none
	IdempotencyKey string
}

// Exchanger is the seam between the halves. An implementation returns
// [*token.Refused], an outage, or [ErrDisabled]; it never retries without an
// IdempotencyKey.
type Exchanger interface {
	Exchange(ctx context.Context, p Presentation) (token.Claims, error)
}

// InProcess exchanges with the DAO half of the same process. It passes nothing
// that the wire would not carry, in the form in which the wire would carry it (I14).
type InProcess struct {
	Exchanging *Exchange
	Caller     Caller
	Uses       *TokenUse
}

// Exchange implements [Exchanger].
func (i InProcess) Exchange(ctx context.Context, p Presentation) (token.Claims, error) {
	i.Uses.Note(ctx, i.Caller.KeyID)
	claims, err := i.Exchanging.Exchange(ctx, ExchangeRequest{
		Token: p.Token, Target: p.Target, Verifier: p.Verifier, IdempotencyKey: p.IdempotencyKey,
		Caller: i.Caller, Origin: audit.Origin{},
	})
	if err != nil {
		return token.Claims{}, err
	}
	const assumeVerified = false // our own half always says
	claims, err = NewClaimsBody(claims).claims(p.Token, assumeVerified)
	if err != nil {
		return token.Claims{}, outage.New("peer", err)
	}
	return claims, nil
}

// Disabled is the exchanger of a process without a service token (I3).
type Disabled struct{}

// Exchange implements [Exchanger] with [ErrDisabled].
func (Disabled) Exchange(context.Context, Presentation) (token.Claims, error) {
	return token.Claims{}, ErrDisabled
}
