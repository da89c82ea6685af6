package handoff

import (
	"errors"
	"fmt"
	"mime"
	"net/http"
	"slices"

	"github.com/go-json-experiment/json"
	"github.com/google/uuid"

	"github.com/hello-world-co-op/handoff/internal/outage"
	"github.com/hello-world-co-op/handoff/internal/peer"
	"github.com/hello-world-co-op/handoff/internal/token"
)

// peerAnswer is what a peer said. Nothing of it goes into an error's text but the status.
type peerAnswer peer.Answer

// isA reports whether the answer says that it is one of these media types.
func (a peerAnswer) isA(media ...string) bool {
	said, _, err := mime.ParseMediaType(a.ContentType)
	return err == nil && slices.Contains(media, said)
}

var errUnreadable = errors.New("the exchange's answer cannot be read")

func (a peerAnswer) claims(t token.Token, assumeVerified bool) (token.Claims, error) {
	var body ClaimsBody
	if !a.isA("application/json") || json.Unmarshal(a.Body, &body) != nil {
		return token.Claims{}, errUnreadable
	}
	return body.claims(t, assumeVerified)
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

// refusal is what an answer other than 200 means. inDoubt: an earlier request of the
// same attempt may have redeemed the token.
func (a peerAnswer) refusal(inDoubt bool) error {
	var problem struct {
		Code      string    `json:"code"`
		HandoffID uuid.UUID `json:"handoff_id"`
	}
	status := fmt.Errorf("exchange answered %d", a.Status)
	trouble := outage.New("peer", status)
	if !a.isA("application/problem+json", "application/json") || json.Unmarshal(a.Body, &problem) != nil {
		return trouble
	}
	cause, known := refusals[problem.Code]
	switch {
	case known && a.Status == http.StatusBadRequest:
		return &token.Refused{Cause: cause, HandoffID: problem.HandoffID}
	case problem.Code == "exchange_disabled" && a.Status == http.StatusServiceUnavailable:
		return ErrDisabled // the other half has no service token
	case problem.HandoffID != uuid.Nil:
		return &JourneyError{HandoffID: problem.HandoffID, Cause: trouble}
	case problem.Code == "dependency_unavailable" && a.Status == http.StatusServiceUnavailable && !inDoubt:
		// It names the journey once it has come to it: it has too much to do, or no Redis.
		return outage.Unasked("peer", status)
	}
	return trouble
}
