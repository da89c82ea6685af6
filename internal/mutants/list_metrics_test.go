package mutants_test

// metricsMutants make the figures say something else than what has happened.
var metricsMutants = []mutant{
	{
		name: "rows-of-nothing", breaks: "I4: a counter says what the audit log does not",
		file:  "internal/audit/book.go",
		edits: []edit{{"case err == nil && b.Written != nil:", "case b.Written != nil:"}},
		in:    "internal/audit", killers: []string{"TestTheBookHearsOfWhatIsCertain"},
	},
	{
		name: "outage-for-ever", breaks: "I4: rights that were taken away are reported as an outage that passes",
		file:  "internal/audit/postgres.go",
		edits: []edit{{"outage.New(\"postgres\", refused{err})", "outage.New(\"postgres\", err)"}},
		in:    "internal/audit", killers: []string{"TestTheBookHearsOfWhatIsCertain"},
	},
	{
		name: "gone-is-lost", breaks: "I4: everybody who closes a tab wakes an operator",
		file:  "internal/audit/book.go",
		edits: []edit{{"b.Lost != nil && !errors.Is(err, context.Canceled)", "b.Lost != nil && (!errors.Is(err, context.Canceled) || true)"}},
		in:    "internal/audit", killers: []string{"TestTheBookHearsOfWhatIsCertain"},
	},
	{
		name: "reuse-uncounted", breaks: "I11: a stolen refresh token ends a session, and no figure says so",
		file:  "internal/signin/fos_postgres.go",
		edits: []edit{{"	session.Reused:        {{Event: audit.ReuseDetected, Outcome: audit.Failure}},\n", ""}},
		in:    "internal/app", killers: []string{"TestI4_theCountersSayWhatTheAuditLogSays"},
	},
	{
		name: "replay-ends-uncounted", breaks: "I8: one link in two browsers, and no figure says so",
		file:  "internal/handoff/fos_postgres.go",
		edits: []edit{{"audit.Times(ended, endedAs(audit.ByReplay))", "audit.Times(min(ended, 0), endedAs(audit.ByReplay))"}},
		in:    "internal/app", killers: []string{"TestI4_theCountersSayWhatTheAuditLogSays"},
	},
	{
		name: "over-is-rotated", breaks: "a refresh of a session that is over counts as one that went well",
		file:  "internal/signin/dao_postgres.go",
		edits: []edit{{"	rotated.Converged = outcome == audit.Converged\n", "	rotated.Converged, outcome = outcome == audit.Converged, audit.Rotated\n"}},
		in:    "internal/app", killers: []string{"TestI4_theCountersSayWhatTheAuditLogSays"},
	},
	{
		name: "told-ends-uncounted", breaks: "I4: what ends because the other half says so is not counted",
		file:  "internal/leaving/fos_postgres.go",
		edits: []edit{{"Scan(&sessions, &handoffs)", "Scan(&handoffs, &sessions)"}},
		in:    "internal/app", killers: []string{"TestI4_theCountersSayWhatTheAuditLogSays"},
	},
	{
		name: "reload-is-an-arrival", breaks: "a reload is one more person, and the funnel leaks where nothing is lost",
		file:  "internal/handoff/arrival.go",
		edits: []edit{{"repeated: !arrived.Began", "repeated: false"}},
		in:    "internal/app", killers: []string{"TestTheMetricsTellHowFarHandoffsCome", "TestTheMetricsTellOfAnArrivalOnce"},
	},
	{
		name: "asked-when-it-ends", breaks: "how long people think is measured from the question's end",
		file:  "internal/handoff/progress.go",
		edits: []edit{{"return p.Until.Add(-token.ParkedTTL)", "return p.Until"}},
		in:    "internal/app", killers: []string{"TestTheMetricsTellHowFarHandoffsCome"},
	},
	{
		name: "outcome-by-any-code", breaks: "whoever is let wait is counted as let in",
		file:  "internal/httpapi/outcome.go",
		edits: []edit{{"	case i.code != \"\":\n		return i.code\n", ""}},
		in:    "internal/app", killers: []string{"TestTheMetricsTellWhatRequestsCameTo"},
	},
	{
		name: "refused-by-the-first-limit", breaks: "an operator raises the limit that nobody meets",
		file:  "internal/ratelimit/limiter.go",
		edits: []edit{{"l.refused[longest.Limit.Name]; known", "l.refused[\"login-failed\"]; known"}},
		in:    "internal/app", killers: []string{"TestTheMetricsTellWhichLimitsRefuse"},
	},
	{
		name: "label-of-anything", breaks: "I6: what somebody sent becomes a label, for as long as figures are kept",
		file:  "internal/metrics/words.go",
		edits: []edit{{"	if w[value] {\n		return value\n	}\n	return other", "	return value"}},
		in:    "internal/metrics", killers: []string{"TestI6_aValueOfNoClosedSetIsNoLabel"},
	},
	{
		name: "peer-unwatched", breaks: "the other half does not answer, and no figure says which of all it is",
		file:  "internal/app/leaving.go",
		edits: []edit{{"	other.Watch = watch\n", "	_ = watch\n"}},
		in:    "internal/app", killers: []string{"TestTheMetricsTellWhichDependencyIsSlow"},
	},
	{
		name: "no-is-a-failure", breaks: "a store that says no is taken for one that is away",
		file:  "internal/datastore/redis.go",
		edits: []edit{{"	if said := redis.Error(nil); errors.As(err, &said) {\n		return nil\n	}\n", ""}},
		in:    "internal/app", killers: []string{"TestTheMetricsTellWhichDependencyIsSlow"},
	},
	{
		name: "busy-uncounted", breaks: "I13: logins are sent away, and no figure says so",
		file:  "password/hasher.go",
		edits: []edit{{"	if err := h.acquire(ctx, weight); err != nil {\n		h.load.busy.Add(1)\n", "	if err := h.acquire(ctx, weight); err != nil {\n"}},
		in:    "password", killers: []string{"TestLoadIsWhatThereIsToDo"},
	},
	{
		name: "young-after-a-restart", breaks: "a token is as young as the process, and nobody rotates what is a year old",
		file:  "internal/handoff/dao_postgres.go",
		edits: []edit{{"		RETURNING u.first_used_at`", "		RETURNING u.last_used_at`"}},
		in:    "internal/handoff", killers: []string{"TestATokenIsAsOldAsItsFirstUse"},
	},
	{
		name: "old-bearer-unseen", breaks: "a service goes on with the bearer that was to go, and no alert says so",
		file:  "internal/app/figures.go",
		edits: []edit{{"				previous = append(previous, old)\n", "				current = append(current, old)\n"}},
		in:    "internal/httpapi/fosapi", killers: []string{"TestForwardAuth_anOperatorSeesWhichBearerIsStillUsed"},
	},
	{
		name: "age-of-nothing", breaks: "an age that nobody knows is shown as 56 years",
		file:  "internal/metrics/metrics.go",
		edits: []edit{{"			if !at.IsZero() {\n", "			{\n"}},
		in:    "internal/metrics", killers: []string{"TestAServiceTokenHasATimeOnceItWasUsed"},
	},
}
