package client

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"net/http"
)

// Exchanger exchanges tokens at the DAO half, as a server that people arrive at. It is
// safe for concurrent use.
type Exchanger struct {
	connection

	token  Secret
	target string
}

// NewExchanger is for the DAO half at base. target is the caller's own domain: a token that
// was made for another is destroyed, not accepted.
func NewExchanger(base, target string, serviceToken Secret, o Options) *Exchanger {
	return &Exchanger{newConnection(base, o), serviceToken, target}
}

// Exchange is what was shown. IdempotencyKey is the same for everything that is one
// arrival (a double click, a lost answer); "" makes one for this call alone. Verifier is that
// of a journey that began at the caller's.
type Exchange struct {
	Token          Secret
	Verifier       Secret
	IdempotencyKey string
}

// Claims say whom a token stands for. Times are milliseconds since 1970.
type Claims struct {
	UserID        string   `json:"user_id"`
	Email         string   `json:"email"`
	DisplayName   *string  `json:"display_name"`
	ICPrincipal   *string  `json:"ic_principal"`
	Roles         []string `json:"roles"`
	EntryProduct  string   `json:"entry_product"`
	TargetDomain  string   `json:"target_domain"`
	IssuedAt      int64    `json:"issued_at"`
	ExpiresAt     int64    `json:"expires_at"`
	EmailVerified bool     `json:"email_verified"`
	HandoffID     string   `json:"handoff_id"`
	ReturnPath    *string  `json:"return_path"`
	AuthTime      int64    `json:"auth_time"`
	AMR           []string `json:"amr"`
}

// Exchange says whom a token stands for, once. Email is a way to write to the person, not
// who they are: accounts are found by UserID, and by an address only if EmailVerified.
func (e *Exchanger) Exchange(ctx context.Context, shown Exchange) (Claims, error) {
	key := shown.IdempotencyKey
	if key == "" {
		key = newKey()
	}
	body := map[string]string{"token": shown.Token.Reveal(), "target_domain": e.target}
	if verifier := shown.Verifier.Reveal(); verifier != "" {
		body["verifier"] = verifier
	}
	var claims Claims
	err := e.repeated(ctx, request{
		method: http.MethodPost, path: "/api/staging_token/exchange", body: body, into: &claims,
		headers: map[string]string{"Authorization": "Bearer " + e.token.Reveal(), "Idempotency-Key": key},
	})
	if err != nil {
		return Claims{}, err
	}
	if claims.TargetDomain != e.target { // an older service may not have looked
		return Claims{}, &Error{Code: TokenWrongTarget, Status: http.StatusOK, HandoffID: claims.HandoffID}
	}
	return claims, nil
}

// Ended says that what came of these hand-offs has ended here, 1 to 100 at a time. To say it
// again changes nothing.
func (e *Exchanger) Ended(ctx context.Context, handoffIDs ...string) error {
	return e.repeated(ctx, request{
		method: http.MethodPost, path: "/api/auth/ended-handoffs", body: map[string][]string{"handoff_ids": handoffIDs},
		headers: map[string]string{"Authorization": "Bearer " + e.token.Reveal()},
	})
}

func newKey() string {
	var random [16]byte
	_, _ = rand.Read(random[:]) // never fails (crypto/rand)
	return hex.EncodeToString(random[:])
}
