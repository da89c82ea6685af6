package bench

import (
	"context"
	"fmt"
)

// operation is something that both programs do.
type operation struct {
	name string
	// half is where the service does it.
	half string
	// against are the floors, by what stands before the path there.
	against []contender
	// connections are how many it is measured at, if fewer than what is asked for.
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
)

// contenders are all who do it, the service first.
func (o operation) contenders() []contender { return append([]contender{ours}, o.against...) }

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
}

const (
	mintPath     = "/api/staging_token/mint"
	exchangePath = "/api/staging_token/exchange"
)

func prepareMint(_ context.Context, w *world, by contender, n int) ([][]byte, error) {
	requests := make([][]byte, n)
	for i, p := range w.next(n) {
		requests[i] = w.request("POST", by.prefix+mintPath, `{"entry_product":"`+product+`"}`,
			"Origin: https://think-tank.example", "Cookie: __Host-dao_session="+p.cookie.Reveal()+"; csrf_token="+p.csrf, "X-CSRF-Token: "+p.csrf)
	}
	return requests, nil
}

func prepareExchange(ctx context.Context, w *world, by contender, n int) ([][]byte, error) {
	tokens, err := w.mint(ctx, by.program, w.next(n))
	if err != nil {
		return nil, err
	}
	requests := make([][]byte, n)
	for i, tok := range tokens {
		requests[i] = w.request("POST", by.prefix+exchangePath, fmt.Sprintf(`{"token":%q,"target_domain":%q}`, tok.Reveal(), target),
			"Authorization: Bearer "+w.config.ServiceTokens[0].Reveal(), "Idempotency-Key: "+random(16))
	}
	return requests, nil
}
