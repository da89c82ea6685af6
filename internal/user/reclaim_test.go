package user_test

import (
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/hello-world-co-op/handoff/internal/datastore"
	"github.com/hello-world-co-op/handoff/internal/testkit"
	"github.com/hello-world-co-op/handoff/internal/user"
)

const insertSession = `INSERT INTO sessions (id, user_id, origin, generation, elevated, auth_time, amr, created_at, last_used_at, expires_at)
	VALUES ($1, $2, 'password', 1, true, $3, '{pwd}', $3, $3, $4)`

// doors are the ways in that somebody who made an account under the victim's
// address could have left open: the classes of Sudhodanan and Paverd (USENIX
// Security 2022) that this database can hold. open counts those still open.
var doors = map[string]struct{ leave, open string }{
	"classic-federated merge: the password": {
		`UPDATE users SET password_hash = 'the stranger''s' WHERE id = $1`, `users WHERE id = $1 AND password_hash IS NOT NULL`,
	},
	"unexpired session": {
		`INSERT INTO sessions (id, user_id, origin, generation, elevated, auth_time, amr, created_at, last_used_at, expires_at)
		VALUES (gen_random_uuid(), $1, 'password', 1, true, '2026-11-21', '{pwd}', '2026-11-21', '2026-11-21', '2026-11-28')`,
		`sessions WHERE user_id = $1 AND ended_at IS NULL`,
	},
	"trojan identifier: an OAuth account": {
		`INSERT INTO oauth_credential VALUES ('github', 'stranger', $1, now())`, `oauth_credential WHERE user_id = $1`,
	},
	"trojan identifier: a principal": {
		`INSERT INTO ic_identity_link VALUES ('stranger-principal', $1, now())`,
		`ic_identity_link WHERE user_id = $1 AND principal <> 'rrkah-fqaaa-aaaaa-aaaaq-cai'`,
	},
	"unexpired email change": {
		`INSERT INTO email_verification VALUES (sha256('change'), $1, 'stranger@example.org', now() + interval '1 day')`,
		`email_verification WHERE user_id = $1`,
	},
	"unexpired password reset": {
		`INSERT INTO password_reset VALUES (sha256('reset'), $1, now() + interval '1 day')`, `password_reset WHERE user_id = $1`,
	},
	"API token": {
		`INSERT INTO api_token VALUES (gen_random_uuid(), $1, sha256('token'), now())`, `api_token WHERE user_id = $1`,
	},
	"second factor that locks the owner out": {
		`UPDATE users SET totp_secret = 'the stranger''s' WHERE id = $1`, `users WHERE id = $1 AND totp_secret IS NOT NULL`,
	},
	"display name": {
		`UPDATE users SET display_name = 'Stranger' WHERE id = $1`, `users WHERE id = $1 AND display_name = 'Stranger'`,
	},
}

func TestI9_aPreHijackedAccountIsEmptiedForItsOwner(t *testing.T) {
	t.Parallel()
	for name, door := range doors {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := world{t, testkit.Database(t, datastore.FOS)}
			id := w.has(account{email: "ADA@example.org", unproven: true, status: user.Pending, role: user.Guest})
			w.exec(door.leave, id)
			if w.count(door.open, id) != 1 {
				t.Fatal("the door was not open to begin with")
			}
			a := ada(t)
			a.Principal = ptr("rrkah-fqaaa-aaaaa-aaaaq-cai")

			r := w.arrives(a)
			if r.Action != user.Reclaimed || r.User.ID != id || !r.PrincipalAdded {
				t.Fatalf("the arrival is %+v", r)
			}
			if w.count(door.open, id) != 0 {
				t.Error("the door is still open")
			}
			if !r.User.EmailVerified || r.User.Status != user.Active || r.User.Role != user.Guest ||
				r.User.Email.Reveal() != "Ada@Example.org" || *r.User.DisplayName != "Ada" {
				t.Errorf("the reclaimed user is %+v", r.User)
			}
			if again := w.arrives(a); again.Action != user.Entered || again.User.ID != id || again.User.DisplayName == nil {
				t.Errorf("the next arrival is %+v", again)
			}
		})
	}
}

// A row that ended for a reason of its own keeps it; a neighbour keeps all.
func TestI9_reclaimingTouchesNobodyElse(t *testing.T) {
	t.Parallel()
	w := world{t, testkit.Database(t, datastore.FOS)}
	neighbour := w.has(account{email: "bob@example.org", unproven: true})
	for _, door := range doors {
		w.exec(door.leave, neighbour)
	}
	before := w.dump()
	id := w.has(account{email: "ada@example.org", unproven: true})
	ended := uuid.New()
	w.exec(insertSession, ended, id, noon, noon.Add(time.Hour))
	w.exec(`UPDATE sessions SET ended_at = $2, ended_as = 'logout' WHERE id = $1`, ended, noon)

	a := ada(t)
	a.DisplayName = nil
	if r := w.arrives(a); r.Action != user.Reclaimed || r.User.DisplayName != nil {
		t.Errorf("the arrival is %+v", r)
	}
	if w.count("sessions WHERE id = $1 AND ended_as = 'logout'", ended) != 1 {
		t.Error("the reason why an old session ended was overwritten")
	}
	w.exec(`DELETE FROM users WHERE id = $1`, id)
	if after := w.dump(); after != before {
		t.Errorf("before\n%s\nafter\n%s", before, after)
	}
}

// The stranger signs in at the very moment: a session that is not committed yet
// when the owner arrives is waited for and ended.
func TestI9_aSessionBegunDuringTheReclaimIsEndedToo(t *testing.T) {
	t.Parallel()
	w := world{t, testkit.Database(t, datastore.FOS)}
	id := w.has(account{email: "ada@example.org", unproven: true})

	stranger := testkit.Hold(t, w.db, insertSession, uuid.New(), id, noon, noon.Add(time.Hour))
	arrived := make(chan user.Resolution, 1)
	go func() {
		r, err := w.arrive(ada(t))
		if err != nil {
			t.Error(err)
		}
		arrived <- r
	}()
	testkit.UntilWaiting(t, w.db, 1)
	stranger.Commit()
	if r := <-arrived; r.Action != user.Reclaimed {
		t.Errorf("the arrival is %+v", r)
	}
	if w.count("sessions WHERE ended_as = 'reclaim'") != 1 || w.count("sessions") != 1 {
		t.Errorf("the stranger's session is alive:\n%s", w.dump())
	}
}
