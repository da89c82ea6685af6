package mutants_test

// clientMutants are about what integrators and operators meet: the description, its viewer,
// and what a process tells a collector.
var clientMutants = []mutant{
	{
		name: "server-of-the-root", breaks: "behind a gateway that strips a prefix, the DAO half's description leads elsewhere",
		file:  "internal/httpapi/apidoc/dao.json",
		edits: []edit{{`"url": "."`, `"url": "/"`}},
		in:    "internal/httpapi/apidoc", killers: []string{"TestTheDescriptionsServerIsWhereItIs"},
	},
	{
		name: "server-beside-the-document", breaks: "the FOS half's description leads to /api/v1/api/v1",
		file:  "internal/httpapi/apidoc/fos.json",
		edits: []edit{{`"url": "../.."`, `"url": "."`}},
		in:    "internal/httpapi/apidoc", killers: []string{"TestTheDescriptionsServerIsWhereItIs"},
	},
	{
		name: "codes-of-nobody", breaks: "who has a service's address only finds no list of its error codes",
		file:  "internal/app/apidocs.go",
		edits: []edit{{`map[string]any{"codes": httpapi.Codes()}`, `map[string]any{"codes": httpapi.Codes()[:0]}`}},
		in:    "internal/httpapi/apidoc", killers: []string{"TestTheListOfErrorsIsServed"},
	},
	{
		name: "unpacked-for-everybody", breaks: "I13: a small request costs megabytes",
		file:  "internal/httpapi/apidoc/viewer.go",
		edits: []edit{{`f.plain = sync.OnceValue(func() []byte { return unpacked(content) })`, `f.plain = func() []byte { return unpacked(content) }`}},
		in:    "internal/httpapi/apidoc", killers: []string{"TestTheViewerIsUnpackedOnce"},
	},
	{
		name: "spans-wait-for-a-place", breaks: "a collector that hangs holds up every request",
		file:  "internal/tracing/tracing.go",
		edits: []edit{{"sdk.WithMaxQueueSize(mostWaiting),", "sdk.WithMaxQueueSize(mostWaiting), sdk.WithBlocking(),"}},
		in:    "internal/tracing", killers: []string{"TestAFullQueueDelaysNobody"},
	},
	{
		name: "spans-are-all-sent", breaks: "a collector that hangs keeps a process that leaves",
		file:  "internal/tracing/tracing.go",
		edits: []edit{{"context.WithTimeout(context.Background(), closeTime)", "context.WithTimeout(context.Background(), 99*closeTime)"}},
		in:    "internal/tracing", killers: []string{"TestAFullQueueDelaysNobody"},
	},
	{
		name: "news-without-a-trace", breaks: "nobody finds what became of the news of an end",
		file:  "internal/leaving/courier.go",
		edits: []edit{{"ctx, end := c.Watch(ctx, ids)", "_, end := c.Watch(ctx, ids)"}},
		in:    "internal/app", killers: []string{"TestTheNewsOfAnEndIsOneTraceThroughBothHalves"},
	},
	{
		name: "round-without-its-hand-off", breaks: "the news of an end is not found by the hand-off's id",
		file:  "internal/app/leaving.go",
		edits: []edit{{"if len(ids) == 1 {", "if len(ids) == 0 {"}},
		in:    "internal/app", killers: []string{"TestTheNewsOfAnEndIsOneTraceThroughBothHalves"},
	},
	{
		name: "trace-of-every-look", breaks: "couriers with nothing to tell fill the collector",
		file:  "internal/leaving/courier.go",
		edits: []edit{{"	ids, taken, err := c.lease(ctx)\n", "	_, looked := c.Watch(ctx, nil)\n	ids, taken, err := c.lease(ctx)\n	looked(err)\n"}},
		in:    "internal/app", killers: []string{"TestTheNewsOfAnEndIsOneTraceThroughBothHalves"},
	},
	{
		name: "closers-in-a-row", breaks: "a collector that hangs takes the time in which the pools are closed",
		file:  "internal/app/together.go",
		edits: []edit{{"		go func() { said <- closer() }()", "		said <- closer()"}},
		in:    "internal/app", killers: []string{"TestWhatHangsDoesNotKeepTheProcess"},
	},
	{
		name: "closers-without-end", breaks: "I13: a process that leaves waits for ever",
		file:  "internal/app/together.go",
		edits: []edit{{"case <-ctx.Done():", "case <-context.Background().Done():"}},
		in:    "internal/app", killers: []string{"TestACloserThatHangsIsLeft"},
	},
}
