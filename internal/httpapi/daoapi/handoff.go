package daoapi

import (
	"math"
	"net/http"
	"time"

	"github.com/google/uuid"
	"github.com/labstack/echo/v4"

	"github.com/hello-world-co-op/handoff/internal/handoff"
	"github.com/hello-world-co-op/handoff/internal/httpapi"
	"github.com/hello-world-co-op/handoff/internal/privacy"
	"github.com/hello-world-co-op/handoff/internal/token"
)

type mintBody struct {
	EntryProduct string  `json:"entry_product"`
	TargetDomain string  `json:"target_domain"`
	ReturnPath   *string `json:"return_path"`
	Challenge    string  `json:"challenge"`
	ResponseMode string  `json:"response_mode"`
	MaxAge       *int64  `json:"max_age"` // seconds
}

// maxAge is 0 for none. What mint refuses must not become another number on the way.
func (b mintBody) maxAge() time.Duration {
	switch {
	case b.MaxAge == nil:
		return 0
	case *b.MaxAge <= 0 || *b.MaxAge > math.MaxInt64/int64(time.Second):
		return -1
	}
	return time.Duration(*b.MaxAge) * time.Second
}

type mintAnswer struct {
	Token        string    `json:"token"`
	HandoffID    uuid.UUID `json:"handoff_id"`
	ExpiresAt    int64     `json:"expires_at"`
	ExpiresIn    int       `json:"expires_in"`
	TargetDomain string    `json:"target_domain"`
	RedirectURL  string    `json:"redirect_url"`
}

func (a *API) mint(c echo.Context) error {
	var body mintBody
	if err := httpapi.Decode(c, &body); err != nil {
		return err
	}
	cookie, err := a.cookie(c)
	if err != nil {
		return err
	}
	request := handoff.MintRequest{
		Cookie: cookie, SessionID: sessionIDOf(c), EntryProduct: body.EntryProduct, Target: body.TargetDomain,
		ReturnPath: body.ReturnPath, Challenge: body.Challenge, ResponseMode: handoff.ResponseMode(body.ResponseMode),
		MaxAge: body.maxAge(), Origin: a.Edge.Origin(c),
	}
	minted, err := a.Minter.Mint(c.Request().Context(), request)
	if err != nil {
		return err
	}
	httpapi.SetJourney(c, minted.HandoffID)
	return httpapi.JSON(c, http.StatusOK, mintAnswer{
		Token: minted.Token.Reveal(), HandoffID: minted.HandoffID, ExpiresAt: minted.ExpiresAt.UnixMilli(),
		ExpiresIn: int(token.TTL.Seconds()), TargetDomain: minted.Target.Domain,
		RedirectURL: minted.Target.Redirect(minted.Token, request.ResponseMode).Reveal(),
	})
}

func (a *API) exchange(c echo.Context) error {
	var body handoff.ExchangeBody
	if err := httpapi.Decode(c, &body); err != nil {
		return err
	}
	key, err := httpapi.IdempotencyKey(c)
	if err != nil {
		return err
	}
	presented, err := token.Parse(body.Token)
	if err != nil {
		return err
	}
	claims, err := a.Exchange.Exchange(c.Request().Context(), handoff.ExchangeRequest{
		Token: presented, Target: body.TargetDomain, Verifier: privacy.NewSecret(body.Verifier), IdempotencyKey: key,
		Caller: a.caller(c), Origin: a.Edge.Origin(c),
	})
	if err != nil {
		return err
	}
	httpapi.SetJourney(c, claims.HandoffID)
	return httpapi.JSON(c, http.StatusOK, handoff.NewClaimsBody(claims))
}
