package bench

import (
	"context"
	"encoding/json"
	"io"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hello-world-co-op/handoff/internal/datastore"
	"github.com/hello-world-co-op/handoff/internal/testkit"
)

// startHere runs a program in this process, which is all the same to a test.
func startHere(ctx context.Context, name string, s setup) (*child, error) {
	read, in := io.Pipe()
	out, write := io.Pipe()
	ended := make(chan error, 1)
	go func() {
		err := Serve(context.WithoutCancel(ctx), name, read, write)
		_ = write.CloseWithError(err)
		ended <- err
	}()
	return newChild(s, in, out, func() error { return <-ended })
}

// newTestRig has both programs, on stores of their own with people in them.
func newTestRig(t *testing.T) *rig { return newTestRigOf(t, service, floor) }

func newTestRigOf(t *testing.T, programs ...string) *rig {
	t.Helper()
	s := &stores{
		dao: testkit.DatabaseURL(t, datastore.DAO).Reveal(), fos: testkit.DatabaseURL(t, datastore.FOS).Reveal(), redis: testkit.RedisURL(t).Reveal(),
	}
	r, err := newRig(t.Context(), s, startHere, "", programs...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := r.stop(); err != nil {
			t.Error(err)
		}
	})
	if err := r.world.settle(t.Context(), 50); err != nil {
		t.Fatal(err)
	}
	return r
}

// traces are the rows that an operation leaves, by what they show.
var traces = map[string]struct {
	half datastore.Half
	sql  string
}{
	"ledger rows":         {datastore.DAO, `SELECT count(*) FROM handoffs`},
	"redeemed":            {datastore.DAO, `SELECT count(*) FROM handoffs WHERE redeemed_as = 'exchanged'`},
	"audit: minted":       {datastore.DAO, `SELECT count(*) FROM audit_log WHERE event = 'handoff.minted' AND outcome = 'success'`},
	"audit: exchanged":    {datastore.DAO, `SELECT count(*) FROM audit_log WHERE event = 'handoff.exchanged' AND outcome = 'success'`},
	"other rows of audit": {datastore.DAO, `SELECT count(*) FROM audit_log WHERE event NOT IN ('handoff.minted', 'handoff.exchanged')`},
	"users":               {datastore.FOS, `SELECT count(*) FROM users`},
	"links":               {datastore.FOS, `SELECT count(*) FROM identity_link`},
	"sessions":            {datastore.FOS, `SELECT count(*) FROM sessions WHERE generation = 1`},
	"refreshed":           {datastore.FOS, `SELECT count(*) FROM sessions WHERE generation = 2`},
	"audit: user":         {datastore.FOS, `SELECT count(*) FROM audit_log WHERE event = 'user.created'`},
	"audit: session":      {datastore.FOS, `SELECT count(*) FROM audit_log WHERE event = 'session.created'`},
	"audit: refreshed":    {datastore.FOS, `SELECT count(*) FROM audit_log WHERE event = 'session.refreshed' AND reason = 'rotated'`},
}

func (r *rig) count(t *testing.T) map[string]int {
	t.Helper()
	counts := map[string]int{}
	for what, trace := range traces {
		pool := r.world.dao
		if trace.half == datastore.FOS {
			pool = r.world.fos
		}
		counts[what] = testkit.Count(t, pool, trace.sql)
	}
	return counts
}

