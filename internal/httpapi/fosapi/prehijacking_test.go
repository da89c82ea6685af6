package fosapi_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/hello-world-co-op/handoff/internal/member"
	"github.com/hello-world-co-op/handoff/internal/session"
	"github.com/hello-world-co-op/handoff/internal/testkit"
	"github.com/hello-world-co-op/handoff/internal/user"
)

// The five classes of account pre-hijacking (Sudhodanan and Paverd, "Pre-hijacked
// Accounts: An Empirical Study of Security Failures in User Account Creation on the Web",
// USENIX Security 2022). In each, a stranger makes an account under the victim's address,
// leaves a way into it and waits until the victim arrives and uses it. Here the victim is
// Ada, the account was never proven to be hers, and every way in must be shut from the
// moment that she is in.

// trap is such an account.
type trap struct {
	t       testing.TB
	s       *testkit.Service
	ada     member.Member
	account user.User
	have    tokens // of the stranger's session in it
}

// setTrap makes the account, with a password that the stranger knows and a session of
// theirs that is live. Whoever let them in is another program, or an older one: this one
// lets nobody into an unproven account by password.
func setTrap(t testing.TB) trap {
	t.Helper()
	s := testkit.Start(t, testkit.Options{})
	h := trap{t: t, s: s, ada: s.Member(t, "ada@example.org")}
	stranger := "Ada, not yet of ours"
	h.account = s.UserWithPassword(t, "Ada@example.org", unproven, func(u *user.User) { u.DisplayName = &stranger })
	now := s.Clock.Now()
	stay := session.Session{
		ID: uuid.Must(uuid.NewV7()), UserID: h.account.ID, Generation: 1, AuthTime: now, AMR: []string{"pwd"}, ExpiresAt: now.Add(7 * 24 * time.Hour),
	}
	testkit.Exec(t, s.FOS, `
		INSERT INTO sessions (id, user_id, origin, generation, elevated, auth_time, amr, created_at, last_used_at, expires_at)
		VALUES ($1, $2, 'password', 1, true, $3, $4, $3, $3, $5)`, stay.ID, stay.UserID, now, stay.AMR, stay.ExpiresAt)
	pair, err := s.Signer(t).Pair(stay, "member")
	if err != nil {
		t.Fatal(err)
	}
	h.have = tokens{pair.Access.Reveal(), pair.Refresh.Reveal()}
	if me := meAt(t, s, h.have.access); me.Status != http.StatusOK {
		t.Fatalf("the stranger is not in: %d %s", me.Status, me.Raw)
	}
	return h
}

// leave is what else the stranger does to the account.
func (h trap) leave(sql string, args ...any) {
	h.t.Helper()
	testkit.Exec(h.t, h.s.FOS, sql, append([]any{h.account.ID}, args...)...)
}

// springs: the victim arrives. She is in, in that account, which is hers and empty; and
// nothing of the stranger's is good any more.
func (h trap) springs() *testkit.Browser {
	h.t.Helper()
	b, answer := arrives(h.t, h.s, h.s.SignIn(h.t, h.ada))
	who, _ := answer.Body["user"].(map[string]any)
	if who["id"] != h.account.ID.String() || who["email"] != "ada@example.org" || who["email_verified"] != true ||
		who["status"] != "ACTIVE" || who["display_name"] != "Ada Lovelace" || who["role"] != "member" {
		h.t.Errorf("she arrived as %v", who)
	}
	h.shut()
	if me := b.Me(); me.Status != http.StatusOK || userID(me) != h.account.ID.String() {
		h.t.Errorf("she is not in: %d %s", me.Status, me.Raw)
	}
	if ids := idsOf(listOf(b, h.s)); len(ids) != 1 || ids[0] != sessionID(answer) {
		h.t.Errorf("sessions %v, want hers alone", ids)
	}
	return b
}

// shut tries every door of the stranger's, whichever of them the class is about.
func (h trap) shut() {
	h.t.Helper()
	wantProblem(h.t, meAt(h.t, h.s, h.have.access), http.StatusUnauthorized, "session_revoked")
	someone := h.s.Browser(h.t)
	wantProblem(h.t, refreshSending(h.t, h.s, refreshToken(h.have.refresh)), http.StatusUnauthorized, "session_revoked")
	wantProblem(h.t, stepUp(someone, testkit.Password, sending(accessToken(h.have.access))), http.StatusUnauthorized, "session_revoked")
	wantProblem(h.t, someone.FOSLogin("ada@example.org", testkit.Password), http.StatusUnauthorized, "invalid_credentials")
	for _, door := range []string{
		`api_token WHERE user_id = $1`, `password_reset WHERE user_id = $1`, `email_verification WHERE user_id = $1`,
		`oauth_credential WHERE user_id = $1`, `ic_identity_link WHERE user_id = $1`,
		`users WHERE id = $1 AND (password_hash IS NOT NULL OR totp_secret IS NOT NULL)`,
		`identity_link WHERE user_id = $1 AND subject <> '` + h.ada.ID.String() + `'`,
	} {
		if n := testkit.Count(h.t, h.s.FOS, `SELECT count(*) FROM `+door, h.account.ID); n != 0 {
			h.t.Errorf("still there: %s", door)
		}
	}
	if n := testkit.Count(h.t, h.s.FOS, `SELECT count(*) FROM audit_log WHERE event = 'user.reclaimed' AND outcome = 'success' AND actor_id = $1`, h.account.ID); n != 1 {
		h.t.Errorf("I4: %d rows record it", n)
	}
}

