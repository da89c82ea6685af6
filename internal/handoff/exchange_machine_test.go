package handoff_test

import (
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	"net/url"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"pgregory.net/rapid"

	"github.com/hello-world-co-op/handoff/internal/handoff"
	"github.com/hello-world-co-op/handoff/internal/member"
	"github.com/hello-world-co-op/handoff/internal/privacy"
	"github.com/hello-world-co-op/handoff/internal/testkit"
	"github.com/hello-world-co-op/handoff/internal/token"
)

// I1, I2, I7 and I8 as a state machine: a few tokens, and whatever people, stores and
// clocks do to them in whatever order. The service's answers are the model's
// (exchange_model_test.go), and so are ledger and audit log.

// machine is the service on real stores and the model of it.
type machine struct {
	b        *bench
	moody    *moody
	minter   *handoff.Minter
	exchange *handoff.Exchange

	member  uuid.UUID
	active  bool
	source  *source
	cookie  member.Cookie
	tokens  []*journey
	sealed  map[uuid.UUID][]byte    // what Redis once held
	granted map[uuid.UUID][]attempt // the tries that were given claims
	rows    int                     // in the ledger
	tries   int
	seen    map[string]int // in the whole run
}

func newMachine(t *testing.T) *machine {
	t.Helper()
	b, _ := newBench(t)
	sealer, err := token.NewSealer([]privacy.Key{testkit.Key(t, testkit.SealingKey)}, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	m := &machine{b: b, moody: &moody{ledger: b.DAOStore, carrier: b.carrier}, seen: map[string]int{}}
	m.minter = handoff.NewMinter(handoff.MinterConfig{
		Targets:       []handoff.Target{{Domain: testkit.Target, LandingURL: &url.URL{Scheme: "https", Host: testkit.Target}}},
		EntryProducts: []string{"think-tank"}, Limit: perMinute(t, 100_000), Ledger: m.moody, Carrier: m.moody, Sealer: sealer, Now: b.clock.Now, Random: rand.Reader,
	})
	m.exchange = handoff.NewExchange(handoff.ExchangeConfig{
		Ledger: unhurried{m.moody}, Carrier: m.moody, Sealer: sealer, Now: b.clock.Now, Random: rand.Reader, Log: slog.New(slog.DiscardHandler),
	})
	return m
}

// begin is a new member, signed in.
func (m *machine) begin(rt *rapid.T) {
	m.member, m.active, m.rows, m.tries = uuid.Must(uuid.NewV7()), true, 0, 0
	m.tokens, m.sealed, m.granted = nil, map[uuid.UUID][]byte{}, map[uuid.UUID][]attempt{}
	email := m.member.String() + "@example.org"
	m.exec(rt, `INSERT INTO members (id, email, email_canonical, email_verified, membership_status, created_at, updated_at)
		VALUES ($1, $2, $2, true, 'active', $3, $3)`, m.member, email, m.b.clock.Now())
	m.signIn(rt)
}

func (m *machine) exec(rt *rapid.T, sql string, args ...any) {
	if _, err := m.b.db.Exec(context.Background(), sql, args...); err != nil {
		rt.Fatal(err)
	}
}

// signIn begins a session that the next tokens are minted from.
func (m *machine) signIn(rt *rapid.T) {
	cookie, err := member.NewCookie(rand.Reader)
	if err != nil {
		rt.Fatal(err)
	}
	s := member.NewSession(uuid.Must(uuid.NewV7()), m.member, m.b.clock.Now())
	m.exec(rt, `INSERT INTO sessions (id, member_id, digest, auth_time, amr, created_at, idle_expires_at, expires_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`, s.ID, m.member, cookie.Digest(), s.AuthTime, s.AMR, s.CreatedAt, s.IdleExpiresAt, s.ExpiresAt)
	m.cookie, m.source = cookie, &source{id: s.ID, idleAt: s.IdleExpiresAt, active: &m.active}
}

func (m *machine) signOut(rt *rapid.T) {
	if m.source.ended {
		return
	}
	m.exec(rt, `UPDATE sessions SET ended_at = $2, ended_as = 'logout' WHERE id = $1`, m.source.id, m.b.clock.Now())
	m.source.ended = true
}

// bars: an operator deactivates the member, which ends their sessions, or lets them in again.
func (m *machine) bars(rt *rapid.T) {
	was := m.active
	m.active = rapid.Bool().Draw(rt, "active")
	status := map[bool]member.Status{true: member.Active, false: member.Suspended}[m.active]
	m.exec(rt, `UPDATE members SET membership_status = $2 WHERE id = $1`, m.member, string(status))
	if m.active == was || m.active {
		return
	}
	m.source.ended = true
	for _, j := range m.tokens {
		j.source.ended = true
	}
}

// mints asks for a token, of which a run has few: more would only each be shown
// less often.
func (m *machine) mints(rt *rapid.T) {
	if len(m.tokens) == 8 {
		return
	}
	bound := rapid.Bool().Draw(rt, "bound to a browser")
	request := handoff.MintRequest{Cookie: m.cookie, SessionID: m.source.id, EntryProduct: "think-tank"}
	j := &journey{source: m.source, carried: ownClaims, rows: map[string]int{"handoff.minted ": 1}}
	if bound {
		j.verifier, request.Challenge = binding("the browser's own")
	}
	m.moody.troubles = troubles{mint: in(rt, "mint"), put: in(rt, "put")}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	now := m.b.clock.Now()
	minted, err := m.minter.Mint(ctx, request)
	want := m.mayMint(now)
	switch {
	case m.moody.mint == refused:
		want = errMoody
	case want == nil:
		m.rows++
		if m.moody.mint != well || m.moody.put != well {
			want = errMoody // and a row for a token that nobody holds: the safe side
		}
	}
	if !errors.Is(err, want) || (err == nil) != (want == nil) {
		rt.Fatalf("mint: %v, want %v", err, want)
	}
	if err != nil {
		return
	}
	j.id, j.tok, j.expires = minted.HandoffID, minted.Token, now.Add(time.Minute)
	if m.sealed[j.id], err = m.b.carrier.Get(ctx, j.tok.Digest()); err != nil || m.sealed[j.id] == nil {
		rt.Fatalf("redis carries nothing: %v", err)
	}
	m.tokens = append(m.tokens, j)
}

func (m *machine) mayMint(now time.Time) error {
	switch {
	case m.source.ended:
		return member.ErrSessionRevoked
	case !now.Before(m.source.idleAt):
		return member.ErrNoSession
	case !m.active:
		return member.ErrInactive
	}
	return nil
}

// loses: Redis restarts empty.
func (m *machine) loses(rt *rapid.T) {
	if err := m.b.redis.FlushDB(context.Background()).Err(); err != nil {
		rt.Fatal(err)
	}
	for _, j := range m.tokens {
		j.carried = noClaims
	}
	m.shows(rt)
}

// holds: a lagging replica takes over, and what Redis had forgotten is back; or
// somebody writes to Redis, and it holds what was sealed for another token.
func (m *machine) holds(rt *rapid.T) {
	j := m.one(rt)
	if j == nil {
		return
	}
	value := m.sealed[j.id]
	j.carried, j.retired = ownClaims, false
	if other := m.one(rt); evenly(rt, "foreign", []bool{true, true, false}) && other != j {
		value, j.carried = m.sealed[other.id], foreignClaims
	}
	if err := m.b.redis.Set(context.Background(), carrierKey(j.tok), value, time.Hour).Err(); err != nil {
		rt.Fatal(err)
	}
	m.showsThe(rt, j)
}

// agrees: ledger and audit log are the model's.
func (m *machine) agrees(rt *rapid.T) {
	rows, err := m.b.db.Query(context.Background(), `SELECT h.handoff_id, h.redeemed_at, h.redeemed_as = 'wrong_target',
		(SELECT array_agg(a.event || ' ' || coalesce(a.reason, '')) FROM audit_log a WHERE a.handoff_id = h.handoff_id AND a.actor_id = h.member_id)
		FROM handoffs h WHERE h.member_id = $1`, m.member)
	if err != nil {
		rt.Fatal(err)
	}
	defer rows.Close()
	n := 0
	for ; rows.Next(); n++ {
		var id uuid.UUID
		var at *time.Time
		var burnt *bool
		var events []string
		if err := rows.Scan(&id, &at, &burnt, &events); err != nil {
			rt.Fatal(err)
		}
		m.compare(rt, id, &closedRow{at, burnt}, events)
	}
	if rows.Err() != nil || n != m.rows {
		rt.Fatalf("%d rows in the ledger, want %d: %v", n, m.rows, rows.Err())
	}
}

// closedRow is what the ledger says of a redemption.
type closedRow struct {
	at    *time.Time
	burnt *bool
}

func (m *machine) compare(rt *rapid.T, id uuid.UUID, row *closedRow, events []string) {
	want := &journey{rows: map[string]int{"handoff.minted ": 1}} // one that nobody holds
	for _, j := range m.tokens {
		if j.id == id {
			want = j
		}
	}
	got := map[string]int{}
	for _, event := range events {
		got[event]++
	}
	if diff := cmp.Diff(want.rows, got); diff != "" {
		rt.Fatalf("I4: audit rows of one token (-want +got):\n%s", diff)
	}
	if (row.at != nil) != (want.closed != nil) || want.closed != nil && (!row.at.Equal(want.closed.at) || *row.burnt != want.closed.burnt) {
		rt.Fatalf("the ledger: %v %v, want %+v", row.at, row.burnt, want.closed)
	}
}

func TestI1_whateverHappensToAToken(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	rapid.Check(t, func(rt *rapid.T) {
		m.begin(rt)
		m.mints(rt)
		m.mints(rt)
		rt.Repeat(map[string]func(*rapid.T){"": m.agrees, "next": m.happens})
		m.stillGood(rt)
	})
	m.wantAllSeen(t)
}

// stillGood: what was not redeemed is redeemable to the end (I1), provided that Redis
// has its claims again.
func (m *machine) stillGood(rt *rapid.T) {
	for _, j := range m.tokens {
		j.carried, j.retired = ownClaims, false
		err := m.b.redis.Set(context.Background(), carrierKey(j.tok), m.sealed[j.id], time.Hour).Err()
		if err != nil {
			rt.Fatal(err)
		}
		m.present(rt, j, showing{target: testkit.Target, verifier: j.verifier})
	}
	m.agrees(rt)
}
