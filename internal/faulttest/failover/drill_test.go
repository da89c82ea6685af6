//go:build faults

package failover_test

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/hello-world-co-op/handoff/internal/audit"
	"github.com/hello-world-co-op/handoff/internal/faulttest"
	"github.com/hello-world-co-op/handoff/internal/testkit"
	"github.com/hello-world-co-op/handoff/internal/token"
)

// drill runs cycles of one kind of fault on one service and counts what they showed.
type drill struct {
	*service
	began time.Time

	// Of this cycle: tokens that are to be used before Redis forgets that they were,
	// and tokens that nobody uses before.
	exposed, kept []*ticket

	// late are tokens that came back and are to be presented once more when they have
	// been used for so long that Redis cannot just be late with forgetting them.
	late []*ticket

	cycles, used, returned int
	watched, unready       int // outages that were looked at, and of them those that all halves told of
	slowest, sum           time.Duration
	resurrected            []uuid.UUID
}

// ticket is a token and how it was redeemed.
type ticket struct {
	token, key string
	handoff    uuid.UUID
	number     int
	redeemed   time.Time // zero: not, or not known
}

func newDrill(t *testing.T, redisURL string) *drill {
	t.Helper()
	d := &drill{service: serve(t, redisURL), began: time.Now()}
	d.MayHear(slices.Concat(replays, losses)...)
	d.awaitReady(t)
	return d
}

// tickets mints n tokens that all redis servers of the list hold.
func (d *drill) tickets(t *testing.T, n int, held ...*faulttest.Redis) []*ticket {
	t.Helper()
	all := make([]*ticket, 0, n)
	for i := range n {
		who, key := d.next()
		minted := d.Mint(t.Context(), d.replicas[i%2].DAOURL, who)
		if !minted.OK() {
			t.Fatalf("not minted: %v\n%s", minted, d.replicas[i%2].Log())
		}
		all = append(all, &ticket{token: minted.Token, key: key, handoff: minted.HandoffID, number: i})
	}
	for _, redis := range held {
		for _, tick := range all {
			faulttest.Await(t, func() bool { return life(t, redis, tick) > 0 }, func() string { return "a token is not in redis" })
		}
	}
	return all
}

// life is how long Redis will keep the sealed claims of a token; less than zero when
// it has none. A server that loses its role ends its connections, and is asked again.
func life(t *testing.T, redis *faulttest.Redis, tick *ticket) time.Duration {
	t.Helper()
	var left time.Duration
	var err error
	faulttest.Await(t, func() bool {
		left, err = redis.Client().PTTL(t.Context(), carrierKey(t, tick)).Result()
		return err == nil
	}, func() string { return err.Error() })
	return left
}

// carrierKey is under what Redis keeps a token's sealed claims.
func carrierKey(t *testing.T, tick *ticket) string {
	t.Helper()
	parsed, err := token.Parse(tick.token)
	if err != nil {
		t.Fatal(err)
	}
	digest := parsed.Digest()
	return "dao:handoff:" + string(digest[:])
}

// isBack reports whether Redis holds a used token as if nobody had used it: one that
// was retired has at most [token.RepeatWindow] left.
func isBack(t *testing.T, redis *faulttest.Redis, tick *ticket) bool {
	t.Helper()
	return !tick.redeemed.IsZero() && life(t, redis, tick) > token.RepeatWindow
}

// redeem presents a token as its owner does: every other one to the FOS half, the
// rest to the DAO half as a FOS half does.
func (d *drill) redeem(ctx context.Context, at int, tick *ticket, key string) faulttest.Answer {
	return d.redeemBy(ctx, d.replicas[at%2], tick, key)
}

func (d *drill) redeemBy(ctx context.Context, replica *faulttest.Server, tick *ticket, key string) faulttest.Answer {
	if tick.number%2 == 0 {
		return d.Arrive(ctx, replica.FOSURL, tick.token, key)
	}
	return d.Exchange(ctx, replica.DAOURL, tick.token, key)
}

// use redeems a token, whatever becomes of it.
func (d *drill) use(ctx context.Context, tick *ticket) faulttest.Answer {
	a := d.redeem(ctx, tick.number/2, tick, tick.key)
	if a.OK() {
		tick.redeemed = time.Now()
	}
	return a
}

// useAll redeems all at once, and all must go well.
func (d *drill) useAll(t *testing.T, all []*ticket) {
	t.Helper()
	var using sync.WaitGroup
	for _, tick := range all {
		using.Go(func() {
			if a := told(func() faulttest.Answer { return d.use(t.Context(), tick) }); !a.OK() {
				t.Errorf("I1: a token is not redeemed: %v", a)
			}
		})
	}
	using.Wait()
}

