package mutants_test

// auditMutants keep what happened out of the log, or tell of success before it is
// sure (I4).
var auditMutants = []mutant{
	{
		name: "exchange-unrecorded", breaks: "I4: an exchange leaves no row",
		file:  "internal/handoff/dao_postgres.go",
		edits: []edit{{`Event: audit.HandoffExchanged, Outcome: audit.Success, From: "won",`, `Event: audit.HandoffExchanged, Outcome: audit.Success, From: "won WHERE false",`}},
		in:    "internal/httpapi/daoapi", killers: []string{"TestI4_everySuccessIsRecordedOnce"},
	},
	{
		name: "mint-unrecorded", breaks: "I4: a mint leaves no row",
		file:  "internal/handoff/dao_postgres_mint.go",
		edits: []edit{{`Event: audit.HandoffMinted, Outcome: audit.Success, From: "counted WHERE refused IS NULL",`, `Event: audit.HandoffMinted, Outcome: audit.Success, From: "who WHERE false",`}},
		in:    "internal/httpapi/daoapi", killers: []string{"TestI4_everySuccessIsRecordedOnce"},
	},
	{
		name: "burning-unrecorded", breaks: "I7: a token in the wrong hands is not reported",
		file:  "internal/handoff/dao_postgres.go",
		edits: []edit{{`Event: audit.HandoffRefused, Outcome: audit.Failure, From: "won",`, `Event: audit.HandoffRefused, Outcome: audit.Failure, From: "won WHERE false",`}},
		in:    "internal/httpapi/daoapi", killers: []string{"TestI7_aWrongTargetBurnsTheToken"},
	},
	{
		name: "refused-exchange-unrecorded", breaks: "I4, I8: a replay is refused and nobody learns of it",
		file:  "internal/handoff/exchange_refusals.go",
		edits: []edit{{"if err := x.Ledger.Append(ctx, record); err != nil {", "if err := error(nil); record.At.IsZero() {"}},
		in:    "internal/handoff", killers: []string{"TestI8_aReplayADayLaterIsRecordedInFull"},
	},
	{
		name: "replay-as-any-refusal", breaks: "I8: a second use is not recognised as a replay",
		file:  "internal/handoff/exchange_refusals.go",
		edits: []edit{{`record.Event = audit.HandoffReplayed`, `record.Event = audit.HandoffRefused`}},
		in:    "internal/handoff", killers: []string{"TestI8_aReplayADayLaterIsRecordedInFull"},
	},
	{
		name: "dao-logout-unrecorded", breaks: "I4: a session of the DAO half ends without a row",
		file:  "internal/signin/dao_postgres.go",
		edits: []edit{{`Event: audit.SessionEnded, Outcome: audit.Success, From: "ended",`, `Event: audit.SessionEnded, Outcome: audit.Success, From: "ended WHERE false",`}},
		in:    "internal/httpapi/daoapi", killers: []string{"TestI4_everySuccessIsRecordedOnce"},
	},
	{
		name: "dao-refresh-unrecorded", breaks: "I4: a refresh of the DAO half leaves no row",
		file:  "internal/signin/dao_postgres.go",
		edits: []edit{{`From: "held WHERE outcome IN ('rotated', 'converged')",`, `From: "held WHERE outcome = 'never'",`}},
		in:    "internal/signin", killers: []string{"TestI4_aRefreshIsRecordedOnce"},
	},
	{
		name: "failed-dao-login-unrecorded", breaks: "I4: who guesses passwords leaves no trace",
		file:  "internal/signin/dao.go",
		edits: []edit{{"	if err != nil {\n\t\treturn err\n\t}\n\tif reason == audit.AccountInactive", "	_ = err\n\tif reason == audit.AccountInactive"}},
		in:    "internal/httpapi/daoapi", killers: []string{"TestI4_withoutAuditNothingHappens"},
	},
	{
		name: "arrival-unrecorded", breaks: "I4: a session by hand-off begins without a row",
		file:  "internal/handoff/fos_postgres.go",
		edits: []edit{{`events = append(events, audit.SessionCreated)`, `events = append(events, []audit.Event{}...)`}},
		in:    "internal/httpapi/fosapi", killers: []string{"TestI4_everyArrivalIsRecordedOnce"},
	},
	{
		name: "reclaim-recorded-as-a-link", breaks: "section 5: the log does not say that an account was emptied",
		file:  "internal/handoff/fos_postgres.go",
		edits: []edit{{`return []audit.Event{audit.UserReclaimed}`, `return []audit.Event{audit.UserLinked}`}},
		in:    "internal/httpapi/fosapi", killers: []string{"TestI4_everyArrivalIsRecordedOnce"},
	},
	{
		name: "arrival-answered-before-its-commit", breaks: "I4: a pair leaves although the session's row was not committed",
		file:  "internal/handoff/fos_postgres.go",
		edits: []edit{{`case err != nil: // at its beginning or its end`, `case err != nil && arrived.Session.ID == uuid.Nil:`}},
		in:    "internal/httpapi/fosapi", killers: []string{"TestI4_anArrivalWhoseCommitIsRefusedIsNone"},
	},
	{
		name: "login-answered-before-its-commit", breaks: "I4: a pair leaves although the session's row was not committed",
		file:  "internal/signin/fos_postgres.go",
		edits: []edit{{"	return begun, f.Book.Settle(outage.Postgres(err), rows...)\n}", "	_, _ = err, rows\n\treturn begun, nil\n}"}},
		in:    "internal/signin", killers: []string{"TestI4_aLoginWhoseCommitIsRefusedIsNone"},
	},
	{
		name: "audit-outside-the-transaction", breaks: "I4: the row says what was rolled back",
		file:  "internal/signin/fos_postgres.go",
		edits: []edit{{`inside = audit.Append(ctx, tx, audit.Record{`, `inside = audit.Append(ctx, f.pool, audit.Record{`}},
		in:    "internal/signin", killers: []string{"TestI4_aLoginWhoseCommitIsRefusedIsNone"},
	},
	{
		name: "audit-as-best-effort", breaks: "I4: what cannot be recorded happens all the same",
		file:  "internal/audit/postgres.go",
		edits: []edit{{"	_, err := db.Exec(ctx, appendSQL, args)\n\treturn Unrecorded(err)", "	_, _ = db.Exec(ctx, appendSQL, args)\n\treturn nil"}},
		in:    "internal/audit", killers: []string{"TestI4_aRowThatCannotBeWrittenIsAnOutage"},
	},
	{
		name: "fos-logout-unrecorded", breaks: "I4: a session of the FOS half ends without a row",
		file:  "internal/signin/fos_postgres.go",
		edits: []edit{{`Event: audit.SessionEnded, Outcome: audit.Success, From: "ended",`, `Event: audit.SessionEnded, Outcome: audit.Success, From: "ended WHERE false",`}},
		in:    "internal/signin", killers: []string{"TestI4_aSessionOfTheFOSHalfEndsOnce"},
	},
	{
		name: "theft-unrecorded", breaks: "I11: a stolen token ends a session and nobody learns why",
		file:  "internal/signin/fos_postgres.go",
		edits: []edit{{`Event: audit.ReuseDetected, Outcome: audit.Failure, From: "held WHERE outcome = 'reused'",`, `Event: audit.ReuseDetected, Outcome: audit.Failure, From: "held WHERE false",`}},
		in:    "internal/signin", killers: []string{"TestI11_whoeverHoldsWhichTokenOfASession"},
	},
	{
		name: "seeding-unrecorded", breaks: "I4: an account is made without a row",
		file:  "internal/seed/postgres.go",
		edits: []edit{{"	return audit.Append(ctx, tx, audit.Record{At: s.now", "	if s.expect != \"\" {\n\t\treturn nil\n\t}\n\treturn audit.Append(ctx, tx, audit.Record{At: s.now"}},
		in:    "internal/seed", killers: []string{"TestSeedingTwiceIsSeedingOnce"},
	},
	{
		name: "audit-log-rewritten", breaks: "section 7: who has the service's rights deletes their traces",
		file:  "migrations/dao/00001_audit_log.sql",
		edits: []edit{{`BEFORE UPDATE OR DELETE OR TRUNCATE ON public.audit_log`, `BEFORE TRUNCATE ON public.audit_log`}},
		in:    "internal/datastore", killers: []string{"TestAuditLog_refusesToForget"},
	},
	{
		name: "retention-may-rewrite", breaks: "section 7: who may delete old rows may change them too",
		file:  "migrations/fos/00001_audit_log.sql",
		edits: []edit{{`IF TG_OP = 'DELETE' AND current_user`, `IF TG_OP <> 'TRUNCATE' AND current_user`}},
		in:    "internal/datastore", killers: []string{"TestAuditLog_retentionMayDeleteAndNoMore"},
	},
}
