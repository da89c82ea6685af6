package mutants_test

// startMutants are about what a process demands of its stores before it works on them.
var startMutants = []mutant{
	{
		name: "commits-are-not-waited-for", breaks: "I1: a session with synchronous_commit off is worked on",
		file:  "internal/datastore/postgres.go",
		edits: []edit{{`config.ConnConfig.ValidateConnect = kept.onConnect(config.ConnConfig.ValidateConnect)`, ``}},
		in:    "internal/datastore", killers: []string{"TestI1_aSessionThatDoesNotWaitForItsCommitsIsRefused"},
	},
	{
		name: "commits-are-not-waited-for-later", breaks: "I1: synchronous_commit is turned off in a session that there is, and it goes on",
		file: "internal/datastore/postgres.go",
		edits: []edit{{`		pool.Reset()
	}
	return err
}

func open`, `		_ = forgets
	}
	return err
}

func open`}},
		in: "internal/datastore", killers: []string{"TestI1_whatIsTurnedOffLaterIsFoundAndGivenUp"},
	},
	{
		name: "readiness-does-not-ask", breaks: "I1: readiness takes a Postgres that forgets for well",
		file:  "internal/datastore/postgres.go",
		edits: []edit{{`return k.ask(ctx, c.Conn().PgConn()) })`, `return c.Ping(ctx) })`}},
		in:    "internal/datastore", killers: []string{"TestI1_whatIsTurnedOffLaterIsFoundAndGivenUp"},
	},
	{
		name: "fsync-is-not-asked", breaks: "I1: production works on a server without fsync",
		file:  "internal/app/stores.go",
		edits: []edit{{`a.config.Environment == config.Production`, `a.config.Environment == config.Production+"?"`}},
		in:    "internal/app", killers: []string{"TestI1_inProductionFsyncIsDemanded"},
	},
	{
		name: "forgetful-store-is-an-outage", breaks: "a process starts on a database that it will never work on, and says that it does not answer",
		file: "internal/app/stores.go",
		edits: []edit{{`errors.As(err, &forgets) {
		return nil,`, `errors.As(err, &forgets) && half == "" {
		return nil,`}},
		in: "internal/app", killers: []string{"TestI1_aDatabaseThatForgetsCommitsIsAClearError"},
	},
	{
		name: "demands-of-the-url-are-lost", breaks: "who demands a primary gets any server",
		file:  "internal/datastore/postgres.go",
		edits: []edit{{`if before != nil { // target_session_attrs`, `if before != nil && k < 0 {`}},
		in:    "internal/datastore", killers: []string{"TestOpen_demandsOfTheURLStand"},
	},
	{
		name: "links-run", breaks: "a configured URL of another scheme is a link that runs",
		file:  "internal/httpapi/pages/render.go",
		edits: []edit{{`if err != nil || u.Scheme != "" && u.Scheme != "http" && u.Scheme != "https" {`, `if err != nil {`}},
		in:    "internal/httpapi/pages", killers: []string{"TestAHostileConfiguredURLBecomesADeadLink"},
	},
	{
		name: "links-are-not-escaped", breaks: "a configured URL leaves its attribute",
		file:  "internal/httpapi/pages/render.go",
		edits: []edit{{`return html.EscapeString(u.String())`, `return html.UnescapeString(raw)`}},
		in:    "internal/httpapi/pages", killers: []string{"TestAHostileConfiguredURLBecomesADeadLink"},
	},
	{
		name: "button-that-leads-nowhere", breaks: "a journey is offered where none can begin",
		file:  "internal/httpapi/pages/render.go",
		edits: []edit{{`if c.StartURL == "" {`, `if c.StartURL == "none" {`}},
		in:    "internal/httpapi/pages", killers: []string{"TestAJourneyBeginsWhereOneCan"},
	},
	{
		name: "bench-start-always-good", breaks: "a start that is too slow meets its goal",
		file:  "internal/bench/start.go",
		edits: []edit{{`met(typical <= readyGoal)`, `met(typical >= 0)`}},
		in:    "internal/bench", killers: []string{"TestTheReportOfAStartSaysWhichGoalsAreMissed"},
	},
	{
		name: "bench-kilobytes", breaks: "memory is read in the kernel's unit and told as bytes",
		file:  "internal/bench/processor_linux.go",
		edits: []edit{{`*into *= 1024`, `*into *= 1`}},
		in:    "internal/bench", killers: []string{"TestWhatAProcessHoldsIsRead"},
	},
	{
		name: "bench-one-replica", breaks: "several processes are measured, and one of them has all of the work",
		file:  "internal/bench/drive.go",
		edits: []edit{{`addresses[i%len(addresses)]`, `addresses[0*i]`}},
		in:    "internal/bench", killers: []string{"TestConnectionsAreDealtOutAmongProcesses"},
	},
	{
		name: "bench-replays-pass", breaks: "a token that another process takes again is no failure",
		file:  "internal/bench/replicas.go",
		edits: []edit{{`err != nil || status != 400 || `, `err != nil || status > 400 || status == 400 && `}},
		in:    "internal/bench", killers: []string{"TestI1_whatAnotherProcessTakesAgainIsFound"},
	},
	{
		name: "bench-rows-uncounted", breaks: "an answer without its audit row is a figure",
		file:  "internal/bench/replicas.go",
		edits: []edit{{`if after-before != turn.Answers &&`, `if after < before &&`}},
		in:    "internal/bench", killers: []string{"TestI4_anAnswerThatLeftOtherRowsIsFound"},
	},
}
