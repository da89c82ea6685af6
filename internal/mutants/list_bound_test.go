package mutants_test

// boundMutants take away what keeps one client from taking everything (I13), and from
// guessing.
var boundMutants = []mutant{
	{
		name: "body-without-bound", breaks: "I13: a body of a gigabyte is read",
		file:  "internal/httpapi/decode.go",
		edits: []edit{{`http.MaxBytesReader(c.Response(), request.Body, maxBody)`, `http.MaxBytesReader(c.Response(), request.Body, maxBody<<17)`}},
		in:    "internal/httpapi", killers: []string{"TestI13_aBodyIsBounded"},
	},
	{
		name: "headers-without-bound", breaks: "I13: headers of any size are worked on",
		file:  "internal/httpapi/middleware.go",
		edits: []edit{{`if size > maxHeaders {`, `if size < 0 {`}},
		in:    "internal/httpapi", killers: []string{"TestI13_headersAreBounded"},
	},
	{
		name: "headers-read-without-end", breaks: "I13: net/http reads a megabyte of headers",
		file:  "internal/httpapi/server.go",
		edits: []edit{{`MaxHeaderBytes: maxHeaders + 4<<10`, `MaxHeaderBytes: maxHeaders << 10`}},
		in:    "internal/httpapi", killers: []string{"TestI13_hugeHeadersAreNotEvenRead"},
	},
	{
		name: "late-request-deadline", breaks: "I13: who waits for a slow store is answered after four seconds, not three",
		file:  "internal/httpapi/server.go",
		edits: []edit{{`const requestDeadline = 2900 * time.Millisecond`, `const requestDeadline = 4 * time.Second`}},
		in:    "internal/httpapi", killers: []string{"TestI13_aRequestsWorkEnds"},
	},
	{
		name: "slow-clients-hold-connections", breaks: "I13: whoever sends a byte a minute holds a connection for ever",
		file: "internal/httpapi/server.go",
		edits: []edit{
			{`		ReadHeaderTimeout: 5 * time.Second,
`, ``}, {`		ReadTimeout:       10 * time.Second,
`, ``},
		},
		in: "internal/httpapi", killers: []string{"TestI13_theServerGivesSlowClientsUp"},
	},
	{
		name: "pool-without-bound", breaks: "I13: one half takes all of Postgres' connections",
		file:  "internal/datastore/postgres.go",
		edits: []edit{{`config.MaxConns = poolSize`, `config.MaxConns = poolSize * 100`}},
		in:    "internal/datastore", killers: []string{"TestI13_thePoolIsBounded"},
	},
	{
		name: "tidying-without-bound", breaks: "I13: what runs behind the answers piles up",
		file:  "internal/behind/behind.go",
		edits: []edit{{`&Work{int64(most), semaphore.NewWeighted(int64(most))}`, `&Work{int64(most) << 20, semaphore.NewWeighted(int64(most) << 20)}`}},
		in:    "internal/behind", killers: []string{"TestI13_whatRunsBehindAnswersIsBounded"},
	},
	{
		name: "limiter-open-for-logins", breaks: "section 2: who makes Redis slow may guess passwords",
		file:  "internal/ratelimit/limits.go",
		edits: []edit{{`Limit{Name: "login-failed", PerMinute: n.LoginFailed, OnOutage: Closed}`, `Limit{Name: "login-failed", PerMinute: n.LoginFailed, OnOutage: Open}`}},
		in:    "internal/ratelimit", killers: []string{"TestLimits_chooseWhatAnOutageMeans"},
	},
	{
		name: "limiter-open-for-all", breaks: "section 2: a limit that cannot be asked is none",
		file:  "internal/ratelimit/limiter.go",
		edits: []edit{{`if b.limit.OnOutage != Open {`, `if b.limit.Name == "" {`}},
		in:    "internal/ratelimit", killers: []string{"TestLogin_isClosedInAnOutage", "TestTake_inAnOutageEachLimitDoesWhatItChose"},
	},
	{
		name: "refusal-forgotten", breaks: "section 2: tries beyond the budget pass",
		file:  "internal/ratelimit/limiter.go",
		edits: []edit{{`refused = refused || at.refused`, `refused = refused && at.refused`}},
		in:    "internal/ratelimit", killers: []string{"TestTake_aMinutesBudgetAtOnceAndThenOneEachInterval"},
	},
	{
		name: "budget-for-each-login", breaks: "section 2: every request has a budget of its own",
		file:  "internal/httpapi/login.go",
		edits: []edit{{`Address: edge.Origin(c).Address.Value`, `Address: edge.Origin(c).RequestID`}},
		in:    "internal/httpapi/daoapi", killers: []string{"TestLogin_anAddressHasABudgetForAllItsTries"},
	},
	{
		name: "budget-for-each-arrival", breaks: "section 8: every arrival has a budget of its own",
		file:  "internal/httpapi/fosapi/auth.go",
		edits: []edit{{`a.ArrivalLimit, a.Edge.Origin(c).Address.Value`, `a.ArrivalLimit, a.Edge.Origin(c).RequestID`}},
		in:    "internal/httpapi/fosapi", killers: []string{"TestI1_anArrivalThatHasToWaitKeepsItsToken"},
	},
	{
		name: "bearers-guessed-without-limit", breaks: "section 8: wrong bearers are not counted",
		file:  "internal/httpapi/bearer.go",
		edits: []edit{{`b.Limit, b.Edge.Origin(c).Address.Value`, `b.Limit, b.Edge.Origin(c).RequestID`}},
		in:    "internal/httpapi/daoapi", killers: []string{"TestExchange_wrongBearersHaveABudget"},
	},
	{
		name: "good-login-washes-the-address", breaks: "section 2: an attacker with an account of their own empties the count of their address",
		file:  "internal/ratelimit/login.go",
		edits: []edit{{`const failures = 1`, `const failures = 0`}},
		in:    "internal/ratelimit", killers: []string{"TestLogin_anAddressHasOneBudgetForAllAccounts", "TestLogin_failuresAreCountedAndAGoodLoginForgivesThem"},
	},
	{
		name: "device-of-any-account", breaks: "section 2: an attacker's own device makes them known to every account",
		file:  "internal/ratelimit/devices.go",
		edits: []edit{{`key.Of(signed, []byte(fold(account)))`, `key.Of(signed, []byte(fold(account))[:0])`}},
		in:    "internal/ratelimit", killers: []string{"TestI12_devicesRefuseWhatWasNotMadeHereForThisAccount"},
	},
	{
		name: "budget-for-each-spelling", breaks: "section 2: ADA and ada are two accounts to the limiter",
		file:  "internal/ratelimit/login.go",
		edits: []edit{{`account := fold(a.Account)`, `account := a.Account`}},
		in:    "internal/ratelimit", killers: []string{"TestLogin_spellingMakesNoNewAccount"},
	},
	{
		name: "subjects-that-run-together", breaks: "section 2: an account's name is made to be another's budget",
		file:  "internal/ratelimit/limiter.go",
		edits: []edit{{`append(binary.BigEndian.AppendUint64(text, uint64(len(part))), part...)`, `append(binary.BigEndian.AppendUint64(text, 0), part...)`}},
		in:    "internal/ratelimit", killers: []string{"TestTake_budgetsAreApart"},
	},
	{
		name: "unknown-accounts-answer-quickly", breaks: "section 3: the time of the answer tells who has an account",
		file:  "internal/signin/dao.go",
		edits: []edit{{`if err != nil && !errors.Is(err, member.ErrInvalidCredentials) {`, `if err != nil {`}},
		in:    "internal/signin", killers: []string{"TestLogin_verifiesOnceWhoeverAsks"},
	},
	{
		name: "unknown-users-answer-quickly", breaks: "section 3: the same on the FOS half",
		file:  "internal/signin/fos.go",
		edits: []edit{{`if err != nil && !errors.Is(err, user.ErrInvalidCredentials) {`, `if err != nil {`}},
		in:    "internal/signin", killers: []string{"TestI4_FOSLogin_verifiesOnceAndRecordsOnceWhoeverAsks"},
	},
}
