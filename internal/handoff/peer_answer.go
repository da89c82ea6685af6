package handoff

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"mime"
	"net"
	"net/http"
	"slices"

	"github.com/go-json-experiment/json"
	"github.com/google/uuid"

	"github.com/hello-world-co-op/handoff/internal/outage"
	"github.com/hello-world-co-op/handoff/internal/token"
)

// peerAnswer is what a peer said. Nothing of it goes into an error's text but the
// status: the peer, or whatever sits in its place, may send back our own words,
// token and bearer among them (I6).
type peerAnswer struct {
	status      int
	contentType string
	body        []byte
}

// isA reports whether the answer says that it is one of these media types.
func (a peerAnswer) isA(media ...string) bool {
	said, _, err := mime.ParseMediaType(a.contentType)
	return err == nil && slices.Contains(media, said)
}

var errUnreadable = errors.New("the exchange's answer cannot be read")

func (a peerAnswer) claims(t token.Token, assumeVerified bool) (token.Claims, error) {
	var body ClaimsBody
	if !a.isA("application/json") || json.Unmarshal(a.body, &body) != nil {
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
	status := fmt.Errorf("exchange answered %d", a.status)
	trouble := outage.New("peer", status)
	if !a.isA("application/problem+json", "application/json") || json.Unmarshal(a.body, &problem) != nil {
		return trouble
	}
	cause, known := refusals[problem.Code]
	switch {
	case known && a.status == http.StatusBadRequest:
		return &token.Refused{Cause: cause, HandoffID: problem.HandoffID}
	case problem.Code == "exchange_disabled" && a.status == http.StatusServiceUnavailable:
		return ErrDisabled // the other half has no service token
	case problem.HandoffID != uuid.Nil:
		return &JourneyError{HandoffID: problem.HandoffID, Cause: trouble}
	case problem.Code == "dependency_unavailable" && a.status == http.StatusServiceUnavailable && !inDoubt:
		// It names the journey once it has come to it: it has too much to do, or no Redis.
		return outage.Unasked("peer", status)
	}
	return trouble
}

var errBrokeOff = errors.New("the connection broke off, or what came was not HTTP")

// inOwnWords says why there was no answer. The texts of net/http are dropped: they
// quote what could not be read, and the address that a redirect named.
func inOwnWords(err error) error {
	for _, ended := range []error{context.DeadlineExceeded, context.Canceled} {
		if errors.Is(err, ended) {
			return ended
		}
	}
	return cmp.Or(beforeAWord(err), errBrokeOff)
}

// beforeAWord is the part of err that says that the peer has not heard a word of ours,
// which can quote none; nil if it may have.
func beforeAWord(err error) error {
	var dial *net.OpError
	var certificate *tls.CertificateVerificationError
	switch {
	case errors.As(err, &dial) && dial.Op == "dial":
		return dial
	case errors.As(err, &certificate):
		return certificate
	case errors.Is(err, http.ErrSchemeMismatch):
		return http.ErrSchemeMismatch
	}
	return nil
}
