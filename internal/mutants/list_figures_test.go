package mutants_test

// figureMutants take away what an operator is woken by: something happened, and the
// figure of it stays 0.
var figureMutants = []mutant{
	{
		name: "resurrection-uncounted", breaks: "I1: Redis gives tokens back and nobody is told",
		file:  "internal/handoff/exchange_refusals.go",
		edits: []edit{{"\tx.resurrected.Add(1)\n", ""}},
		in:    "internal/app", killers: []string{"TestTheMetricsTellOfATokenThatIsBack"},
	},
	{
		name: "resurrection-unscraped", breaks: "I1: Redis gives tokens back, and /metrics does not have the figure",
		file:  "internal/app/dao.go",
		edits: []edit{{"\ta.metrics.Resurrected(exchange.Resurrected)\n", ""}},
		in:    "internal/app", killers: []string{"TestTheMetricsTellOfATokenThatIsBack"},
	},
	{
		name: "every-replay-a-resurrection", breaks: "I1: each second click wakes an operator, who learns to sleep on",
		file:  "internal/handoff/exchange_refusals.go",
		edits: []edit{{`err != nil || !entry.IsBack(remaining, try.now)`, `err != nil || entry.IsBack(remaining, try.now)`}},
		in:    "internal/app", killers: []string{"TestTheMetricsTellOfATokenThatIsBack"},
	},
	{
		name: "lost-exchange-uncounted", breaks: "I8: people lose their hand-off to a lost answer, and nobody is told",
		file:  "internal/handoff/exchange.go",
		edits: []edit{{"\t\tx.unresolved.Add(1)\n", ""}},
		in:    "internal/app", killers: []string{"TestTheMetricsTellOfAnExchangeThatNobodyKnows"},
	},
	{
		name: "lost-exchange-unscraped", breaks: "I8: people lose their hand-off to a lost answer, and /metrics does not have the figure",
		file:  "internal/app/dao.go",
		edits: []edit{{"\ta.metrics.Unresolved(\"dao\", exchange.Unresolved)\n", ""}},
		in:    "internal/app", killers: []string{"TestTheMetricsTellOfAnExchangeThatNobodyKnows"},
	},
	{
		name: "lost-arrival-uncounted", breaks: "I8: people lose their hand-off to the FOS half's database, and nobody is told",
		file:  "internal/handoff/login.go",
		edits: []edit{{"\t\tl.unresolved.Add(1)\n", ""}},
		in:    "internal/app", killers: []string{"TestTheMetricsTellOfAnArrivalThatIsLost"},
	},
	{
		name: "lost-arrival-unscraped", breaks: "I8: people lose their hand-off to the FOS half's database, and /metrics does not have the figure",
		file:  "internal/app/fos.go",
		edits: []edit{{"\ta.metrics.Unresolved(\"fos\", login.Unresolved)\n", ""}},
		in:    "internal/app", killers: []string{"TestTheMetricsTellOfAnArrivalThatIsLost"},
	},
	{
		name: "turned-away-uncounted", breaks: "I13: an overload turns people away, and nobody is told",
		file:  "internal/httpapi/admission.go",
		edits: []edit{{"\tif a.full(fresh) {\n\t\ta.shed.Add(1)\n", "\tif a.full(fresh) {\n"}},
		in:    "internal/app", killers: []string{"TestTheMetricsTellOfWhoWasTurnedAway"},
	},
	{
		name: "turned-away-unscraped", breaks: "I13: an overload turns people away, and /metrics does not have the figure",
		file:  "internal/app/app.go",
		edits: []edit{{"\ta.metrics.Shed(a.admission.Shed)\n", ""}},
		in:    "internal/app", killers: []string{"TestTheMetricsTellOfWhoWasTurnedAway"},
	},
	{
		name: "let-pass-unscraped", breaks: "I13: a limit is none while Redis is away, and /metrics does not have the figure",
		file:  "internal/app/limits.go",
		edits: []edit{{"\ta.metrics.Unlimited(half, limiter.Passed)\n", ""}},
		in:    "internal/app", killers: []string{"TestTheMetricsTellOfWhatWasNotCounted"},
	},
	{
		name: "evictions-unscraped", breaks: "I13: a flood of connections, and /metrics does not have the figure",
		file:  "internal/app/app.go",
		edits: []edit{{"\ta.metrics.Evicted(half, connections.Evicted)\n", ""}},
		in:    "internal/app", killers: []string{"TestTheMetricsTellOfAConnectionThatWasInTheWay"},
	},
}
