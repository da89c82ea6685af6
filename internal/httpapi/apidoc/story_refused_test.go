package apidoc_test

import (
	"net/http"
	"strings"
	"time"

	"github.com/hello-world-co-op/handoff/internal/member"
	"github.com/hello-world-co-op/handoff/internal/testkit"
)

// The pair of RFC 7636, appendix B.
const challenge = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"

// refusedTokens: each way in which an exchange says that a token is not good.
func (st *stage) refusedTokens() {
	for _, path := range []string{"/api/staging_token/exchange", "/api/auth/exchange-token"} {
		peer, ada := st.s.Browser(st.t), st.s.SignIn(st.t, st.s.Member(st.t, "ada@example.org"))
		bearer := testkit.Header{Name: "Authorization", Value: "Bearer " + testkit.ServiceToken}
		exchange := func(token string, target string) testkit.Answer {
			return peer.Post(st.s.DAOURL+path, map[string]any{"token": token, "target_domain": target}, bearer)
		}
		used := ada.MintToken()
		exchange(used, testkit.Target)
		st.want(exchange(used, testkit.Target), "token_used")
		st.want(exchange(strings.Repeat("0", 64), testkit.Target), "token_unknown")
		st.want(exchange(ada.MintToken(), testkit.OtherTarget), "token_wrong_target")
		st.want(exchange(ada.Mint(map[string]any{"challenge": challenge}).Text("token"), testkit.Target), "token_binding_failed")
		expired := ada.MintToken()
		st.later(time.Minute)
		st.want(exchange(expired, testkit.Target), "token_expired")
	}
}

// refusedMembers: who may not mint, and who may not sign in.
func (st *stage) refusedMembers() {
	for _, path := range []string{"/api/staging_token/mint", "/api/auth/cross-domain-token"} {
		mint := func(by *testkit.Browser, fields map[string]any) testkit.Answer {
			fields["entry_product"] = "dao"
			return by.Post(st.s.DAOURL+path, fields, testkit.Header{Name: "X-CSRF-Token", Value: by.CSRF})
		}
		unproven := st.s.SignIn(st.t, st.s.Member(st.t, "una@example.org", func(a *member.Account) { a.EmailVerified = false }))
		st.want(mint(unproven, map[string]any{}), "email_unverified")
		waiting := st.s.SignIn(st.t, st.s.Member(st.t, "pending@example.org", func(a *member.Account) { a.Status = member.Pending }))
		st.want(mint(waiting, map[string]any{}), "account_inactive")
		long := st.s.SignIn(st.t, st.s.Member(st.t, "ada@example.org"))
		st.later(10 * time.Second)
		st.want(mint(long, map[string]any{"max_age": 5}), "login_required")
	}
	email := st.memberWithPassword()
	testkit.Exec(st.t, st.s.DAO, `UPDATE members SET membership_status = 'suspended' WHERE email = $1`, email)
	st.want(st.s.Browser(st.t).Post(st.s.DAOURL+"/api/auth/login", map[string]any{"email": email, "password": testkit.Password}), "account_inactive")
}

// refusedUsers: whom only the right password tells what else keeps them out.
func (st *stage) refusedUsers() {
	inside := st.s.Browser(st.t)
	st.enter(inside)
	nobody := st.s.Browser(st.t)
	st.want(nobody.FOSLogin("fay@example.org", "wrong"), "invalid_credentials")
	for _, story := range []struct{ change, code string }{
		{`email_verified = false`, "email_unverified"},
		{`status = 'PENDING', email_verified = true`, "account_inactive"},
		{`status = 'ACTIVE', totp_secret = 'a second factor'`, "second_factor_required"},
	} {
		testkit.Exec(st.t, st.s.FOS, `UPDATE users SET `+story.change+` WHERE email = 'fay@example.org'`)
		st.want(nobody.FOSLogin("fay@example.org", testkit.Password), story.code)
		if story.code == "account_inactive" {
			st.want(inside.FOSPost("refresh", nil), story.code)
		}
		st.want(inside.FOSPost("step-up", map[string]any{"password": testkit.Password}), story.code)
	}
	testkit.Exec(st.t, st.s.FOS, `UPDATE users SET totp_secret = NULL WHERE email = 'fay@example.org'`)
}

