package mutants_test

// groupcommitMutants break how rows share a statement and a commit, and how tests hold up
// those that are to share one.
var groupcommitMutants = []mutant{
	{
		name: "group-waits-for-a-lock", breaks: "one row that somebody holds keeps all others waiting",
		file:  "internal/groupcommit/postgres.go",
		edits: []edit{{`strings.ReplaceAll(body, Locking, " SKIP LOCKED")`, `strings.ReplaceAll(body, Locking, " ")`}},
		in:    "internal/groupcommit", killers: []string{"TestGroup_nobodyWaitsForALockOfAnothers"},
	},
	{
		name: "one-row-fails-all", breaks: "a row that is refused fails those that came with it",
		file:  "internal/groupcommit/group.go",
		edits: []edit{{`case refused(err): // because of one row`, `case false:`}},
		in:    "internal/groupcommit", killers: []string{"TestGroup_aRowThatIsRefusedIsRefusedAlone"},
	},
	{
		name: "one-row-unread-fails-all", breaks: "a row that cannot be read fails those that came with it",
		file:  "internal/groupcommit/postgres.go",
		edits: []edit{{`if nth < 1 ||`, `if err != nil || nth < 1 ||`}},
		in:    "internal/groupcommit", killers: []string{"TestGroup_aRowThatCannotBeReadSpoilsNoOther"},
	},
	{
		name: "answers-mixed-up", breaks: "I1: who attempted one token is told what became of another",
		file:  "internal/groupcommit/group.go",
		edits: []edit{{`rows[i] = a.row`, `rows[len(rows)-1-i] = a.row`}},
		in:    "internal/groupcommit", killers: []string{"TestGroup_whatQueuesIsCommittedTogether"},
	},
	{
		name: "answered-before-the-commit", breaks: "I4: a row is acknowledged before it is committed",
		file:  "internal/groupcommit/group.go",
		edits: []edit{{"	switch _, err := g.Queue.Do(ctx, a); {\n	case err == nil:\n		return a.answer\n", "	go func() { _, _ = g.Queue.Do(ctx, a) }()\n	switch err := error(nil); {\n	case err == nil:\n		return answer[Result]{served: true}\n"}},
		in:    "internal/groupcommit", killers: []string{"TestGroup_aRowThatIsRefusedIsRefusedAlone"},
	},
	{
		name: "given-up-and-written", breaks: "I1: who gave up in the queue is served all the same",
		file:  "internal/batch/queue.go",
		edits: []edit{{`q.queue = append(q.queue[:i:i], q.queue[i+1:]...)`, `_ = i`}},
		in:    "internal/groupcommit", killers: []string{"TestGroup_whoGivesUpInTheQueueWasNeverSent"},
	},
	{
		name: "one-ends-it-for-all", breaks: "who gives up ends the statement of those beside them",
		file:  "internal/batch/queue.go",
		edits: []edit{{`context.WithDeadline(context.WithoutCancel(taken[0].ctx), last)`, `context.WithDeadline(taken[0].ctx, last)`}},
		in:    "internal/groupcommit", killers: []string{"TestGroup_whoGivesUpOnTheWayEndsItForNobodyElse"},
	},
	{
		name: "queue-without-end", breaks: "I13: the queue for a statement grows without bound",
		file:  "internal/batch/queue.go",
		edits: []edit{{`if len(q.queue) >= queueing {`, `if len(q.queue) < 0 {`}},
		in:    "internal/groupcommit", killers: []string{"TestI13_theQueueIsBounded"},
	},
	{
		name: "nothing-is-shared", breaks: "each row has a commit of its own",
		file:  "internal/batch/queue.go",
		edits: []edit{{`min(len(q.queue), together)`, `min(len(q.queue), 1)`}},
		in:    "internal/groupcommit", killers: []string{"TestGroup_whatQueuesIsCommittedTogether"},
	},
	{
		name: "mint-waits-for-a-foreign-key", breaks: "I13: one session that is held keeps everybody from minting",
		file:  "internal/handoff/dao_postgres_mint.go",
		edits: []edit{{"\n	FOR KEY SHARE OF s` + groupcommit.Locking + ` FOR KEY SHARE OF m` + groupcommit.Locking + `\n", "\n"}},
		in:    "internal/handoff", killers: []string{"TestI13_oneHeldSessionKeepsNobodyElseFromMinting"},
	},
	{
		name: "usual-whatever-the-status", breaks: "section 5: who was shut out comes in by the short way",
		file:  "internal/user/postgres.go",
		edits: []edit{{`ON u.id = l.user_id AND u.status = 'ACTIVE'`, `ON u.id = l.user_id`}},
		in:    "internal/handoff", killers: []string{"TestArrive_inOneStatementItIsTheSame"},
	},
	{
		name: "usual-whosever-principal", breaks: "section 5, row 1: a principal that is somebody else's is no conflict on the short way",
		file:  "internal/user/postgres.go",
		edits: []edit{{`WHERE i.principal = @ic_principal AND i.user_id = u.id)`, `WHERE i.principal = @ic_principal)`}},
		in:    "internal/handoff", killers: []string{"TestArrive_inOneStatementItIsTheSame"},
	},
	{
		name: "usual-unlocked-user", breaks: "I9: a suspension that comes meanwhile is not seen",
		file:  "internal/handoff/fos_postgres_usual.go",
		edits: []edit{{"` FOR SHARE OF u` + groupcommit.Locking + `", "`"}},
		in:    "internal/handoff", killers: []string{"TestArrive_whatComesMeanwhileIsSeen"},
	},
	{
		name: "usual-unlocked-link", breaks: "section 5: an account that is reclaimed meanwhile lets the one before in",
		file:  "internal/handoff/fos_postgres_usual.go",
		edits: []edit{{" FOR SHARE OF l` + groupcommit.Locking + `\n", "\n"}},
		in:    "internal/handoff", killers: []string{"TestArrive_whatComesMeanwhileIsSeen"},
	},
	{
		name: "usual-looks-before-the-lock", breaks: "I8: a hand-off that ends meanwhile opens a session",
		file:  "migrations/fos/00011_arrivals_at_once.sql",
		edits: []edit{{`plpgsql VOLATILE`, `plpgsql STABLE`}},
		in:    "internal/handoff", killers: []string{"TestArrive_whatComesMeanwhileIsSeen"},
	},
	{
		name: "usual-unrecorded", breaks: "I4: an arrival in one statement leaves no row",
		file:  "internal/handoff/fos_postgres_usual.go",
		edits: []edit{{`From: "who JOIN begun ON begun.id = @session",`, `From: "who JOIN begun ON false",`}},
		in:    "internal/handoff", killers: []string{"TestArrive_inOneStatementItIsTheSame"},
	},
	{
		name: "usual-is-everybody", breaks: "who has to be asked is let in by the short way",
		file:  "internal/handoff/fos_postgres_usual.go",
		edits: []edit{{` && a.Consent == Consent{} `, ` `}},
		in:    "internal/handoff", killers: []string{"TestArrive_whoIsKnownIsAskedAllTheSame"},
	},
	{
		name: "usual-stays-in-two-sessions", breaks: "the session that the browser was in cannot be ended by anybody",
		file:  "internal/handoff/fos_postgres_usual.go",
		edits: []edit{{`a.OlderSession == uuid.Nil`, `a.OlderSession != uuid.Max`}},
		in:    "internal/handoff", killers: []string{"TestArrive_whoIsKnownIsAskedAllTheSame"},
	},
	{
		name: "held-for-four-seconds", breaks: "on a busy machine a test's lock is gone before whoever is to wait for it has come",
		file:  "internal/testkit/hold.go",
		edits: []edit{{"	h.Run(`SET LOCAL idle_in_transaction_session_timeout = 0`)\n", ""}},
		in:    "internal/testkit", killers: []string{"TestHold_lastsUntilTheTestEndsIt"},
	},
	{
		name: "held-beyond-the-transaction", breaks: "a connection that a test has held keeps its patience",
		file:  "internal/testkit/hold.go",
		edits: []edit{{"`SET LOCAL idle", "`SET idle"}},
		in:    "internal/testkit", killers: []string{"TestHold_lastsUntilTheTestEndsIt"},
	},
	{
		name: "one-way-for-ever", breaks: "I13: a trip that hangs keeps everybody waiting",
		file:  "internal/batch/queue.go",
		edits: []edit{{`time.Since(q.departed) > q.Patience`, `q.Patience < 0`}},
		in:    "internal/batch", killers: []string{"TestI13_aTripThatHangsIsNotWaitedFor"},
	},
	{
		name: "ways-without-end", breaks: "I13: each who comes while a store hangs begins another trip",
		file:  "internal/batch/queue.go",
		edits: []edit{{`q.onWay < atOnce &&`, ``}},
		in:    "internal/batch", killers: []string{"TestI13_aTripThatHangsIsNotWaitedFor"},
	},
	{
		name: "commands-go-alone", breaks: "each command has a round trip of its own",
		file:  "internal/datastore/redis.go",
		edits: []edit{{`if !shares {`, `if shares || !shares {`}},
		in:    "internal/datastore", killers: []string{"TestRedis_commandsShareTheirTrips"},
	},
	{
		name: "one-answer-for-all-commands", breaks: "I1: one command's answer is another's",
		file:  "internal/datastore/redis.go",
		edits: []edit{{`c.err = c.Err()`, `c.err = commands[0].Err()`}},
		in:    "internal/datastore", killers: []string{"TestRedis_commandsShareTheirTrips"},
	},
	{
		name: "command-left-behind", breaks: "a pipeline writes into a command that its caller has left",
		file:  "internal/datastore/redis.go",
		edits: []edit{{`<-left // the pipeline`, `_ = left // the pipeline`}},
		in:    "internal/datastore", killers: []string{"TestRedis_nobodyLeavesTheirCommandBehind"},
	},
}