// look counts the tokens of this cycle that redis gives back.
func (d *drill) look(t *testing.T, redis *faulttest.Redis) (used, returned int) {
	t.Helper()
	for _, tick := range d.exposed {
		if !tick.redeemed.IsZero() {
			used++
		}
		if isBack(t, redis, tick) {
			returned++
			d.late = append(d.late, tick)
		}
	}
	d.used += used
	d.returned += returned
	return used, returned
}

// lookForAll is look where every used token must be back, or the cycle shows nothing.
func (d *drill) lookForAll(t *testing.T, redis *faulttest.Redis) {
	t.Helper()
	if used, returned := d.look(t, redis); returned != used || used == 0 {
		t.Errorf("%d of %d used tokens came back to life in this cycle", returned, used)
	}
}

// presentAll presents every token of the cycle again, at both replicas at once, with
// another key and with its own. What the answers must be, the history's check says.
func (d *drill) presentAll(t *testing.T) {
	t.Helper()
	var presenting sync.WaitGroup
	for _, tick := range append(d.exposed, d.kept...) {
		for at := range d.replicas {
			other := fmt.Sprintf("another-key-%d-%s", at, tick.key)
			for _, key := range []string{other, tick.key} {
				presenting.Go(func() {
					if a := told(func() faulttest.Answer { return d.redeem(t.Context(), at, tick, key) }); a.Unknown() {
						t.Errorf("a token that is presented again: %v", a)
					}
				})
			}
		}
		presenting.Wait()
	}
}

// over ends a cycle's outage: redis is back since then.
func (d *drill) over(t *testing.T, since time.Time) {
	t.Helper()
	took := d.recovered(t, since)
	d.cycles++
	d.sum += took
	d.slowest = max(d.slowest, took)
}

// overWith is over for an outage that was looked at.
func (d *drill) overWith(t *testing.T, w *watch, back time.Time) {
	t.Helper()
	w.stop()
	d.over(t, back)
	d.watched++
	if w.judge(t, back) {
		d.unready++
	}
}

// longAgo is how long after its use a token that is still good in Redis has come back
// and is not just late in going: for 4 s the service puts that down to its own Retire,
// which runs behind the answer (internal/token).
const longAgo = 4500 * time.Millisecond

// presentLate presents tokens that came back in this cycle or one before, as soon as
// they have been used for long enough. The audit log must call them by their name.
func (d *drill) presentLate(t *testing.T, redis *faulttest.Redis) {
	t.Helper()
	var later []*ticket
	for _, tick := range d.late {
		if time.Since(tick.redeemed) < longAgo {
			later = append(later, tick)
			continue
		}
		if !isBack(t, redis, tick) {
			continue // another failover has taken it
		}
		if a := told(func() faulttest.Answer { return d.redeem(t.Context(), 0, tick, "late-"+tick.key) }); !a.Refused() {
			t.Errorf("I1: a token that came back: %v", a)
		}
		d.resurrected = append(d.resurrected, tick.handoff)
	}
	d.late = later
}

// distinct are ids without their repeats.
func distinct(ids []uuid.UUID) []uuid.UUID {
	seen := map[uuid.UUID]bool{}
	return slices.DeleteFunc(ids, func(id uuid.UUID) bool {
		was := seen[id]
		seen[id] = true
		return was
	})
}

// finish ends the drill with the questions that are asked after every fault.
func (d *drill) finish(t *testing.T, redis *faulttest.Redis, stop func()) {
	t.Helper()
	faulttest.Await(t, func() bool {
		d.presentLate(t, redis)
		return len(d.late) == 0
	}, func() string { return "tokens that came back are not presented" })
	stop()
	d.audit(t)
	if d.returned == 0 {
		t.Error("no token came back to life: the drill proves nothing")
	}
	d.resurrected = distinct(d.resurrected)
	named := testkit.Count(t, d.stores.DAO, `SELECT count(DISTINCT handoff_id) FROM audit_log
		WHERE event = $1 AND reason = $2 AND handoff_id = ANY($3)`, string(audit.HandoffReplayed), string(audit.Resurrected), d.resurrected)
	if named != len(d.resurrected) {
		t.Errorf("%d of %d tokens that came back are called resurrected in the audit log", named, len(d.resurrected))
	}
	faulttest.Report(t, "%d cycles, %d tokens exposed, %d came back to life, %d of them called resurrected when they were shown again",
		d.cycles, d.used, d.returned, named)
	mean := func(sum time.Duration) time.Duration {
		return (sum / time.Duration(max(1, d.cycles))).Round(time.Millisecond)
	}
	faulttest.Report(t, "hand-offs went through both replicas %v after redis was back, at most %v; %v a cycle",
		mean(d.sum), d.slowest.Round(time.Millisecond), mean(time.Since(d.began)))
	if d.watched > 0 {
		faulttest.Report(t, "every half said that redis was down while it was, in %d of %d cycles", d.unready, d.watched)
	}
	faulttest.Report(t, "%v", d.Summary())
}
