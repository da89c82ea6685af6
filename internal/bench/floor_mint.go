package bench

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"net/http"
	"time"

	"github.com/google/uuid"
	"github.com/labstack/echo/v4"

	"github.com/hello-world-co-op/handoff/internal/token"
)

// sealedSize is what the service carries for the people of this benchmark, in bytes. A test
// compares.
const sealedSize = 300

const floorSessionSQL = `
SELECT s.id, m.id, m.email, m.email_verified, m.display_name, m.roles, s.auth_time, s.amr
FROM sessions s JOIN members m ON m.id = s.member_id
WHERE s.digest = $1 AND s.ended_at IS NULL AND s.idle_expires_at > $2 AND s.expires_at > $2
  AND m.membership_status = 'active' AND m.email_verified`

const floorMintSQL = `
WITH minted AS (
	INSERT INTO handoffs (handoff_id, digest, member_id, session_id, entry_product, target_domain, minted_at, expires_at)
	VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
)
INSERT INTO audit_log (at, event, outcome, actor_id, handoff_id, entry_product, target_domain, origin, origin_key, request_id)
VALUES ($7, 'handoff.minted', 'success', $3, $1, $5, $6, $9, $10, $11)`

type floorMintBody struct {
	EntryProduct string `json:"entry_product"`
}

type floorMintAnswer struct {
	Token        string    `json:"token"`
	HandoffID    uuid.UUID `json:"handoff_id"`
	ExpiresAt    int64     `json:"expires_at"`
	ExpiresIn    int       `json:"expires_in"`
	TargetDomain string    `json:"target_domain"`
	RedirectURL  string    `json:"redirect_url"`
}

// mint: who is it, carry something of the right size, write ledger and audit row.
func (b *bare) mint(c echo.Context) error {
	ctx := c.Request().Context()
	var body floorMintBody
	if err := c.Bind(&body); err != nil {
		return err
	}
	cookie, err := c.Cookie("__Host-dao_session")
	if err != nil {
		return echo.ErrUnauthorized
	}
	raw, err := base64.RawURLEncoding.DecodeString(cookie.Value)
	if err != nil {
		return echo.ErrUnauthorized
	}
	at, shown := time.Now(), sha256.Sum256(raw)
	var session, who uuid.UUID
	var email string
	var name *string
	var verified bool
	var roles, amr []string
	var authenticated time.Time
	if err := b.dao.QueryRow(ctx, floorSessionSQL, shown[:], at).Scan(
		&session, &who, &email, &verified, &name, &roles, &authenticated, &amr); err != nil {
		return err
	}
	tok, sealed := make([]byte, 32), make([]byte, sealedSize)
	_, _ = rand.Read(tok) // never fails (crypto/rand)
	_, _ = rand.Read(sealed)
	digest := sha256.Sum256(tok)
	if err := b.redis.SetNX(ctx, carriedUnder(digest), sealed, token.TTL).Err(); err != nil {
		return err
	}
	id, ends := uuid.Must(uuid.NewV7()), at.Add(token.TTL)
	if _, err := b.dao.Exec(ctx, floorMintSQL, id, digest[:], who, session, body.EntryProduct, target, at, ends,
		floorOrigin, floorKeyID, floorID); err != nil {
		return err
	}
	text := hex.EncodeToString(tok)
	return c.JSON(http.StatusOK, floorMintAnswer{
		Token: text, HandoffID: id, ExpiresAt: epoch(ends), ExpiresIn: int(token.TTL.Seconds()), TargetDomain: target,
		RedirectURL: "https://" + target + "/cross-domain?token=" + text,
	})
}