// The stranger signs up with a password; the victim comes by the federated way, and the
// service makes one of the two.
func TestPreHijacking_classicFederatedMerge(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]string{
		"an account": `UPDATE users SET role = 'member' WHERE id = $1`, "one that was not admitted yet": `UPDATE users SET status = 'PENDING' WHERE id = $1`,
		"with a second factor that would lock her out": `UPDATE users SET totp_secret = 'the stranger''s' WHERE id = $1`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := setTrap(t)
			h.leave(change)
			// The password is the stranger's, and right.
			wantProblem(t, h.s.Browser(t).FOSLogin("ada@example.org", testkit.Password), http.StatusForbidden, "email_unverified")
			h.springs()
		})
	}
}

// The stranger has kept a session alive all the while, and programs that have tokens.
func TestPreHijacking_unexpiredSession(t *testing.T) {
	t.Parallel()
	h := setTrap(t)
	h.leave(`INSERT INTO api_token VALUES (gen_random_uuid(), $1, sha256('the stranger''s'), now())`)
	keeper := h.s.Browser(t)
	first := h.have
	h.have = tokensOf(t, refreshSending(t, h.s, accessToken(first.access), refreshToken(first.refresh)))
	h.springs()
	// Nor is the token before the last one good for its successor, as it was until then.
	wantProblem(t, refreshSending(t, h.s, accessToken(first.access), refreshToken(first.refresh)), http.StatusUnauthorized, "session_revoked")
	wantProblem(t, keeper.FOSPost("logout-all", nil, sending(accessToken(first.access))), http.StatusUnauthorized, "session_revoked")
	if n := testkit.Count(t, h.s.FOS, `SELECT count(*) FROM sessions WHERE ended_as = 'reclaim'`); n != 1 {
		t.Errorf("%d sessions ended for it", n)
	}
}

// The stranger has put an identifier of their own beside the victim's, to come back by.
func TestPreHijacking_trojanIdentifier(t *testing.T) {
	t.Parallel()
	h := setTrap(t)
	h.leave(`INSERT INTO ic_identity_link VALUES ('aaaaa-stranger', $1, now())`)
	h.leave(`INSERT INTO oauth_credential VALUES ('github', 'stranger', $1, now())`)
	own := "aaaaa-stranger"
	mallory := h.s.Member(t, "mallory@example.org", func(a *member.Account) { a.Principal = &own })
	ada := h.springs()
	_, answer := arrives(t, h.s, h.s.SignIn(t, mallory))
	if userID(answer) == h.account.ID.String() || userID(answer) == "" {
		t.Errorf("the stranger is in her account, by their principal: %s", answer.Raw)
	}
	if me := ada.Me(); userID(me) != h.account.ID.String() {
		t.Errorf("she is %s now", userID(me))
	}
}

// The stranger has asked for another address, has not confirmed it yet, and does so when
// the victim is in.
func TestPreHijacking_unexpiredEmailChange(t *testing.T) {
	t.Parallel()
	h := setTrap(t)
	h.leave(`INSERT INTO email_verification VALUES (sha256('change'), $1, 'mallory@example.org', now() + interval '30 days')`)
	h.leave(`INSERT INTO email_verification VALUES (sha256('proof'), $1, 'ada@example.org', now() + interval '30 days')`)
	h.leave(`INSERT INTO password_reset VALUES (sha256('reset'), $1, now() + interval '30 days')`)
	h.springs()
}

// The stranger has come by way of a provider that does not ask whose an address is.
func TestPreHijacking_nonVerifyingIdP(t *testing.T) {
	t.Parallel()
	h := setTrap(t)
	h.leave(`UPDATE users SET password_hash = NULL WHERE id = $1`)
	h.leave(`INSERT INTO oauth_credential VALUES ('no-questions-asked', 'ada@example.org', $1, now())`)
	h.springs()
}
