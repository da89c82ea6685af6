package mutants_test

// journeyMutants break what binds a hand-off to the browser that began it, and what a
// mint may demand.
var journeyMutants = []mutant{
	{
		name: "second-tab-spoils-the-first", breaks: "a second journey makes the first one's token useless",
		file:  "internal/handoff/start.go",
		edits: []edit{{`if verifier.IsNone() {`, `if true {`}},
		in:    "internal/httpapi/fosapi", killers: []string{"TestStart_sendsTheBrowserOnWithAChallenge", "TestTwoTabsBothArrive"},
	},
	{
		name: "verifier-travels", breaks: "who sees the address on the way has what binds the token",
		file:  "internal/handoff/start.go",
		edits: []edit{{`query.Set("challenge", verifier.Challenge())`, `query.Set("challenge", verifier.Reveal())`}},
		in:    "internal/httpapi/fosapi", killers: []string{"TestStart_sendsTheBrowserOnWithAChallenge"},
	},
	{
		name: "start-redirects-anywhere", breaks: "a journey ends on a stranger's site",
		file:  "internal/handoff/start.go",
		edits: []edit{{`request.ReturnPath != nil && !ValidReturnPath(*request.ReturnPath)`, `request.ReturnPath != nil && false`}},
		in:    "internal/httpapi/fosapi", killers: []string{"TestStart_whatItDoesNotTake"},
	},
	{
		name: "verifier-kept-back", breaks: "no token of a journey that began here is ever good",
		file: "internal/handoff/login.go",
		edits: []edit{{`verifier := request.Verifier
`, `verifier := token.Verifier{}
`}},
		in: "internal/httpapi/fosapi", killers: []string{"TestABoundTokenIsOfNoUseToAnotherBrowser", "TestTwoTabsBothArrive"},
	},
	{
		name: "unbound-link-refused", breaks: "a plain link fails in a browser that began a journey",
		file:  "internal/handoff/login.go",
		edits: []edit{{`if !errors.Is(err, token.ErrBinding) || l.Unbound == UnboundRefuse {`, `if true {`}},
		in:    "internal/httpapi/fosapi", killers: []string{"TestI8_anUnboundTokenArrivesBesideAJourneyOfOnesOwn"},
	},
	{
		name: "double-click-beside-a-journey", breaks: "I8: a double click is called a replay where the browser has a journey",
		file:  "internal/handoff/exchange.go",
		edits: []edit{{`v == token.Ours && !p.overbound()`, `v == token.Ours`}},
		in:    "internal/httpapi/fosapi", killers: []string{"TestI8_anUnboundTokenArrivesBesideAJourneyOfOnesOwn"},
	},
	{
		name: "stale-sign-in-mints", breaks: "I10: max_age is not looked at",
		file:  "internal/member/member.go",
		edits: []edit{{`s.auth_time < @signed_in_since::timestamptz`, `s.auth_time < @signed_in_since - interval '10 years'`}},
		in:    "internal/handoff", killers: []string{"TestI10_aMintCanDemandAFreshSignIn"},
	},
	{
		name: "exchange-outlives-its-caller", breaks: "I1: Postgres wakes when the other half has gone, and redeems for nobody",
		file:  "internal/httpapi/daoapi/api.go",
		edits: []edit{{`Within: handoff.ExchangeWithin, `, `Within: handoff.ExchangeWithin * 2, `}},
		in:    "internal/httpapi/daoapi", killers: []string{"TestI1_anOutageBurnsNoToken"},
	},
	{
		name: "doubt-forgotten", breaks: "a token that may be lost is not counted",
		file:  "internal/handoff/peer_answer.go",
		edits: []edit{{`a.Status == http.StatusServiceUnavailable && !inDoubt`, `a.Status == http.StatusServiceUnavailable && (true || inDoubt)`}},
		in:    "internal/handoff", killers: []string{"TestI8_whatMayHaveBeenHeardStaysInDoubt"},
	},
	{
		name: "burnt-in-the-last-moment", breaks: "I7: a wrong target in the last moment is told as an outage",
		file: "internal/handoff/exchange.go",
		edits: []edit{{`x.became(ctx, try, token.OursBurnt, err):
		won = true
	case err != nil && !x.Now().Before(r.Claims.ExpiresAt):`, `x.became(ctx, try, token.OursBurnt, err):
		won = true
	case false:`}},
		in: "internal/handoff", killers: []string{"TestI2_aTokenThatExpiresWhileItIsBurntHasExpired"},
	},
	{
		name: "login-waits-for-its-hash", breaks: "I13: on a starved machine a login is answered when its hash is done",
		file: "password/hasher.go",
		edits: []edit{{`case <-ctx.Done():
		h.load.busy.Add(1)
		return none, busy(ctx)
	}
}

func slotsFor`, `case <-context.Background().Done():
		h.load.busy.Add(1)
		return none, busy(ctx)
	}
}

func slotsFor`}},
		in: "password", killers: []string{"TestADeadlineIsKeptWhileTheComputationGoesOn"},
	},
}
