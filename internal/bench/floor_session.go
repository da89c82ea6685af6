package bench

import (
	"net/http"
	"time"

	"github.com/google/uuid"
	"github.com/labstack/echo/v4"

	"github.com/hello-world-co-op/handoff/password"
)

const floorRefreshSQL = `
WITH moved AS (
	UPDATE sessions SET generation = generation + 1, generation_used = false, rotated_at = $3, last_used_at = $3
	WHERE id = $1 AND generation = $2 AND ended_at IS NULL AND expires_at > $3
	RETURNING user_id, handoff_id, entry_product, auth_time, amr, expires_at
), noted AS (
	INSERT INTO audit_log (at, event, outcome, reason, actor_id, handoff_id, entry_product, origin, origin_key, request_id)
	SELECT $3, 'session.refreshed', 'success', 'rotated', user_id, handoff_id, entry_product, $4::text, $5::text, $6::text FROM moved
)
SELECT user_id, auth_time, amr, expires_at FROM moved`

// refresh: whose token is it, rotate, sign.
func (b *bare) refresh(c echo.Context) error {
	claims, err := b.verify(c, refreshCookie)
	if err != nil {
		return err
	}
	id, err := uuid.Parse(claims.SessionID)
	if err != nil {
		return echo.ErrUnauthorized
	}
	s := &floorSession{ID: id, Generation: claims.Generation + 1, Role: claims.Role, Now: time.Now()}
	if err := b.fos.QueryRow(c.Request().Context(), floorRefreshSQL, id, claims.Generation, s.Now, floorOrigin, floorKeyID, floorID).
		Scan(&s.UserID, &s.AuthTime, &s.AMR, &s.Expires); err != nil {
		return err
	}
	if err := b.setPair(c, s); err != nil {
		return err
	}
	return c.JSON(http.StatusOK, floorEntered{Session: s.body()})
}

const floorCheckSQL = `
SELECT s.expires_at, u.id, u.email, u.display_name, u.role, u.status, u.email_verified, u.created_at
FROM sessions s JOIN users u ON u.id = s.user_id
WHERE s.id = $1 AND s.user_id = $2 AND s.ended_at IS NULL AND s.expires_at > $3 AND u.status = 'ACTIVE'`

// check: whose token is it, does its session live.
func (b *bare) check(c echo.Context) error {
	claims, err := b.verify(c, accessCookie)
	if err != nil {
		return err
	}
	id, err := uuid.Parse(claims.SessionID)
	if err != nil {
		return echo.ErrUnauthorized
	}
	var u floorUser
	var created, expires time.Time
	if err := b.fos.QueryRow(c.Request().Context(), floorCheckSQL, id, claims.Subject, time.Now()).
		Scan(&expires, &u.ID, &u.Email, &u.DisplayName, &u.Role, &u.Status, &u.EmailVerified, &created); err != nil {
		return err
	}
	u.CreatedAt = epoch(created)
	return c.JSON(http.StatusOK, floorEntered{User: &u, Session: floorSessionBody{id, epoch(claims.ExpiresAt.Time), epoch(expires)}})
}

const floorAccountSQL = `
SELECT id, email, display_name, role, status, email_verified, created_at, password_hash
FROM users WHERE email_canonical = $1 AND status = 'ACTIVE'`

const floorBeginSQL = `
WITH begun AS (
	INSERT INTO sessions (id, user_id, origin, generation, elevated, auth_time, amr, created_at, last_used_at, expires_at)
	VALUES ($1, $2, 'password', 1, true, $3, $4, $3, $3, $5)
)
INSERT INTO audit_log (at, event, outcome, reason, actor_id, origin, origin_key, request_id)
VALUES ($3, 'session.created', 'success', 'password', $2, $6, $7, $8)`

type floorPasswordBody struct {
	Email    string `json:"email"`
	Password string `json:"password"`
}

// password: who is it, is it their password, write session and audit row, sign.
func (b *bare) password(c echo.Context) error {
	ctx := c.Request().Context()
	var body floorPasswordBody
	if err := c.Bind(&body); err != nil {
		return err
	}
	var u floorUser
	var created time.Time
	var hash string
	if err := b.fos.QueryRow(ctx, floorAccountSQL, body.Email).
		Scan(&u.ID, &u.Email, &u.DisplayName, &u.Role, &u.Status, &u.EmailVerified, &created, &hash); err != nil {
		return err
	}
	if err := b.compare(hash, body.Password); err != nil {
		return err
	}
	s := &floorSession{ID: uuid.Must(uuid.NewV7()), UserID: u.ID, Generation: 1, Role: u.Role, AMR: []string{"pwd"}, Now: time.Now()}
	s.AuthTime, s.Expires = s.Now, s.Now.Add(sessionLife)
	if _, err := b.fos.Exec(ctx, floorBeginSQL, s.ID, u.ID, s.Now, s.AMR, s.Expires, floorOrigin, floorKeyID, floorID); err != nil {
		return err
	}
	u.CreatedAt = epoch(created)
	if err := b.setPair(c, s); err != nil {
		return err
	}
	return c.JSON(http.StatusOK, floorEntered{User: &u, Session: s.body()})
}

// compare computes one Argon2id, as many at once as there are processors: more would only
// fill the memory.
func (b *bare) compare(hash, plain string) error {
	b.hashing <- struct{}{}
	defer func() { <-b.hashing }()
	found, err := password.Verify(hash, plain)
	if err == nil && !found.Match {
		return echo.ErrUnauthorized
	}
	return err
}
