package bench

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"net/http"
	"time"

	"github.com/labstack/echo/v4"
)

// floorFenceSQL is what keeps a token from being good twice, and records it.
const floorFenceSQL = `
WITH won AS (
	UPDATE handoffs SET redeemed_at = $2, redeemed_as = 'exchanged', attempt = $3, redeemed_by = $4
	WHERE digest = $1 AND redeemed_at IS NULL
	RETURNING handoff_id, member_id, entry_product, target_domain
)
INSERT INTO audit_log (at, event, outcome, actor_id, handoff_id, entry_product, target_domain, origin, origin_key, request_id)
SELECT $2, 'handoff.exchanged', 'success', member_id, handoff_id, entry_product, target_domain, $5, $6, $7 FROM won`

type floorTokenBody struct {
	Token  string `json:"token"`
	Target string `json:"target_domain"`
}

// exchange: whose bearer is it, take what is carried, pass the fence. What is carried is
// the answer.
func (b *bare) exchange(c echo.Context) error {
	ctx := c.Request().Context()
	var body floorTokenBody
	if err := c.Bind(&body); err != nil {
		return err
	}
	if subtle.ConstantTimeCompare([]byte(c.Request().Header.Get(echo.HeaderAuthorization)), []byte(b.bearer)) != 1 {
		return echo.ErrUnauthorized
	}
	digest, claims, err := b.take(ctx, body.Token)
	if err != nil {
		return err
	}
	if err := b.fence(ctx, digest); err != nil {
		return err
	}
	return c.Blob(http.StatusOK, echo.MIMEApplicationJSON, claims)
}

// take reads and deletes what is carried.
func (b *bare) take(ctx context.Context, text string) (digest [sha256.Size]byte, claims []byte, err error) {
	raw, err := hex.DecodeString(text)
	if err != nil {
		return digest, nil, echo.ErrBadRequest
	}
	digest = sha256.Sum256(raw)
	key := carriedUnder(digest)
	if claims, err = b.redis.Get(ctx, key).Bytes(); err != nil {
		return digest, nil, err
	}
	return digest, claims, b.redis.Del(ctx, key).Err()
}

func (b *bare) fence(ctx context.Context, digest [sha256.Size]byte) error {
	attempt := make([]byte, 32)
	_, _ = rand.Read(attempt) // never fails (crypto/rand)
	won, err := b.dao.Exec(ctx, floorFenceSQL, digest[:], time.Now(), attempt, floorKeyID, floorOrigin, floorKeyID, floorID)
	if err == nil && won.RowsAffected() != 1 {
		return echo.ErrBadRequest
	}
	return err
}
