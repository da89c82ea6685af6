package mutants_test

// traceMutants let traces say what is nobody's business, or believe strangers.
var traceMutants = []mutant{
	{
		name: "anybodys-trace", breaks: "a stranger chooses our trace ids, and what is recorded",
		file:  "internal/httpapi/trace.go",
		edits: []edit{{"_, byPeer = keyIDOf(c, config.Peers)", "byPeer = true"}},
		in:    "internal/app", killers: []string{"TestOnlyTheOtherHalfsTraceGoesOn"},
	},
	{
		name: "trace-ends-at-the-door", breaks: "an arrival is two traces",
		file:  "internal/app/figures.go",
		edits: []edit{{"		f.inject(ctx, header)\n", "		_ = header\n"}},
		in:    "internal/app", killers: []string{"TestAnArrivalIsOneTraceThroughBothHalves"},
	},
	{
		name: "span-of-a-path", breaks: "I6: the address that somebody asked for is exported",
		file:  "internal/httpapi/trace.go",
		edits: []edit{{"Route: c.Path()", "Route: request.RequestURI"}},
		in:    "internal/app", killers: []string{"TestI6_tracesHoldNobodyAndNothing"},
	},
	{
		name: "span-of-a-command", breaks: "I6: keys and values of Redis are exported",
		file:  "internal/datastore/redis.go",
		edits: []edit{{"h.watch(ctx, command.Name())", "h.watch(ctx, command.String())"}},
		in:    "internal/app", killers: []string{"TestI6_tracesHoldNobodyAndNothing"},
	},
	{
		name: "span-of-a-statement", breaks: "I6: statements are exported",
		file: "internal/datastore/postgres.go",
		edits: []edit{
			{"_ *pgx.Conn, _ pgx.TraceQueryStartData) context.Context {\n	ctx, end := t.watch(ctx, \"query\")", "_ *pgx.Conn, data pgx.TraceQueryStartData) context.Context {\n	ctx, end := t.watch(ctx, data.SQL)"},
		},
		in: "internal/app", killers: []string{"TestI6_tracesHoldNobodyAndNothing"},
	},
	{
		name: "span-of-an-error", breaks: "I6: the text of an error, which may quote anything, is exported",
		file:  "internal/tracing/spans.go",
		edits: []edit{{"attribute.String(\"error.type\", \"failed\"))\n		span.SetStatus(codes.Error, \"\")", "attribute.String(\"error.type\", \"failed\"))\n		span.SetStatus(codes.Error, err.Error())"}},
		in:    "internal/app", killers: []string{"TestI6_tracesHoldNobodyAndNothing"},
	},
	{
		name: "journey-without-a-trace", breaks: "nobody finds the trace of a hand-off",
		file:  "internal/tracing/spans.go",
		edits: []edit{{"attribute.String(\"handoff_id\", a.HandoffID)", "attribute.String(\"request_id\", a.HandoffID)"}},
		in:    "internal/app", killers: []string{"TestAnArrivalIsOneTraceThroughBothHalves"},
	},
	{
		name: "missing-traces-untold", breaks: "a collector takes nothing, and no figure says so",
		file:  "internal/tracing/tracing.go",
		edits: []edit{{"		e.failures.Add(1)\n", "		_ = e.failures.Load()\n"}},
		in:    "internal/app", killers: []string{"TestACollectorThatHangsDelaysNobody"},
	},
}
