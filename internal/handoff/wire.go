package handoff

import (
	"crypto/sha256"
	"errors"
	"time"

	"github.com/google/uuid"

	"github.com/hello-world-co-op/handoff/internal/privacy"
	"github.com/hello-world-co-op/handoff/internal/token"
)

// ExchangeBody is the request of the exchange on the wire.
type ExchangeBody struct {
	Token        string `json:"token"`
	TargetDomain string `json:"target_domain,omitzero"`
	Verifier     string `json:"verifier,omitzero"`
}

// ClaimsBody is its answer. The first nine fields are a contract that other
// consumers are built against, names and types included; Principal repeats
// ICPrincipal for older ones.
type ClaimsBody struct {
	UserID        uuid.UUID `json:"user_id"`
	Email         string    `json:"email"`
	DisplayName   *string   `json:"display_name"`
	ICPrincipal   *string   `json:"ic_principal"`
	Roles         []string  `json:"roles"`
	EntryProduct  string    `json:"entry_product"`
	TargetDomain  string    `json:"target_domain"`
	IssuedAt      int64     `json:"issued_at"`
	ExpiresAt     int64     `json:"expires_at"`
	Principal     *string   `json:"principal"`
	EmailVerified *bool     `json:"email_verified"`
	HandoffID     uuid.UUID `json:"handoff_id"`
	ReturnPath    *string   `json:"return_path"`
	AuthTime      int64     `json:"auth_time"`
	AMR           []string  `json:"amr"`
}

// NewClaimsBody writes claims for the wire.
func NewClaimsBody(c token.Claims) ClaimsBody {
	verified := c.EmailVerified
	return ClaimsBody{
		UserID: c.UserID, Email: c.Email.Reveal(), DisplayName: c.DisplayName, ICPrincipal: c.Principal,
		Roles: orEmpty(c.Roles), EntryProduct: c.EntryProduct, TargetDomain: c.Target,
		IssuedAt: c.IssuedAt.UnixMilli(), ExpiresAt: c.ExpiresAt.UnixMilli(),
		Principal: c.Principal, EmailVerified: &verified, HandoffID: c.HandoffID, ReturnPath: c.ReturnPath,
		AuthTime: c.AuthTime.UnixMilli(), AMR: orEmpty(c.AMR),
	}
}

func orEmpty(list []string) []string {
	if list == nil {
		return []string{}
	}
	return list
}

// claims reads a peer's answer about t. A peer that is older than this protocol
// sends the nine fields alone: then its word on the email's verification is
// assumed, the hand-off's id is made of the token's digest (so that it is the
// same however often the answer is read), and the member signed in, as far as
// anybody knows, when the token was made.
func (b ClaimsBody) claims(t token.Token, assumeVerified bool) (token.Claims, error) {
	email, err := privacy.ParseEmail(b.Email)
	if err != nil {
		return token.Claims{}, err
	}
	if b.UserID == uuid.Nil || b.TargetDomain == "" {
		return token.Claims{}, errors.New("the answer lacks user_id or target_domain")
	}
	if b.ReturnPath != nil && !ValidReturnPath(*b.ReturnPath) {
		return token.Claims{}, errors.New("the answer's return_path leaves the site")
	}
	verified := assumeVerified
	if b.EmailVerified != nil {
		verified = *b.EmailVerified
	}
	principal := b.ICPrincipal
	if principal == nil {
		principal = b.Principal
	}
	if b.HandoffID == uuid.Nil {
		b.HandoffID = idOf(t)
	}
	if b.AuthTime == 0 {
		b.AuthTime = b.IssuedAt
	}
	return token.Claims{
		HandoffID: b.HandoffID, UserID: b.UserID, Email: email, EmailVerified: verified,
		DisplayName: b.DisplayName, Principal: principal, Roles: b.Roles,
		EntryProduct: b.EntryProduct, Target: b.TargetDomain, ReturnPath: b.ReturnPath,
		AuthTime: time.UnixMilli(b.AuthTime).UTC(), AMR: b.AMR,
		IssuedAt: time.UnixMilli(b.IssuedAt).UTC(), ExpiresAt: time.UnixMilli(b.ExpiresAt).UTC(),
	}, nil
}

// idOf makes a UUIDv8 (RFC 9562, 5.8) of a token's digest, hashed once more so
// that the id gives away nothing of what the ledger is searched by.
func idOf(t token.Token) uuid.UUID {
	digest := t.Digest()
	sum := sha256.Sum256(append([]byte("hand-off of "), digest[:]...))
	id := uuid.UUID(sum[:16])
	id[6], id[8] = id[6]&0x0f|0x80, id[8]&0x3f|0x80
	return id
}
