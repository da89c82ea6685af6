package mutants_test

// troubleMutants are about lost answers, evidence and overload.
var troubleMutants = []mutant{
	{
		name: "no-time-to-ask", breaks: "I8: a dead connection takes all of the time, and nobody asks what became of the token",
		file:  "internal/handoff/exchange.go",
		edits: []edit{{`context.WithDeadline(inTime, deadline.Add(-timeToAsk))`, `context.WithDeadline(inTime, deadline)`}},
		in:    "internal/handoff", killers: []string{"TestI8_thereIsTimeLeftToAsk"},
	},
	{
		name: "gate-past-the-minute", breaks: "I2: a statement that waits redeems after the token's minute",
		file:  "internal/handoff/exchange.go",
		edits: []edit{{`context.WithTimeout(ctx, r.timeLeft())`, `context.WithCancel(ctx)`}},
		in:    "internal/handoff", killers: []string{"TestI2_theGateHasNoMoreTimeThanTheToken"},
	},
	{
		name: "certain-failures-are-unknown", breaks: "I8: an outage alarms as if outcomes were unknown",
		file:  "internal/outage/postgres.go",
		edits: []edit{{`return errors.As(err, &never) || pgconn.SafeToRetry(err)`, `return errors.As(err, &never) && pgconn.SafeToRetry(err)`}},
		in:    "internal/handoff", killers: []string{"TestI8_onlyWhatNobodyKnowsIsUnresolved"},
	},
	{
		name: "resurrection-unseen", breaks: "section 4: a token that Redis gives back looks like any replay",
		file:  "internal/token/ledger.go",
		edits: []edit{{`return since > late && (remaining > RepeatWindow || since > 2*RepeatWindow)`, `return since < 0`}},
		in:    "internal/token", killers: []string{"TestI1_aTokenThatIsBackIsRecognised"},
	},
	{
		name: "own-command-is-a-stranger", breaks: "section 4: a command that a Cluster client repeats is a 500",
		file:  "internal/token/redis.go",
		edits: []edit{{`err != nil || bytes.Equal(there, sealed)`, `err != nil || bytes.Equal(there, nil) && there != nil`}},
		in:    "internal/token", killers: []string{"TestCarrier_aCommandThatWasSentTwiceIsDoneOnce"},
	},
	{
		name: "handoff-not-held", breaks: "I8: an arrival and the evidence against it miss each other",
		file:  "internal/session/postgres.go",
		edits: []edit{{"SELECT pg_advisory_xact_lock(hashtextextended(held.id::text, 0))", "SELECT held.id"}},
		in:    "internal/session", killers: []string{"TestI8_aHandoffIsHeldByOneAtATime"},
	},
	{
		name: "evidence-dodged", breaks: "I8: who breaks off takes the token up again when the person has been and gone",
		file:  "internal/handoff/fos_postgres.go",
		edits: []edit{{`session.HoldHandoff(ctx, tx, a.Claims.HandoffID, a.Session.Arrival)`, `session.HoldHandoff(ctx, tx, a.Claims.HandoffID, session.Arrival{})`}},
		in:    "internal/httpapi/fosapi", killers: []string{"TestI8_whoBreaksOffDoesNotDodgeTheEvidence"},
	},
	{
		name: "evidence-for-ever", breaks: "I8: a spent link in a log is a weapon",
		file:  "internal/handoff/login_refusals.go",
		edits: []edit{{`by.IsNone() || !onItsWay(refusal.HandoffID, refusal.At)`, `by.IsNone()`}},
		in:    "internal/httpapi/fosapi", killers: []string{"TestI8_withoutEvidenceNothingIsEnded"},
	},
	{
		name: "evidence-ignored", breaks: "I8: a token in two browsers ends nothing",
		file:  "internal/handoff/login_refusals.go",
		edits: []edit{{`by.IsNone() || !onItsWay(refusal.HandoffID, refusal.At)`, `true || !onItsWay(refusal.HandoffID, refusal.At)`}},
		in:    "internal/httpapi/fosapi", killers: []string{"TestI8_twoBrowsersWithOneTokenEndTheSession"},
	},
	{
		name: "requests-unbounded", breaks: "I13: a half takes on whatever comes",
		file: "internal/httpapi/admission.go",
		edits: []edit{
			{`return a.working.Load() >= a.bound(fresh)`, `return a.bound(fresh) < 0`},
			{`if a.working.Add(1) > a.bound(fresh) {`, `if a.working.Add(1) < 0 {`},
		},
		in: "internal/httpapi", killers: []string{"TestI13_aSlowBodyHoldsNoPlace", "TestI13_whatIsTooMuchIsTurnedAwayAtOnce"},
	},
	{
		name: "pages-pin-connections", breaks: "I13: whoever asks for pages and reads nothing fills the listener",
		file:  "internal/httpapi/server.go",
		edits: []edit{{`if r.Page {`, `if r.Page && false {`}},
		in:    "internal/httpapi", killers: []string{"TestI13_pagesThatNobodyReadsKeepNobodyOut"},
	},
	{
		name: "beginners-take-every-place", breaks: "I13: nobody who is on their way can arrive",
		file:  "internal/httpapi/admission.go",
		edits: []edit{{`mostFresh: int64(most) / 2`, `mostFresh: int64(most)`}},
		in:    "internal/httpapi", killers: []string{"TestI13_whatIsTooMuchIsTurnedAwayAtOnce"},
	},
	{
		name: "waiting-among-all", breaks: "I13: a DAO half that hangs takes the FOS half's sessions with it",
		file:  "internal/httpapi/server.go",
		edits: []edit{{`cmp.Or(r.Apart, config.Admission)`, `cmp.Or(config.Admission, r.Apart)`}},
		in:    "internal/httpapi", killers: []string{"TestI13_whoWaitsForSomebodyElseWaitsApart"},
	},
	{
		name: "unread-body-holds-the-place", breaks: "I13: whoever does not end a long body keeps others out",
		file:  "internal/httpapi/admission.go",
		edits: []edit{{`if !fetchBody(c.Request()) {`, `if fetchBody(c.Request()); false {`}},
		in:    "internal/httpapi", killers: []string{"TestI13_aBodyWithoutEndHoldsNoPlace"},
	},
	{
		name: "newest-connection-refused", breaks: "I13: a flood of idle connections keeps everybody out",
		file:  "internal/httpapi/connections.go",
		edits: []edit{{`c.useless.Front(); len(c.open)`, `c.useless.Back(); len(c.open)`}},
		in:    "internal/httpapi", killers: []string{"TestI13_aFloodOfConnectionsClosesTheUselessOnes"},
	},
	{
		name: "probe-cut-off", breaks: "I13: a flood takes good replicas out of the load balancer",
		file:  "internal/httpapi/server.go",
		edits: []edit{{"may be closed\n\t\t\treturn protected(c)", "may be closed\n\t\t\treturn run(c)"}},
		in:    "internal/httpapi", killers: []string{"TestI13_aProbeIsNotCutOffInAFlood"},
	},
	{
		name: "slow-forms-are-protected", breaks: "I13: forms that never end keep everybody out",
		file:  "internal/httpapi/server.go",
		edits: []edit{{`readAhead(c) // a connection`, `_ = readAhead // a connection`}},
		in:    "internal/httpapi", killers: []string{"TestI13_aFloodOfFormsWithoutEndKeepsNobodyOut"},
	},
	{
		name: "everybody-asks-the-stores", breaks: "I13: a crowd at /health takes the pool",
		file:  "internal/health/health.go",
		edits: []edit{{`c.asking.DoChan("", func()`, `new(singleflight.Group).DoChan("", func()`}},
		in:    "internal/health", killers: []string{"TestI13_aCrowdAsksOnce"},
	},
}
