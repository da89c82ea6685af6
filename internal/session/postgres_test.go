package session_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/hello-world-co-op/handoff/internal/datastore"
	"github.com/hello-world-co-op/handoff/internal/outage"
	"github.com/hello-world-co-op/handoff/internal/session"
	"github.com/hello-world-co-op/handoff/internal/testkit"
)

var noon = testkit.NewClock().Now()

// world is a FOS database.
type world struct {
	t  testing.TB
	db *pgxpool.Pool
}

func (w world) exec(sql string, args ...any) {
	w.t.Helper()
	if _, err := w.db.Exec(context.Background(), sql, args...); err != nil {
		w.t.Fatal(err)
	}
}

func (w world) count(sql string) int {
	w.t.Helper()
	var n int
	if err := w.db.QueryRow(context.Background(), "SELECT count(*) FROM "+sql).Scan(&n); err != nil {
		w.t.Fatal(err)
	}
	return n
}

func (w world) user() uuid.UUID {
	w.t.Helper()
	u := uuid.New()
	w.exec(`INSERT INTO users (id, email, email_canonical, email_verified, role, status, created_at, updated_at)
		VALUES ($1, $2, $2, true, 'member', 'ACTIVE', $3, $3)`, u, u.String()+"@example.org", noon)
	return u
}

func (w world) insert(n session.New) (s session.Session, inserted bool, err error) {
	err = pgx.BeginFunc(context.Background(), w.db, func(tx pgx.Tx) error {
		s, inserted, err = session.Insert(context.Background(), tx, n)
		return err
	})
	return s, inserted, err
}

// handoff is a new session of user by a new hand-off, under an arrival key.
func handoff(user uuid.UUID) session.New {
	journey, product := uuid.New(), "think-tank"
	return session.New{
		ID: uuid.New(), UserID: user, Origin: session.Handoff, HandoffID: &journey, EntryProduct: &product,
		Arrival: session.NewArrival("the browser's own key", ""), AuthTime: noon.Add(-time.Hour), AMR: []string{"pwd"},
		Now: noon, ExpiresAt: noon.Add(7 * 24 * time.Hour),
	}
}

func TestASessionIsStoredAsItWasOpened(t *testing.T) {
	t.Parallel()
	w := world{t, testkit.Database(t, datastore.FOS)}
	n := handoff(w.user())
	got, inserted, err := w.insert(n)
	if err != nil || !inserted {
		t.Fatalf("inserted %v, %v", inserted, err)
	}
	want := session.Session{
		ID: n.ID, UserID: n.UserID, Origin: session.Handoff, HandoffID: n.HandoffID, EntryProduct: n.EntryProduct,
		Generation: 1, AuthTime: n.AuthTime, AMR: n.AMR, CreatedAt: noon, LastUsedAt: noon, ExpiresAt: n.ExpiresAt,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	// I5: the arrival key itself is nowhere.
	if w.count("sessions WHERE arrival = sha256('the browser''s own key') AND sessions::text NOT LIKE '%browser%'") != 1 {
		t.Error("the arrival key is not stored as its digest")
	}

	byPassword, inserted, err := w.insert(session.New{
		ID: uuid.New(), UserID: n.UserID, Origin: session.Password, AuthTime: noon, Now: noon, ExpiresAt: n.ExpiresAt,
	})
	if err != nil || !inserted || byPassword.HandoffID != nil || !byPassword.Elevated || byPassword.AMR == nil {
		t.Errorf("a session by password is %+v, %v", byPassword, err)
	}
	if got.Elevated { // I10
		t.Error("a session by hand-off starts elevated")
	}
}

func TestI1_fiftyInsertsOfOneHandoffAreOneSession(t *testing.T) {
	t.Parallel()
	w := world{t, testkit.Database(t, datastore.FOS)}
	n := handoff(w.user())
	var group sync.WaitGroup
	var mu sync.Mutex
	ids, inserts := map[uuid.UUID]int{}, 0
	gun := make(chan struct{})
	for range 50 {
		group.Go(func() {
			mine := n
			mine.ID = uuid.New()
			<-gun
			s, inserted, err := w.insert(mine)
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				t.Error(err)
			}
			ids[s.ID]++
			if inserted {
				inserts++
			}
		})
	}
	close(gun)
	group.Wait()
	if len(ids) != 1 || inserts != 1 || w.count("sessions") != 1 {
		t.Errorf("sessions %v, %d inserted, %d rows", ids, inserts, w.count("sessions"))
	}
}

