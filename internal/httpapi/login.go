package httpapi

import (
	"context"
	"net/http"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/hello-world-co-op/handoff/internal/privacy"
	"github.com/hello-world-co-op/handoff/internal/ratelimit"
)

// PasswordLogin is the body of a password login, on both halves. Clients also send
// device_fingerprint, timezone and user_agent, which are neither read nor kept.
type PasswordLogin struct {
	Email    string `json:"email"`
	Password string `json:"password"`
}

// DecodeLogin reads a login. It tells a form that was not filled in from a wrong
// password: that costs no hashing and is nobody's failed login.
func DecodeLogin(c echo.Context) (PasswordLogin, error) {
	var body PasswordLogin
	if err := DecodeLoosely(c, &body); err != nil {
		return PasswordLogin{}, err
	}
	var faults []FieldFault
	if body.Email == "" {
		faults = append(faults, FieldFault{Field: "email", Reason: "is missing"})
	}
	if body.Password == "" {
		faults = append(faults, FieldFault{Field: "password", Reason: "is missing"})
	}
	if faults != nil {
		return PasswordLogin{}, &InvalidRequest{Faults: faults}
	}
	return body, nil
}

// account is the name under which tries for one account are counted, whether or not
// there is such an account.
func (b PasswordLogin) account() string {
	email, err := privacy.ParseEmail(b.Email)
	if err != nil {
		return b.Email
	}
	return email.Canonical()
}

// Logins limits password logins and knows the browsers that people use. Cookie is
// the name under which a browser is known; it is host-only, so that no neighbour
// can plant one over HTTPS ("__Host-").
type Logins struct {
	Limit   *ratelimit.Login
	Devices *ratelimit.Devices
	Cookie  string
	Secure  bool
}

// Limited runs attempt within the limits of section 2, and makes the browser a
// known one when it went well.
func (l Logins) Limited(c echo.Context, edge Config, body PasswordLogin, attempt func() error) error {
	ctx, now := c.Request().Context(), edge.Now()
	tried, err := l.Limit.Try(ctx, ratelimit.Attempt{
		Account: body.account(), Address: edge.Origin(c).Address.Value, Device: l.device(c), Now: now,
	})
	if err != nil {
		return err
	}
	if err := attempt(); err != nil {
		settle(ctx, tried, err)
		return err
	}
	tried.Succeeded(ctx)
	value, err := l.Devices.Make(body.account(), now)
	if err != nil {
		return err
	}
	c.SetCookie(l.newCookie(value, now.Add(ratelimit.DeviceTTL)))
	return nil
}

func (l Logins) newCookie(value string, expires time.Time) *http.Cookie {
	return &http.Cookie{
		Name: l.name(), Value: value, Path: "/", Expires: expires.UTC(),
		Secure: l.Secure, HttpOnly: true, SameSite: http.SameSiteLaxMode,
	}
}

// settle says what becomes of a failed try. Who is turned away for another reason
// than the password has not guessed: those codes are given after it was right only.
func settle(ctx context.Context, tried *ratelimit.Tried, err error) {
	switch p, _ := problemOf(err); p.Code {
	case "invalid_credentials": // stays counted
	case "account_inactive", "email_unverified", "second_factor_required":
		tried.Succeeded(ctx)
	default:
		tried.Unjudged(ctx)
	}
}

func (l Logins) name() string {
	if l.Secure {
		return "__Host-" + l.Cookie
	}
	return l.Cookie
}

func (l Logins) device(c echo.Context) string {
	sent, err := c.Cookie(l.name())
	if err != nil {
		return ""
	}
	return sent.Value
}