// A floor that leaves out what the operation cannot do without would make every ratio
// worse than it is; a service that refused would look quick.
func TestBothProgramsDoTheWholeOfEachOperation(t *testing.T) {
	r := newTestRig(t)
	const n, few = 40, 4
	redeemed := map[string]int{"redeemed": n, "audit: exchanged": n}
	arrived := map[string]int{"sessions": n, "audit: session": n, "users": n / strangerEvery, "links": n / strangerEvery, "audit: user": n / strangerEvery}
	leaves := map[string]map[string]int{
		"mint": {"ledger rows": n, "audit: minted": n}, "exchange": redeemed, "login": arrived,
		// A session that is refreshed is one of the first generation no more.
		"refresh": {"refreshed": n, "sessions": -n, "audit: refreshed": n}, "session": {},
		"password": {"sessions": few, "audit: session": few},
	}
	for _, op := range operations {
		for _, by := range op.contenders() {
			requests, connections := n, 4
			if op.name == "password" {
				requests, connections = few, 1 // each is a fifth of a second of everything
			}
			before, turn := r.measured(t, turnOf{op, by, connections, requests, time.Minute, 1})
			if turn.Answers != requests || turn.Failed != 0 {
				t.Fatalf("%s by the %s: %d good answers of %d: %s", op.name, by.name, turn.Answers, requests, turn.Complaint)
			}
			want := maps.Clone(before)
			for what, more := range leaves[op.name] {
				want[what] += more
			}
			if op.name == "login" && by.name != theirs.name { // the floor of the issue has no gate
				want["redeemed"] += n
				want["audit: exchanged"] += n
			}
			if diff := cmp.Diff(want, r.count(t)); diff != "" {
				t.Errorf("%s by the %s leaves (-want +got):\n%s", op.name, by.name, diff)
			}
		}
	}
}

// measured takes a turn, and counts what there is when it begins. Where the machine is too
// busy for a hash in time it takes another one.
func (r *rig) measured(t *testing.T, of turnOf) (before map[string]int, turn Turn) {
	t.Helper()
	prepare := of.operation.prepare
	of.operation.prepare = func(ctx context.Context, w *world, by contender, n int) ([][]byte, error) {
		requests, err := prepare(ctx, w, by, n)
		before = r.count(t)
		return requests, err
	}
	for range tries {
		var err error
		if turn, err = r.turn(t.Context(), of); err != nil {
			t.Fatal(err)
		}
		if !strings.HasPrefix(turn.Complaint, "503") {
			break
		}
	}
	return before, turn
}

const tries = 3

// Of two programs that are compared one must not say less.
func TestBothProgramsAnswerTheSame(t *testing.T) {
	r := newTestRig(t)
	for _, op := range operations {
		ours := r.answer(t, op, op.contenders()[0])
		for _, by := range op.against {
			theirs := r.answer(t, op, by)
			for name := range ours { // the floor leaves out what is null
				if ours[name] == nil {
					delete(ours, name)
				}
			}
			if diff := cmp.Diff(slices.Sorted(maps.Keys(ours)), slices.Sorted(maps.Keys(without(theirs)))); diff != "" {
				t.Errorf("%s: the %s answers with other fields (-service +floor):\n%s", op.name, by.name, diff)
			}
		}
	}
}

func without(nulls map[string]any) map[string]any {
	maps.DeleteFunc(nulls, func(_ string, value any) bool { return value == nil })
	return nulls
}

func (r *rig) answer(t *testing.T, op operation, by contender) map[string]any {
	t.Helper()
	requests, err := op.prepare(t.Context(), r.world, by, strangerEvery)
	if err != nil {
		t.Fatal(err)
	}
	c := r.children[by.program][0]
	w, err := dial(t.Context(), map[string]string{"dao": c.DAO, "fos": c.FOS}[op.half])
	if err != nil {
		t.Fatal(err)
	}
	defer w.close()
	status, body, err := w.do(requests[0])
	for i := 1; i < tries && status == 503; i++ {
		status, body, err = w.do(requests[i])
	}
	var fields map[string]any
	if err != nil || status != 200 || json.Unmarshal(body, &fields) != nil {
		t.Fatalf("%s by the %s: %d %s, %v", op.name, by.name, status, body, err)
	}
	return fields
}

// What the floor carries is as long as what the service seals, give or take a tenth.
func TestTheFloorCarriesAsMuchAsTheService(t *testing.T) {
	r := newTestRig(t)
	tokens := map[string]string{}
	for _, by := range []contender{ours, theirs} {
		fields := r.answer(t, operations[0], by)
		tokens[by.name], _ = fields["token"].(string)
	}
	sizes := map[string]int64{}
	for name, text := range tokens {
		sizes[name] = r.carriedBytes(t, text)
	}
	if lean, fat := sizes[service]*9/10, sizes[service]*11/10; sizes[floor] < lean || sizes[floor] > fat {
		t.Errorf("the service seals %d bytes, the floor carries %d", sizes[service], sizes[floor])
	}
}
