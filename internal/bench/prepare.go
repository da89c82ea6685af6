package bench

import (
	"context"
	"fmt"

	"github.com/hello-world-co-op/handoff/internal/session"
)

const (
	mintPath     = "/api/staging_token/mint"
	exchangePath = "/api/staging_token/exchange"
	loginPath    = "/api/v1/auth/cross-domain-login"
	refreshPath  = "/api/v1/auth/refresh"
	checkPath    = "/api/v1/auth/me"
	signInPath   = "/api/v1/auth/login"
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

// strangerEvery is which share of those who arrive has not arrived before: one of ten.
const strangerEvery = 10

func prepareLogin(ctx context.Context, w *world, by contender, n int) ([][]byte, error) {
	people := w.next(n)
	strangers, err := w.arrive(ctx, n/strangerEvery)
	if err != nil {
		return nil, err
	}
	for i, p := range strangers {
		people[i*strangerEvery] = p
	}
	tokens, err := w.mint(ctx, by.program, people)
	if err != nil {
		return nil, err
	}
	requests := make([][]byte, n)
	for i, tok := range tokens {
		requests[i] = w.request("POST", by.prefix+loginPath, fmt.Sprintf(`{"token":%q}`, tok.Reveal()),
			atTheFOS, withHeader, "Idempotency-Key: "+random(16))
	}
	return requests, nil
}

// What pages of the FOS half send.
const (
	atTheFOS   = "Origin: https://" + target
	withHeader = "X-Requested-With: XMLHttpRequest"
)

func prepareRefresh(ctx context.Context, w *world, by contender, n int) ([][]byte, error) {
	pairs, err := w.open(ctx, w.next(n))
	if err != nil {
		return nil, err
	}
	requests := make([][]byte, n)
	for i, pair := range pairs {
		requests[i] = w.request("POST", by.prefix+refreshPath, "{}", atTheFOS, withHeader,
			"Cookie: "+accessCookie+"="+pair.Access.Reveal()+"; "+refreshCookie+"="+pair.Refresh.Reveal())
	}
	return requests, nil
}

// inUse is how many sessions are asked about, round and round.
const inUse = 2000

func prepareCheck(ctx context.Context, w *world, by contender, n int) ([][]byte, error) {
	signedIn := func() ([]session.Pair, error) { return w.open(ctx, w.next(min(n, inUse))) }
	if w.crowd.People > 0 { // who have been there for long, all over the table
		signedIn = func() ([]session.Pair, error) { return w.standing(w.next(min(n, len(w.people)))) }
	}
	pairs, err := signedIn()
	if err != nil {
		return nil, err
	}
	requests := make([][]byte, n)
	for i := range requests {
		requests[i] = w.request("GET", by.prefix+checkPath, "", "Cookie: "+accessCookie+"="+pairs[i%len(pairs)].Access.Reveal())
	}
	return requests, nil
}

func preparePassword(_ context.Context, w *world, by contender, n int) ([][]byte, error) {
	requests := make([][]byte, n)
	for i, p := range w.next(n) {
		requests[i] = w.request("POST", by.prefix+signInPath, fmt.Sprintf(`{"email":%q,"password":%q}`, p.email, w.password), atTheFOS, withHeader)
	}
	return requests, nil
}
