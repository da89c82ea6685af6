package mutants_test

// togetherMutants break what refreshes, logins and refusals share a statement for.
var togetherMutants = []mutant{
	{
		name: "refresh-waits-in-company", breaks: "I11, I13: one session that is held keeps everybody from refreshing, and who is suspended meanwhile is given a pair",
		file:  "internal/signin/fos_postgres_refresh.go",
		edits: []edit{{"FOR NO KEY UPDATE OF s` + groupcommit.Locking + `", "FOR NO KEY UPDATE OF s"}},
		in:    "internal/signin", killers: []string{"TestI11_refreshesInOneStatementAreJudgedEach", "TestI11_whoIsSuspendedWhileARefreshWaitsIsGivenNothing"},
	},
	{
		name: "refresh-not-judged", breaks: "I11: in one statement every refresh token is the current one",
		file:  "internal/signin/fos_postgres_refresh.go",
		edits: []edit{{"` = 'rotated'\n", "` <> 'over'\n"}},
		in:    "internal/signin", killers: []string{"TestI11_theRuleOfRefreshing", "TestI11_refreshesInOneStatementAreJudgedEach"},
	},
	{
		name: "refresh-without-its-lock", breaks: "I11: a refresh in one statement judges what was so before another's was committed",
		file:  "internal/signin/fos_postgres_refresh.go",
		edits: []edit{{"	FOR NO KEY UPDATE OF s` + groupcommit.Locking + `\n", ""}},
		in:    "internal/signin", killers: []string{"TestI11_aRefreshWaitsForAnotherAndConverges", "TestI11_aRefreshWaitsForWhoeverEndsTheSession"},
	},
	{
		name: "refresh-of-any-row", breaks: "I11: a refresh token is good for a session that became another user's",
		file:  "internal/signin/fos_postgres_refresh.go",
		edits: []edit{{`s.id = @of_session AND s.user_id IS NOT DISTINCT FROM @of_user JOIN`, `s.id = @of_session AND @of_user IS NOT NULL JOIN`}},
		in:    "internal/signin", killers: []string{"TestARefreshTokenIsGoodForItsOwnRowOnly"},
	},
	{
		name: "refresh-unrecorded", breaks: "I4: a refresh in one statement leaves no row",
		file:  "internal/signin/fos_postgres_refresh.go",
		edits: []edit{{`From: "moved", Reason`, `From: "moved WHERE false", Reason`}},
		in:    "internal/signin", killers: []string{"TestI11_theRuleOfRefreshing"},
	},
	{
		name: "refresh-in-two", breaks: "a refresh takes the long way, and a commit of its own",
		file:  "internal/signin/fos_postgres_refresh.go",
		edits: []edit{{"` = 'rotated'\n", "` = 'never'\n"}},
		in:    "internal/signin", killers: []string{"TestTheFOSHalfAsksItsDatabaseOnce", "TestI11_refreshesInOneStatementAreJudgedEach"},
	},
	{
		name: "login-of-another-account", breaks: "I9: a session begins with a password that its owner is changing",
		file:  "internal/user/postgres.go",
		edits: []edit{{`u.id = @of_user AND u.password_hash = @hash AND u.status`, `u.id = @of_user AND @hash <> '' AND u.status`}},
		in:    "internal/signin", killers: []string{"TestI9_anAccountThatChangesWhileItsPasswordIsCheckedIsLookedAtAgain"},
	},
	{
		name: "login-without-its-lock", breaks: "I9: a session begins in an account that its owner is taking back",
		file:  "internal/signin/fos_postgres_begin.go",
		edits: []edit{{"` FOR SHARE OF u` + groupcommit.Locking + `\n", "`\n"}},
		in:    "internal/signin", killers: []string{"TestI9_aSessionWaitsForAReclaimThatIsUnderWay"},
	},
	{
		name: "login-without-room", breaks: "I13: logins in one statement open sessions without end",
		file:  "internal/signin/fos_postgres_begin.go",
		edits: []edit{{"WHERE ` + session.RoomSQL + `", "WHERE true"}},
		in:    "internal/signin", killers: []string{"TestI13_aUserHasSoManySessionsAndNoMore"},
	},
	{
		name: "login-unrecorded", breaks: "I4: a session by password begins without a row",
		file:  "internal/signin/fos_postgres_begin.go",
		edits: []edit{{`From: "held",`, `From: "held WHERE false",`}},
		in:    "internal/signin", killers: []string{"TestALoginInOneStatementIsTheSame"},
	},
	{
		name: "login-in-six", breaks: "a login takes the long way, of six round trips",
		file:  "internal/signin/fos_postgres_begin.go",
		edits: []edit{{"WHERE ` + session.RoomSQL + `", "WHERE false AND ` + session.RoomSQL + `"}},
		in:    "internal/signin", killers: []string{"TestTheFOSHalfAsksItsDatabaseOnce", "TestALoginInOneStatementIsTheSame"},
	},
	{
		name: "refusals-as-best-effort", breaks: "I4: what cannot be recorded is refused all the same",
		file:  "internal/audit/postgres.go",
		edits: []edit{{"	_, _, err := l.rows.Do(ctx, r)\n	return Unrecorded(err)", "	_, _, _ = l.rows.Do(ctx, r)\n	return nil"}},
		in:    "internal/audit", killers: []string{"TestI4_aLogsRowsShareACommitAndAreWrittenEach"},
	},
	{
		name: "refusals-one-by-one", breaks: "who has the service refuse much has it commit as often",
		file:  "internal/audit/postgres.go",
		edits: []edit{{"	_, _, err := l.rows.Do(ctx, r)\n	return Unrecorded(err)", "	_, _, err := groupcommit.New(l.pool, appending).Do(ctx, r)\n	return Unrecorded(err)"}, {"	rows *groupcommit.Group[Record, struct{}]\n}", "	rows *groupcommit.Group[Record, struct{}]\n	pool *pgxpool.Pool\n}"}, {"&Log{groupcommit.New(pool, appending)}", "&Log{groupcommit.New(pool, appending), pool}"}},
		in:    "internal/audit", killers: []string{"TestI4_aLogsRowsShareACommitAndAreWrittenEach"},
	},
	{
		name: "dao-refresh-waits-in-company", breaks: "I13: one session that is held keeps everybody from refreshing",
		file:  "internal/signin/dao_postgres_refresh.go",
		edits: []edit{{"FOR NO KEY UPDATE OF s` + groupcommit.Locking + `", "FOR NO KEY UPDATE OF s"}},
		in:    "internal/signin", killers: []string{"TestI11_DAORefreshesInOneStatementAreJudgedEach"},
	},
	{
		name: "dao-refresh-not-judged", breaks: "section 2: in one statement every cookie has a successor",
		file:  "internal/signin/dao_postgres_refresh.go",
		edits: []edit{{"` = 'rotated'\n", "` <> 'never'\n"}},
		in:    "internal/signin", killers: []string{"TestRefresh_theStatementAgreesWithTheRule", "TestI11_DAORefreshesInOneStatementAreJudgedEach"},
	},
	{
		name: "dao-refresh-in-two", breaks: "a refresh takes the long way, and a commit of its own",
		file:  "internal/signin/dao_postgres_refresh.go",
		edits: []edit{{"` = 'rotated'\n", "` = 'never'\n"}},
		in:    "internal/signin", killers: []string{"TestTheDAOHalfAsksItsDatabaseOnce"},
	},
	{
		name: "mint-over-its-limit", breaks: "section 2: a session mints as much as it likes",
		file:  "internal/handoff/dao_postgres_mint.go",
		edits: []edit{{`s.id = session_id AND live AND wait IS NULL RETURNING`, `s.id = session_id AND live RETURNING`}, {`case m.live && m.wait != nil:`, `case !m.live && m.wait != nil:`}},
		in:    "internal/handoff", killers: []string{"TestMint_replicasShareASessionsBudget", "TestMint_aBurstPassesWhatIsAllowed"},
	},
	{
		name: "mint-counted-as-it-was", breaks: "section 2: who waited for the session is counted by what was true before",
		file:  "internal/handoff/dao_postgres_mint.go",
		edits: []edit{{"\n	FOR NO KEY UPDATE OF s`", "\n	FOR KEY SHARE OF s`"}},
		in:    "internal/handoff", killers: []string{"TestMint_aBudgetThatMovesInTheQueueForTheLockIsSeen"},
	},
	{
		name: "mint-told-without-a-row", breaks: "I4: the second mint of a session in one statement is answered, and was not written",
		file:  "internal/handoff/dao_postgres_mint.go",
		edits: []edit{{"\nWHERE NOT live OR wait IS NOT NULL OR nth IN (SELECT nth FROM counted)`", "`"}},
		in:    "internal/handoff", killers: []string{"TestMint_aBurstPassesWhatIsAllowed"},
	},
	{
		name: "budget-of-a-wrong-clock", breaks: "a replica's clock that was days ahead keeps people out for days",
		file:  "internal/ratelimit/rows.go",
		edits: []edit{{`intervalSQL(window+skew)`, `intervalSQL(1000*window)`}},
		in:    "internal/handoff", killers: []string{"TestMint_aTimeThatNobodyCanHaveLeftCountsForNothing"},
	},
	{
		name: "budget-full-too-soon", breaks: "section 2: twice as many mints a minute",
		file:  "internal/ratelimit/rows.go",
		edits: []edit{{"ELSE @now END + @each`", "ELSE @now END + @each / 2`"}},
		in:    "internal/handoff", killers: []string{"TestMint_replicasShareASessionsBudget", "TestMint_theWaitIsTrue"},
	},
	{
		name: "over-for-longer", breaks: "whoever was refused stays refused after the time that they were told",
		file:  "internal/ratelimit/rows.go",
		edits: []edit{{`r.over[subject] = now.Add(wait)`, `r.over[subject] = now.Add(2 * wait)`}},
		in:    "internal/ratelimit", killers: []string{"TestRows_whoIsOverIsKnownUntilTheyMayTryAgain"},
	},
	{
		name: "over-forgotten", breaks: "I13: each try of a flood costs Postgres a statement",
		file:  "internal/ratelimit/rows.go",
		edits: []edit{{`r.over[subject] = now.Add(wait)`, `_ = now`}},
		in:    "internal/handoff", killers: []string{"TestMint_aFloodDoesNotReachPostgres"},
	},
	{
		name: "over-without-bound", breaks: "I13: a crowd over its limits takes all memory",
		file:  "internal/ratelimit/rows.go",
		edits: []edit{{`	if len(r.over) < mostOver {`, `	if mostOver > 0 {`}},
		in:    "internal/ratelimit", killers: []string{"TestI13_rowsRememberNoMoreThanTheyMay"},
	},
}
