package mutants_test

// machineMutants are wrong at one moment, or when two things go wrong together. The
// state machine must come across them by itself.
var machineMutants = []mutant{
	{
		name: "minute-a-millisecond-short", breaks: "I1: a token is refused in the last millisecond of its minute",
		file:  "internal/handoff/dao_postgres.go",
		edits: []edit{{`h.redeemed_at IS NULL AND h.expires_at > @now`, `h.redeemed_at IS NULL AND h.expires_at > @now::timestamptz + interval '1 millisecond'`}},
		in:    "internal/handoff", killers: []string{"TestI1_whateverHappensToAToken"},
	},
	{
		name: "verdict-a-millisecond-late", breaks: "I2: a token whose minute is just over is called good",
		file:  "internal/token/ledger.go",
		edits: []edit{{`case !now.Before(e.ExpiresAt):`, `case now.After(e.ExpiresAt):`}},
		in:    "internal/handoff", killers: []string{"TestI1_whateverHappensToAToken"},
	},
	{
		name: "repeat-window-a-moment-short", breaks: "I8: whose answer was lost may not ask for it at the tenth second",
		file:  "internal/token/ledger.go",
		edits: []edit{{`now.Sub(*e.RedeemedAt) <= RepeatWindow`, `now.Sub(*e.RedeemedAt) < RepeatWindow`}},
		in:    "internal/handoff", killers: []string{"TestI1_whateverHappensToAToken"},
	},
	{
		name: "lost-commit-never-asked-for", breaks: "I8: the COMMIT's answer is lost, and with it the hand-off",
		file:  "internal/handoff/exchange.go",
		edits: []edit{{`x.became(ctx, try, token.Ours, err)`, `x.became(ctx, try, token.Expired, err)`}},
		in:    "internal/handoff", killers: []string{"TestI1_whateverHappensToAToken"},
	},
	{
		name: "lost-burning-never-asked-for", breaks: "I7: who burnt a token is told of an outage when it was burnt",
		file:  "internal/handoff/exchange.go",
		edits: []edit{{`x.became(ctx, try, token.OursBurnt, err)`, `x.became(ctx, try, token.Ours, err)`}},
		in:    "internal/handoff", killers: []string{"TestI1_whateverHappensToAToken"},
	},
	{
		name: "lost-claims-burn-nothing", breaks: "I7: a token in the wrong hands stays good while Redis is without it",
		file:  "internal/handoff/exchange.go",
		edits: []edit{{`try.claims == nil && !try.misdirected && try.request.misses(entry.Target):`, `try.claims == nil && try.misdirected && try.request.misses(entry.Target):`}},
		in:    "internal/handoff", killers: []string{"TestI1_whateverHappensToAToken"},
	},
	{
		name: "refusal-retires", breaks: "I1: whoever shows a token in another browser leaves it ten seconds to live",
		file:  "internal/handoff/exchange.go",
		edits: []edit{{"case try.unbound:\n\t\treturn x.askLedger", "case try.unbound:\n\t\tx.tidy(ctx, try.redemption(claims), x.Carrier.Retire)\n\t\treturn x.askLedger"}},
		in:    "internal/httpapi", killers: []string{"TestI1_hostileRequestsChangeNothing"},
	},
}
