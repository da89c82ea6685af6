package mutants_test

// sizeMutants make what is asked for cost more the more there is, and pruning somebody's trouble.
var sizeMutants = []mutant{
	{
		name: "size-session-without-index", breaks: "each mint reads all sessions",
		file:  "migrations/dao/00005_refresh_indexes.sql",
		edits: []edit{{`CREATE UNIQUE INDEX CONCURRENTLY sessions_previous_digest ON public.sessions (previous_digest);`, `SELECT 1;`}},
		in:    "internal/bench", killers: []string{"TestScale_aRequestReadsAFewRowsHoweverManyThereAre"},
	},
	{
		name: "size-both-indexes-dropped", breaks: "whoever shuts a member out reads the whole ledger",
		file:  "migrations/dao/00010_size_indexes.sql",
		edits: []edit{{"DROP INDEX CONCURRENTLY IF EXISTS public.handoffs_member_id;\n\n", "DROP INDEX CONCURRENTLY IF EXISTS public.handoffs_member_id;\nDROP INDEX CONCURRENTLY IF EXISTS public.handoffs_member_minted;\n\n"}},
		in:    "internal/bench", killers: []string{"TestScale_aRequestReadsAFewRowsHoweverManyThereAre"},
	},
	{
		name: "size-refresh-by-user", breaks: "each refresh reads all sessions that its user ever had",
		file:  "internal/signin/fos_postgres_refresh.go",
		edits: []edit{{"s.user_id IS NOT DISTINCT FROM @of_user", "s.user_id = @of_user"}},
		in:    "internal/bench", killers: []string{"TestScale_aRequestReadsAFewRowsHoweverManyThereAre"},
	},
	{
		name: "size-exchange-looks-around", breaks: "each exchange looks at all outstanding tokens",
		file: "internal/token/redis.go",
		edits: []edit{{`	sealed, err := c.client.GetRange(`, `	_ = c.client.Keys(ctx, c.prefix+"*").Err()
	sealed, err := c.client.GetRange(`}},
		in: "internal/bench", killers: []string{"TestScale_outstandingTokensAreNobodysBusiness"},
	},
	{
		name: "size-token-grows", breaks: "a live token costs Redis more than 600 bytes",
		file:  "internal/token/seal.go",
		edits: []edit{{`base64.RawURLEncoding.AppendEncode(nil, id[:]), nil`, `[]byte(uuid.UUID(id).String()), nil`}},
		in:    "internal/token", killers: []string{"TestSeal_aLiveTokenIsSmall"},
	},
	{
		name: "size-scan-untold", breaks: "a statement that reads all of a table is shown as one that does not",
		file:  "internal/bench/plans.go",
		edits: []edit{{`n.Type == "Seq Scan" &&`, `n.Type == "Sequential Scan" &&`}},
		in:    "internal/bench", killers: []string{"TestPlans_areReadFromTheLog"},
	},
	{
		name: "prune-in-one-transaction", breaks: "what was pruned is held until everything is",
		file:  "migrations/dao/00011_prune.sql",
		edits: []edit{{"        COMMIT;\n", ""}},
		in:    "internal/datastore", killers: []string{"TestPrune_commitsEachBatch"},
	},
	{
		name: "prune-waits", breaks: "pruning waits for whoever holds a hand-off",
		file:  "migrations/dao/00011_prune.sql",
		edits: []edit{{`'FOR UPDATE SKIP LOCKED'`, `'FOR UPDATE'`}},
		in:    "internal/datastore", killers: []string{"TestPrune_passesOverWhatIsHeld"},
	},
	{
		name: "prune-reads-on", breaks: "pruning reads the whole table, of which most is young",
		file:  "migrations/dao/00011_prune.sql",
		edits: []edit{{`EXIT WHEN old = 0;`, `EXIT WHEN upto IS NULL;`}},
		in:    "internal/datastore", killers: []string{"TestPrune_endsWhereNothingIsOld"},
	},
	{
		name: "prune-today", breaks: "I8: a second use is not recognised, since its row was pruned",
		file:  "migrations/fos/00013_prune.sql",
		edits: []edit{{`older_than >= interval '1 day'`, `older_than >= interval '1 hour'`}},
		in:    "internal/datastore", killers: []string{"TestI8_pruneLeavesTheLastDay"},
	},
	{
		name: "prune-in-anybodys-path", breaks: "who may create in public has the retention's role run what they wrote",
		file:  "migrations/dao/00011_prune.sql",
		edits: []edit{{"BEGIN\n    PERFORM pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true);\n", "BEGIN\n"}},
		in:    "internal/datastore", killers: []string{"TestPrune_runsNothingOfSomebodyElses"},
	},
	{
		name: "pipelines-in-a-cluster", breaks: "I13: one master that is dead takes along the commands of the others",
		file:  "internal/datastore/redis.go",
		edits: []edit{{`cluster := client.(*redis.ClusterClient); !cluster`, `cluster := client.(*redis.ClusterClient); cluster || !cluster`}},
		in:    "internal/datastore", killers: []string{"TestI13_aDeadMasterTakesNobodysCommandsAlong"},
	},
}
