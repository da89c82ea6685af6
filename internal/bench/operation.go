package bench

import (
	"context"
	"slices"
)

// operation is something that both programs do.
type operation struct {
	name string
	// half is where the service does it.
	half string
	// against are the floors, by what stands before the path there.
	against []contender
	// most is how many connections it is measured at, where more were asked for; 0 for no
	// bound.
	most int
	// prepare makes n requests that will be good for whom they are made.
	prepare func(ctx context.Context, w *world, by contender, n int) ([][]byte, error)
	goals   map[int]goal // by connections
}

// contender does an operation its way.
type contender struct {
	name    string
	program string
	prefix  string // before the path
}

var (
	ours   = contender{name: service, program: service}
	theirs = contender{name: floor, program: floor}
	// gated also passes the fence in the DAO half's database, as I1 demands.
	gated = contender{name: "floor+gate", program: floor, prefix: "/gate"}
)

// contenders are all who do it, the service first.
func (o operation) contenders() []contender { return append([]contender{ours}, o.against...) }

// at are the numbers of connections that it is measured at.
func (o operation) at(asked []int) []int {
	var numbers []int
	for _, n := range asked {
		if o.most > 0 {
			n = min(n, o.most)
		}
		if !slices.Contains(numbers, n) {
			numbers = append(numbers, n)
		}
	}
	return numbers
}

// goal is the least throughput and the greatest p99 against the floor; 0 for none.
type goal struct{ throughput, p99 float64 }

// operations are all of them.
var operations = []operation{
	{
		name: "mint", half: "dao", against: []contender{theirs}, prepare: prepareMint,
		goals: map[int]goal{1: {0.95, 0}, 16: {1.45, 0.70}, 64: {2.0, 0.60}},
	},
	{
		name: "exchange", half: "dao", against: []contender{theirs}, prepare: prepareExchange,
		goals: map[int]goal{1: {0.90, 0}, 16: {1.40, 0.70}, 64: {1.95, 0.60}},
	},
	{
		name: "login", half: "fos", against: []contender{theirs, gated}, prepare: prepareLogin,
		goals: map[int]goal{1: {1.05, 0}, 16: {1.40, 0.70}, 64: {1.75, 0.60}},
	},
	{name: "refresh", half: "fos", against: []contender{theirs}, prepare: prepareRefresh},
	{name: "session", half: "fos", against: []contender{theirs}, prepare: prepareCheck},
	{name: "password", half: "fos", against: []contender{theirs}, prepare: preparePassword, most: hashable},
}

// hashable is how many may sign in by password at once, by which two processors are full.
// Of many more the service tells some at once that there is too much to do (I13), which
// here would be failures.
const hashable = 2
