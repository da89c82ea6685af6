package bench

import (
	"encoding/json"
	"net/http"
	"time"

	"github.com/google/uuid"
	"github.com/labstack/echo/v4"

	"github.com/hello-world-co-op/handoff/internal/handoff"
)

// floorLoginSQL: most who arrive have a link. The others get user and link, all a session.
const floorLoginSQL = `
WITH known AS (
	SELECT u.id, u.email, u.display_name, u.role, u.status, u.email_verified, u.created_at
	FROM identity_link l JOIN users u ON u.id = l.user_id WHERE l.provider = 'dao' AND l.subject = $1
), made AS (
	INSERT INTO users (id, email, email_canonical, email_verified, display_name, role, status, created_at, updated_at)
	SELECT $2::uuid, $3::text, $3::text, true, $4::text, 'member', 'ACTIVE', $5::timestamptz, $5::timestamptz WHERE NOT EXISTS (SELECT FROM known)
	RETURNING id, email, display_name, role, status, email_verified, created_at
), linked AS (
	INSERT INTO identity_link (provider, subject, user_id, created_at) SELECT 'dao', $1, id, $5 FROM made
), who AS (
	SELECT * FROM known UNION ALL SELECT * FROM made
), begun AS (
	INSERT INTO sessions (id, user_id, origin, handoff_id, entry_product, arrival, generation, elevated, auth_time, amr, created_at, last_used_at, expires_at)
	SELECT $6, id, 'handoff', $7, $8::text, $9::bytea, 1, false, $10, $11, $5, $5, $12 FROM who
), noted AS (
	INSERT INTO audit_log (at, event, outcome, reason, actor_id, handoff_id, entry_product, target_domain, origin, origin_key, request_id)
	SELECT $5, event, 'success', reason, who.id, $7, $8::text, $13::text, $14::text, $15::text, $16::text
	FROM who, (SELECT 'session.created' AS event, 'handoff' AS reason
	           UNION ALL SELECT 'user.created', NULL FROM made) happened
)
SELECT * FROM who`

type floorUser struct {
	ID            uuid.UUID `json:"id"`
	Email         string    `json:"email"`
	DisplayName   *string   `json:"display_name"`
	Role          string    `json:"role"`
	Status        string    `json:"status"`
	EmailVerified bool      `json:"email_verified"`
	CreatedAt     int64     `json:"created_at"`
}

type floorSessionBody struct {
	ID               uuid.UUID `json:"id"`
	AccessExpiresAt  int64     `json:"access_expires_at"`
	RefreshExpiresAt int64     `json:"refresh_expires_at"`
}

type floorEntered struct {
	User         *floorUser       `json:"user,omitempty"`
	EntryProduct *string          `json:"entry_product,omitempty"`
	ReturnPath   *string          `json:"return_path,omitempty"`
	HandoffID    *uuid.UUID       `json:"handoff_id,omitempty"`
	Session      floorSessionBody `json:"session"`
}

func (s *floorSession) body() floorSessionBody {
	return floorSessionBody{s.ID, epoch(s.AccessExpire), epoch(s.Expires)}
}

// login has no fence: Redis alone says whether the token is good.
func (b *bare) login(c echo.Context) error { return b.enter(c, false) }

// loginGated also passes the fence in the DAO half's database, without which a token is
// good twice after Redis has failed over.
func (b *bare) loginGated(c echo.Context) error { return b.enter(c, true) }

// enter: take what is carried, write user, link, session and audit row, sign.
func (b *bare) enter(c echo.Context, gate bool) error {
	ctx := c.Request().Context()
	var body floorTokenBody
	if err := c.Bind(&body); err != nil {
		return err
	}
	digest, carried, err := b.take(ctx, body.Token)
	if err != nil {
		return err
	}
	var claims handoff.ClaimsBody
	if err := json.Unmarshal(carried, &claims); err != nil {
		return err
	}
	if gate {
		if err := b.fence(ctx, digest); err != nil {
			return err
		}
	}
	s := &floorSession{
		ID: uuid.Must(uuid.NewV7()), Generation: 1, Role: "member", AMR: claims.AMR, AuthTime: time.UnixMilli(claims.AuthTime), Now: time.Now(),
	}
	s.Expires = s.Now.Add(sessionLife)
	var u floorUser
	var created time.Time
	if err := b.fos.QueryRow(ctx, floorLoginSQL,
		claims.UserID.String(), uuid.Must(uuid.NewV7()), claims.Email, claims.DisplayName, s.Now, s.ID, claims.HandoffID, claims.EntryProduct,
		digest[:], s.AuthTime, s.AMR, s.Expires, claims.TargetDomain, floorOrigin, floorKeyID, floorID,
	).Scan(&u.ID, &u.Email, &u.DisplayName, &u.Role, &u.Status, &u.EmailVerified, &created); err != nil {
		return err
	}
	u.CreatedAt, s.UserID = epoch(created), u.ID
	if err := b.setPair(c, s); err != nil {
		return err
	}
	return c.JSON(http.StatusOK, floorEntered{&u, &claims.EntryProduct, claims.ReturnPath, &claims.HandoffID, s.body()})
}