// refusedArrivals: who does not get in with a token, at once and when they are asked.
func (st *stage) refusedArrivals() {
	st.want(st.s.Browser(st.t).Arrive(strings.Repeat("0", 64)), "handoff_invalid")
	for _, story := range []struct{ change, code string }{
		{`status = 'SUSPENDED'`, "account_inactive"},
		{`status = 'ACTIVE', role = 'founder'`, "identity_conflict"},
	} {
		email := story.code + "@example.org"
		st.s.UserWithPassword(st.t, email)
		testkit.Exec(st.t, st.s.FOS, `UPDATE users SET `+story.change+` WHERE email = $1`, email)
		dao := st.s.SignIn(st.t, st.s.Member(st.t, email))
		st.want(st.s.Browser(st.t).Arrive(dao.MintToken()), story.code)
		asked := st.asked(email + ".asked")
		testkit.Exec(st.t, st.s.FOS, `
			INSERT INTO users (id, email, email_canonical, email_verified, role, status, created_at, updated_at)
			SELECT gen_random_uuid(), $1, $1, true, 'member', 'ACTIVE', now(), now()`, email+".asked")
		testkit.Exec(st.t, st.s.FOS, `UPDATE users SET `+story.change+` WHERE email = $1`, email+".asked")
		st.want(asked.by.FOSPost("cross-domain/confirm", map[string]any{"handoff_id": asked.id}), story.code)
	}
}

type question struct {
	by  *testkit.Browser
	id  string
	dao *testkit.Browser
}

// asked is a browser in which Fay is signed in, and that is asked whether to go on as
// somebody who came by hand-off.
func (st *stage) asked(email string) question {
	st.t.Helper()
	q := question{by: st.s.SignInAtFOS(st.t, st.fay), dao: st.s.SignIn(st.t, st.s.Member(st.t, email))}
	answer := q.by.Arrive(q.dao.MintToken())
	if answer.Status != http.StatusAccepted {
		st.t.Errorf("not asked: %d %s", answer.Status, answer.Raw)
	}
	q.id = answer.Text("handoff_id")
	return q
}

// questions: yes, yes in a browser where somebody else is by now, no, and too late.
func (st *stage) questions() {
	body := func(q question) map[string]any { return map[string]any{"handoff_id": q.id} }
	yes := st.asked("yes@example.org")
	yes.by.Get(st.s.FOSURL + "/api/v1/auth/cross-domain/pending")
	if answer := yes.by.FOSPost("cross-domain/confirm", body(yes)); answer.Status != http.StatusOK {
		st.t.Errorf("yes: %d %s", answer.Status, answer.Raw)
	}
	again := st.asked("again@example.org")
	gil := st.s.SignInAtFOS(st.t, st.s.User(st.t, "gil@example.org"))
	again.by.SetCookie(st.s.FOSURL, "access_token", gil.Cookie(st.s.FOSURL, "access_token"))
	if answer := again.by.FOSPost("cross-domain/confirm", body(again)); answer.Status != http.StatusAccepted {
		st.t.Errorf("somebody else is signed in by now: %d %s", answer.Status, answer.Raw)
	}
	left := st.asked("left@example.org")
	left.dao.Do(http.MethodDelete, st.s.DAOURL+"/api/auth/handoffs/"+left.id, nil, testkit.Header{Name: "X-CSRF-Token", Value: left.dao.CSRF})
	st.s.Browser(st.t).Post(st.s.FOSURL+"/api/v1/auth/handoffs/end", map[string]any{"handoff_ids": []string{left.id}},
		testkit.Header{Name: "Authorization", Value: "Bearer " + testkit.ServiceToken})
	st.want(left.by.FOSPost("cross-domain/confirm", body(left)), "handoff_invalid")
}

// ended: everything that needs a session, after somebody else has ended it; and ids that
// are nobody's.
func (st *stage) ended() {
	cookies := map[string][]string{"dao": {"dao_session", "csrf_token"}, "fos": {"access_token", "refresh_token"}}
	for _, o := range testkit.Operations() {
		for _, answer := range o.Documented() {
			_, code := split(answer)
			if code != "not_found" && code != "session_revoked" {
				continue
			}
			c := st.call(o)
			switch code {
			case "not_found":
				if at := strings.LastIndex(c.path, "/"); strings.Contains(o.Path, "{id}") {
					c.path = c.path[:at] + "/019aa6d0-7b4c-7d5e-8f60-123456789abc"
				}
				st.want(st.at(st.s, o, c), code)
			case "session_revoked":
				url := map[string]string{"dao": st.s.DAOURL, "fos": st.s.FOSURL}[o.Half]
				thief := st.s.Browser(st.t)
				for _, name := range cookies[o.Half] {
					thief.SetCookie(url, name, c.by.Cookie(url+"/api/v1/auth/refresh", name))
				}
				if o.Half == "dao" {
					c.by.Post(url+"/api/auth/logout", nil, testkit.Header{Name: "X-CSRF-Token", Value: c.by.CSRF})
				} else {
					c.by.FOSPost("logout", nil)
				}
				c.by = thief
				st.want(st.at(st.s, o, c), code)
			}
		}
	}
}
