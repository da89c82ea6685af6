package testkit

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/hello-world-co-op/handoff/internal/privacy"
	"github.com/hello-world-co-op/handoff/internal/session"
	"github.com/hello-world-co-op/handoff/internal/user"
	"github.com/hello-world-co-op/handoff/password"
)

// User writes an account of the FOS half: active, verified, a member, named Ada
// Lovelace and without a password; change may alter it before it is written.
func (s *Service) User(t testing.TB, email string, change ...func(*user.User)) user.User {
	t.Helper()
	name := "Ada Lovelace"
	u := user.User{
		ID: uuid.Must(uuid.NewV7()), Email: Email(t, email), EmailVerified: true, DisplayName: &name,
		Role: user.Member, Status: user.Active, CreatedAt: s.Clock.Now(),
	}
	for _, alter := range change {
		alter(&u)
	}
	Exec(t, s.FOS, `
		INSERT INTO users (id, email, email_canonical, email_verified, display_name, role, status, created_at, updated_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $8)`,
		u.ID, u.Email.Reveal(), u.Email.Canonical(), u.EmailVerified, u.DisplayName, string(u.Role), string(u.Status), u.CreatedAt)
	return u
}

// SignInAtFOS begins a session by password on the FOS half without a password, and
// returns a browser that has its access cookie.
func (s *Service) SignInAtFOS(t testing.TB, who user.User) *Browser {
	t.Helper()
	now := s.Clock.Now()
	of := session.Session{
		ID: uuid.Must(uuid.NewV7()), UserID: who.ID, Origin: session.Password, Generation: 1, Elevated: true,
		AuthTime: now, AMR: []string{"pwd"}, CreatedAt: now, LastUsedAt: now, ExpiresAt: now.Add(7 * 24 * time.Hour),
	}
	_, err := s.FOS.Exec(context.Background(), `
		INSERT INTO sessions (id, user_id, origin, generation, elevated, auth_time, amr, created_at, last_used_at, expires_at)
		VALUES ($1, $2, 'password', 1, true, $3, $4, $3, $3, $5)`, of.ID, of.UserID, now, of.AMR, of.ExpiresAt)
	if err != nil {
		t.Fatal(err)
	}
	pair, err := s.Signer(t).Pair(of, string(who.Role))
	if err != nil {
		t.Fatal(err)
	}
	b := s.Browser(t)
	b.SetCookie(s.FOSURL, "access_token", pair.Access.Reveal())
	return b
}

// Signer signs as the service under test does; change may alter how.
func (s *Service) Signer(t testing.TB, change ...func(*session.Config)) *session.Signer {
	t.Helper()
	config := session.Config{
		Key: privacy.NewSecret(JWTKey), Issuer: "founderyos", Audience: "founderyos-api",
		AccessTTL: 30 * time.Minute, RefreshTTL: 7 * 24 * time.Hour, Now: s.Clock.Now, Random: randomReader,
	}
	for _, alter := range change {
		alter(&config)
	}
	signer, err := session.NewSigner(config)
	if err != nil {
		t.Fatal(err)
	}
	return signer
}

// hashing is held by whoever asks about a password: several at once would only make each
// other slower, past the deadline of a request.
var hashing sync.Mutex

// Judged asks about a password until somebody has judged it, one at a time in a test
// process. A machine so busy that hashing takes longer than a request may answers 503,
// which says nothing about the password and counts as no try.
func Judged(ask func() Answer) Answer {
	hashing.Lock()
	defer hashing.Unlock()
	answer := ask()
	for range 20 {
		if answer.Code() != "dependency_unavailable" {
			break
		}
		answer = ask()
	}
	return answer
}

// PasswordHash is the hash of [Password], computed once in a test process.
var PasswordHash = sync.OnceValue(func() string {
	hash, err := password.Hash(Password)
	if err != nil {
		panic(err)
	}
	return hash
})

// UserWithPassword is User with [Password].
func (s *Service) UserWithPassword(t testing.TB, email string, change ...func(*user.User)) user.User {
	t.Helper()
	u := s.User(t, email, change...)
	Exec(t, s.FOS, `UPDATE users SET password_hash = $2 WHERE id = $1`, u.ID, PasswordHash())
	return u
}

// FOSPost posts to the FOS half below /api/v1/auth/, as a page of it does.
func (b *Browser) FOSPost(path string, body any, headers ...Header) Answer {
	b.t.Helper()
	return b.Post(b.service.FOSURL+"/api/v1/auth/"+path, body, append([]Header{{"X-Requested-With", "test"}}, headers...)...)
}

// FOSLogin signs in at the FOS half by password.
func (b *Browser) FOSLogin(email, plain string, headers ...Header) Answer {
	b.t.Helper()
	return b.FOSPost("login", map[string]any{"email": email, "password": plain}, headers...)
}