// I8: who comes second gets the session only as the same browser.
func TestI8_aSpentHandoffConvergesForItsOwnBrowserOnly(t *testing.T) {
	t.Parallel()
	other, none := session.NewArrival("another browser's key", ""), session.Arrival{}
	for name, tc := range map[string]struct {
		first  func(*session.New)
		then   func(w world, n session.New)
		second func(w world, n *session.New)
		want   error
	}{
		"the same key":              {},
		"another key":               {second: func(_ world, n *session.New) { n.Arrival = other }, want: session.ErrHandoffUsed},
		"no key, the first had one": {second: func(_ world, n *session.New) { n.Arrival = none }, want: session.ErrHandoffUsed},
		"a key, the first had none": {first: func(n *session.New) { n.Arrival = none }, want: session.ErrHandoffUsed},
		"neither had a key":         {first: func(n *session.New) { n.Arrival = none }, second: func(_ world, n *session.New) { n.Arrival = none }, want: session.ErrHandoffUsed},
		"neither had a key, the row says zero": {
			then: func(w world, n session.New) {
				w.exec(`UPDATE sessions SET arrival = decode(repeat('00', 32), 'hex') WHERE id = $1`, n.ID)
			},
			second: func(_ world, n *session.New) { n.Arrival = none }, want: session.ErrHandoffUsed,
		},
		"the same key, another person": {second: func(w world, n *session.New) { n.UserID = w.user() }, want: session.ErrHandoffUsed},
		"the session was ended": {then: func(w world, n session.New) {
			w.exec(`UPDATE sessions SET ended_at = $2, ended_as = 'logout' WHERE id = $1`, n.ID, noon)
		}, want: session.ErrHandoffUsed},
		"the session has expired": {second: func(_ world, n *session.New) {
			n.Now, n.ExpiresAt = n.ExpiresAt, n.ExpiresAt.Add(time.Hour)
		}, want: session.ErrHandoffUsed},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := world{t, testkit.Database(t, datastore.FOS)}
			first := handoff(w.user())
			second := first
			if tc.first != nil {
				tc.first(&first)
			}
			if _, inserted, err := w.insert(first); err != nil || !inserted {
				t.Fatalf("the first: inserted %v, %v", inserted, err)
			}
			if tc.then != nil {
				tc.then(w, first)
			}
			second.ID = uuid.New()
			if tc.second != nil {
				tc.second(w, &second)
			}
			s, inserted, err := w.insert(second)
			if inserted || !errors.Is(err, tc.want) || (err == nil) != (s.ID == first.ID) {
				t.Errorf("the second: session %v, inserted %v, %v", s.ID, inserted, err)
			}
			if w.count("sessions") != 1 {
				t.Error("the second left a row")
			}
		})
	}
}

// I10: the arrival was repeated after a step-up. The session is the same; what is given for
// an arrival is what an arrival proves.
func TestI10_anArrivalRepeatedAfterAStepUpIsNotElevated(t *testing.T) {
	t.Parallel()
	w := world{t, testkit.Database(t, datastore.FOS)}
	n := handoff(w.user())
	first, _, err := w.insert(n)
	if err != nil {
		t.Fatal(err)
	}
	w.exec(`UPDATE sessions SET elevated = true, auth_time = $1, amr = '{pwd,hwk}'`, noon)
	n.ID = uuid.New()
	again, inserted, err := w.insert(n)
	if err != nil || inserted {
		t.Fatalf("inserted %v, %v", inserted, err)
	}
	if diff := cmp.Diff(first, again); diff != "" {
		t.Errorf("(-first +again):\n%s", diff)
	}
	if w.count("sessions WHERE elevated AND auth_time > created_at - interval '1 s'") != 1 {
		t.Error("the step-up is gone")
	}
}

// A winner who fails after all leaves the hand-off to the next.
func TestI1_aSessionThatWasRolledBackDoesNotSpendTheHandoff(t *testing.T) {
	t.Parallel()
	w := world{t, testkit.Database(t, datastore.FOS)}
	n, failed := handoff(w.user()), errors.New("the audit row could not be written")
	err := pgx.BeginFunc(context.Background(), w.db, func(tx pgx.Tx) error {
		if _, _, err := session.Insert(context.Background(), tx, n); err != nil {
			return err
		}
		return failed
	})
	if !errors.Is(err, failed) {
		t.Fatal(err)
	}
	n.Arrival = session.NewArrival("another browser's key", "")
	if _, inserted, err := w.insert(n); err != nil || !inserted {
		t.Errorf("the next: inserted %v, %v", inserted, err)
	}
}

func TestANewSessionWhosePartsDoNotFitIsRefused(t *testing.T) {
	t.Parallel()
	w := world{t, testkit.Database(t, datastore.FOS)}
	user, zero := w.user(), uuid.Nil
	for name, edit := range map[string]func(*session.New){
		"a hand-off without its id":     func(n *session.New) { n.HandoffID = nil },
		"a hand-off with the zero id":   func(n *session.New) { n.HandoffID = &zero },
		"a password with a hand-off id": func(n *session.New) { n.Origin = session.Password },
		"a password with an arrival":    func(n *session.New) { n.Origin, n.HandoffID = session.Password, nil },
		"another origin":                func(n *session.New) { n.Origin = "sso" },
		"over before it begins":         func(n *session.New) { n.ExpiresAt = n.Now },
		"nobody knows since when":       func(n *session.New) { n.AuthTime = time.Time{} },
		"nobody's":                      func(n *session.New) { n.UserID = uuid.New() },
	} {
		n := handoff(user)
		edit(&n)
		_, inserted, err := w.insert(n)
		if down := (*outage.Error)(nil); err == nil || inserted || errors.As(err, &down) {
			t.Errorf("%s: inserted %v, %v", name, inserted, err)
		}
	}
}

func TestADatabaseThatIsAwayIsAnOutage(t *testing.T) {
	t.Parallel()
	w := world{t, testkit.Database(t, datastore.FOS)}
	n := handoff(w.user())
	ctx, cancel := context.WithCancel(context.Background())
	tx, err := w.db.Begin(ctx)
	if err != nil {
		t.Fatal(err)
	}
	cancel()
	_, inserted, err := session.Insert(ctx, tx, n)
	if down := (*outage.Error)(nil); inserted || !errors.As(err, &down) {
		t.Errorf("Insert under a deadline that is over = %v, %v", inserted, err)
	}
	if err := tx.Rollback(context.Background()); err != nil && !errors.Is(err, pgx.ErrTxClosed) {
		t.Log(err)
	}
}
