package handoff_test

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/hello-world-co-op/handoff/internal/handoff"
	"github.com/hello-world-co-op/handoff/internal/testkit"
)

func newcomer(n int) person {
	return person{subject: uuid.New(), email: fmt.Sprintf("new%d@example.org", n)}
}

// inOneStatement has them all arrive in their order, behind a newcomer who waits to hear
// whether somebody else makes the same account: nobody does.
func inOneStatement(t *testing.T, h house, all ...person) {
	t.Helper()
	h.OneAtATime()
	before := newcomer(0)
	held := testkit.Hold(t, h.db, `INSERT INTO users (id, email, email_canonical, email_verified, role, status, created_at, updated_at)
		VALUES ($1, $2, $2, true, 'member', 'ACTIVE', $3, $3)`, uuid.New(), before.email, noon)
	var gone sync.WaitGroup
	arrive := func(p person) {
		a := arrivalOf(t, p)
		gone.Go(func() {
			if arrived, err := h.Arrive(inTime(t), a); err != nil || arrived.User.Email.Reveal() != p.email {
				t.Errorf("%v: %v", p.email, err)
			}
		})
	}
	arrive(before)
	testkit.UntilWaiting(t, h.db, 1)
	for i, p := range all {
		arrive(p)
		for end := time.Now().Add(10 * time.Second); h.Waiting() <= i; {
			if time.Now().After(end) {
				t.Fatal("they do not queue")
			}
		}
	}
	held.Release()
	gone.Wait()
}

// Two replicas into which the same new people arrive must not wait for each other: whoever
// makes several accounts makes them in one order, and so takes their keys in it.
func TestArrive_newcomersAreMadeInOneOrder(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	inOneStatement(t, h, newcomer(3), newcomer(1), newcomer(4), newcomer(2))
	for table, outOfOrder := range map[string]string{
		"users":         `SELECT count(*) FROM (SELECT email_canonical < lag(email_canonical) OVER (ORDER BY ctid) AS before FROM users) u WHERE before`,
		"identity_link": `SELECT count(*) FROM (SELECT u.email_canonical < lag(u.email_canonical) OVER (ORDER BY l.ctid) AS before FROM identity_link l JOIN users u ON u.id = l.user_id) o WHERE before`,
	} {
		if n := testkit.Count(t, h.db, outOfOrder); n != 0 {
			t.Errorf("%s: %d stand behind somebody who comes later", table, n)
		}
	}
}

// Section 5: somebody who was never here and arrives through two tabs at once is one user,
// and whoever is new at the same moment is not in their way.
func TestArrive_aNewcomerTwiceInOneStatementIsOneUser(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	twice := newcomer(1)
	inOneStatement(t, h, twice, newcomer(2), twice, newcomer(3))
	users, links := testkit.Count(t, h.db, `SELECT count(*) FROM users`), testkit.Count(t, h.db, `SELECT count(*) FROM identity_link`)
	sessions, created := testkit.Count(t, h.db, `SELECT count(*) FROM sessions`), testkit.Count(t, h.db, `SELECT count(*) FROM audit_log WHERE event = 'user.created'`)
	if users != 4 || links != 4 || sessions != 5 || created != 4 {
		t.Errorf("%d users, %d links, %d sessions, %d created", users, links, sessions, created)
	}
}

// Section 5, row 3: an account that comes to be while its owner arrives is theirs; the
// statement waits for it, finds that it is there, and the long way decides.
func TestArrive_anAccountThatComesToBeMeanwhile(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	p := person{subject: uuid.New(), email: "ada@example.org"}
	other := uuid.New()
	held := testkit.Hold(t, h.db, `INSERT INTO users (id, email, email_canonical, email_verified, role, status, created_at, updated_at)
		VALUES ($1, $2, $2, true, 'member', 'ACTIVE', $3, $3)`, other, p.email, noon)
	var gone sync.WaitGroup
	var arrived handoff.Arrived
	var err error
	a := arrivalOf(t, p)
	gone.Go(func() { arrived, err = h.Arrive(inTime(t), a) })
	testkit.UntilWaiting(t, h.db, 1)
	held.Commit()
	gone.Wait()
	if err != nil || arrived.User.ID != other {
		t.Errorf("%v, not %v: %v", arrived.User.ID, other, err)
	}
	if n := testkit.Count(t, h.db, `SELECT count(*) FROM audit_log WHERE event = 'user.linked'`); n != 1 {
		t.Errorf("%d are recorded as linked", n)
	}
}

// I9: a hand-off that has its session already opens no other, and creates nobody on the way
// to finding out.
func TestI9_aHandoffThatHasItsSessionCreatesNobody(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	a := arrivalOf(t, person{subject: uuid.New(), email: "new@example.org"})
	somebody := uuid.New()
	testkit.Exec(t, h.db, `INSERT INTO users (id, email, email_canonical, email_verified, role, status, created_at, updated_at)
		VALUES ($1, 'ada@example.org', 'ada@example.org', true, 'member', 'ACTIVE', $2, $2)`, somebody, noon)
	testkit.Exec(t, h.db, `INSERT INTO sessions (id, user_id, origin, handoff_id, entry_product, arrival, generation, elevated, auth_time, amr, created_at, last_used_at, expires_at)
		VALUES ($1, $2, 'handoff', $3, 'think-tank', sha256('another'), 1, false, $4, '{pwd}', $4, $4, $4)`, uuid.New(), somebody, a.Claims.HandoffID, noon)
	if arrived, err := h.Arrive(inTime(t), a); err == nil {
		t.Errorf("%v has a second session", arrived.User.ID)
	}
	if n := testkit.Count(t, h.db, `SELECT count(*) FROM users`); n != 1 {
		t.Errorf("%d users", n)
	}
}
