package handoff

import (
	"crypto/sha256"
	"errors"
	"regexp"
	"slices"
	"strings"
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
	principal := b.ICPrincipal
	if principal == nil {
		principal = b.Principal
	}
	if err := b.check(principal); err != nil {
		return token.Claims{}, err
	}
	verified := assumeVerified
	if b.EmailVerified != nil {
		verified = *b.EmailVerified
	}
	if b.HandoffID == uuid.Nil {
		b.HandoffID = idOf(t)
	}
	// Assurance never grows (I10): nobody is taken to have signed in later than the
	// token was made. A peer whose clocks differ a little is not refused for it.
	if b.AuthTime == 0 || b.AuthTime > b.IssuedAt {
		b.AuthTime = b.IssuedAt
	}
	return token.Claims{
		HandoffID: b.HandoffID, UserID: b.UserID, Email: email, EmailVerified: verified,
		DisplayName: b.DisplayName, Principal: principal, Roles: orEmpty(b.Roles),
		EntryProduct: b.EntryProduct, Target: b.TargetDomain, ReturnPath: b.ReturnPath,
		AuthTime: time.UnixMilli(b.AuthTime).UTC(), AMR: orEmpty(b.AMR),
		IssuedAt: time.UnixMilli(b.IssuedAt).UTC(), ExpiresAt: time.UnixMilli(b.ExpiresAt).UTC(),
	}, nil
}

const (
	// maxName bounds a principal in bytes: Postgres refuses an index entry above 2.7 kB.
	maxName = 255
	// maxAMR and maxMethod bound what goes into a cookie, which ends at 4 kB.
	maxAMR, maxMethod = 16, 64
	// maxMillis is the last moment of the year 9999, the last that every party can
	// write down.
	maxMillis = 253_402_300_799_999
)

// productName is what may go into an audit row, which has no free text.
var productName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$`)

// check refuses what cannot be true and what cannot be kept, which is the peer's
// fault and must not become an error of ours. Its errors quote nothing.
func (b ClaimsBody) check(principal *string) error {
	texts := append([]string{b.EntryProduct, b.TargetDomain, orBlank(b.DisplayName), orBlank(principal)}, b.Roles...)
	for _, text := range append(texts, b.AMR...) {
		if strings.ContainsRune(text, 0) {
			return errors.New("the answer has a text with U+0000, which Postgres does not keep")
		}
	}
	switch {
	case b.UserID == uuid.Nil || b.TargetDomain == "" || b.EntryProduct == "":
		return errors.New("the answer lacks user_id, target_domain or entry_product")
	case b.IssuedAt <= 0 || b.ExpiresAt <= b.IssuedAt || b.ExpiresAt > maxMillis || b.AuthTime < 0:
		return errors.New("the answer's times make no sense")
	case b.ReturnPath != nil && !ValidReturnPath(*b.ReturnPath):
		return errors.New("the answer's return_path leaves the site")
	case len(orBlank(principal)) > maxName:
		return errors.New("the answer's principal is too long")
	case !productName.MatchString(b.EntryProduct):
		return errors.New("the answer's entry_product is no product's name")
	case len(b.AMR) > maxAMR || slices.ContainsFunc(b.AMR, func(m string) bool { return len(m) > maxMethod }):
		return errors.New("the answer's amr is too long")
	}
	return nil
}

func orBlank(text *string) string {
	if text == nil {
		return ""
	}
	return *text
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
