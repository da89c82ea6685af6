package mutants_test

// leavingMutants are about the end of a hand-off, and the news of it.
var leavingMutants = []mutant{
	{
		name: "news-does-not-give-way", breaks: "a bulk suspension and the other half's news wait for each other",
		file:  "internal/leaving/dao_postgres.go",
		edits: []edit{{"lock_timeout = '500ms'", "lock_timeout = 0"}},
		in:    "internal/leaving", killers: []string{"TestDAO_theNewsGivesWayToPeople"},
	},
	{
		name: "shut-out-in-no-order", breaks: "a deleted member's hand-offs are locked before their sessions",
		file:  "migrations/dao/00008_leaving_in_order.sql",
		edits: []edit{{"    PERFORM 1 FROM public.sessions s WHERE s.member_id = OLD.id AND s.ended_at IS NULL ORDER BY s.id FOR NO KEY UPDATE;\n", ""}},
		in:    "internal/leaving", killers: []string{"TestDAO_whoEndsSeveralLocksInOneOrder"},
	},
	{
		name: "one-keeps-all-from-being-told", breaks: "one hand-off that cannot be told keeps the others waiting",
		file:  "internal/leaving/courier.go",
		edits: []edit{{"c.most = max(1, c.most/2)", "c.most = max(1, c.most)"}},
		in:    "internal/leaving", killers: []string{"TestCourier_oneThatCannotBeToldDelaysFew"},
	},
	{
		name: "overtaken-arrival-let-in", breaks: "I8: news that was quicker than the arrival is forgotten",
		file:  "internal/session/postgres.go",
		edits: []edit{{`case ended != nil && *ended:`, `case ended != nil && *ended && by.IsNone() && tx == nil:`}},
		in:    "internal/httpapi/fosapi", killers: []string{"TestI8_theNewsThatOvertakesAnArrivalBarsIt"},
	},
	{
		name: "overtaken-with-a-key-only", breaks: "I8: who has no arrival key is let in after the end",
		file:  "internal/session/postgres.go",
		edits: []edit{{`case ended != nil && *ended:`, `case ended != nil && *ended && !by.IsNone():`}},
		in:    "internal/httpapi/fosapi", killers: []string{"TestI8_theNewsThatOvertakesAnArrivalBarsIt"},
	},
	{
		name: "bar-keeps-its-exception", breaks: "I8: who showed the token again is let in although its source has ended",
		file:  "internal/session/postgres.go",
		edits: []edit{{`ended_as = EXCLUDED.ended_as, shown_as = NULL`, `ended_as = EXCLUDED.ended_as`}},
		in:    "internal/httpapi/fosapi", killers: []string{"TestI8_theNewsBarsAlsoWhoShowedItAgain"},
	},
	{
		name: "news-without-a-lock", breaks: "I8: an arrival and its end miss each other",
		file:  "internal/leaving/fos_postgres.go",
		edits: []edit{{`if err := session.HoldHandoffs(ctx, tx, news.HandoffIDs...); err != nil {`, `if err := session.HoldHandoffs(ctx, tx); err != nil {`}},
		in:    "internal/httpapi/fosapi", killers: []string{"TestI8_theNewsWaitsForAnArrival"},
	},
	{
		name: "end-unrecorded", breaks: "I4: a session ends with its source and nothing says why",
		file:  "internal/leaving/fos_postgres.go",
		edits: []edit{{`Event: audit.SessionEnded, Outcome: audit.Success, From: "ended",`, `Event: audit.SessionEnded, Outcome: audit.Success, From: "ended WHERE false",`}},
		in:    "internal/leaving", killers: []string{"TestTeller_whatWasToldIsDone"},
	},
	{
		name: "own-end-unrecorded", breaks: "I4: a member ends a hand-off and nothing says so",
		file:  "internal/leaving/dao_postgres.go",
		edits: []edit{{`From: "ended", Reason: "'" + string(audit.ByUser) + "'"`, `From: "ended WHERE false", Reason: "'" + string(audit.ByUser) + "'"`}},
		in:    "internal/httpapi/daoapi", killers: []string{"TestI4_aHandoffThatItsMemberEndedIsDeadAtOnce"},
	},
	{
		name: "ended-token-still-good", breaks: "section 4: a token that its member took back is redeemed",
		file:  "internal/handoff/dao_postgres.go",
		edits: []edit{{"const sourceLiveSQL = `h.ended_at IS NULL AND ", "const sourceLiveSQL = `"}},
		in:    "internal/httpapi/daoapi", killers: []string{"TestI4_aHandoffThatItsMemberEndedIsDeadAtOnce"},
	},
	{
		name: "anybodys-handoff-ended", breaks: "section 3: a member ends somebody else's hand-off",
		file:  "internal/leaving/dao_postgres.go",
		edits: []edit{{`JOIN who ON who.member_id = h.member_id WHERE h.handoff_id = @handoff`, `JOIN who ON true WHERE h.handoff_id = @handoff`}},
		in:    "internal/httpapi/daoapi", killers: []string{"TestHandoffs_somebodyElsesAreNone"},
	},
	{
		name: "ended-under-a-planted-csrf-value", breaks: "CSRF: the value of another session is good for ending a hand-off",
		file:  "internal/leaving/dao_postgres.go",
		edits: []edit{{" + ` AND s.id = @session_id\n", " + ` AND @session_id::uuid IS NOT NULL\n"}},
		in:    "internal/httpapi/daoapi", killers: []string{"TestHandoffs_somebodyElsesAreNone"},
	},
	{
		name: "token-ends-any-target", breaks: "section 2: a service token ends another target's hand-offs",
		file:  "internal/leaving/dao_postgres.go",
		edits: []edit{{`OR h.target_domain = ANY(@targets))`, `OR h.target_domain <> '')`}},
		in:    "internal/httpapi/daoapi", killers: []string{"TestHandoffs_aServiceTokenEndsItsOwnTargetsOnly"},
	},
	{
		name: "list-without-end", breaks: "I13: the list of hand-offs has no bound",
		file:  "internal/leaving/dao_postgres.go",
		edits: []edit{{"LIMIT ` + strconv.Itoa(mostShown)", "LIMIT ` + strconv.Itoa(mostShown*100)"}},
		in:    "internal/httpapi/daoapi", killers: []string{"TestI13_theListOfHandoffsIsBounded"},
	},
	{
		name: "end-without-the-service-token", breaks: "I3, I12: anybody ends anybody's session",
		file:  "internal/httpapi/fosapi/api.go",
		edits: []edit{{`Guards: []httpapi.Guard{enabled, config.Bearers.Required, origin}, Handle: a.endHandoffs`, `Guards: []httpapi.Guard{origin}, Handle: a.endHandoffs`}},
		in:    "internal/httpapi/fosapi", killers: []string{"TestI4_noEndWithoutTheServiceTokenOrARecord"},
	},
	{
		name: "told-before-it-is-heard", breaks: "an outage of the FOS half loses what ended in it",
		file:  "internal/leaving/courier.go",
		edits: []edit{{"c.release(ctx, ids)\n\t\treturn false, err", "_ = c.Outbox.Told(ctx, ids)\n\t\treturn false, err"}},
		in:    "internal/leaving", killers: []string{"TestCourier_waitsInAnOutageAndNotTooLong"},
	},
	{
		name: "rows-kept-after-a-failure", breaks: "the news is later than five seconds after an outage",
		file: "internal/leaving/courier.go",
		edits: []edit{{`		c.release(ctx, ids)
`, ``}},
		in: "internal/leaving", killers: []string{"TestCourier_waitsInAnOutageAndNotTooLong"},
	},
	{
		name: "longer-and-longer", breaks: "the news is later than five seconds after an outage",
		file:  "internal/leaving/courier.go",
		edits: []edit{{`firstPause<<min(c.failing-1, 10), longestPause)`, `firstPause<<min(c.failing-1, 10), 100*longestPause)`}},
		in:    "internal/leaving", killers: []string{"TestCourier_waitsInAnOutageAndNotTooLong"},
	},
	{
		name: "every-failure-logged", breaks: "an outage fills the log",
		file:  "internal/leaving/courier.go",
		edits: []edit{{`if c.failing == 1 {`, `if c.failing >= 1 {`}},
		in:    "internal/leaving", killers: []string{"TestCourier_waitsInAnOutageAndNotTooLong"},
	},
	{
		name: "yes-to-everything", breaks: "a front end that answers 200 has heard the news",
		file:  "internal/leaving/peer.go",
		edits: []edit{{`if answer.Status != http.StatusNoContent {`, `if answer.Status >= 300 {`}},
		in:    "internal/leaving", killers: []string{"TestI6_aPeerIsNotBelievedAndNotQuoted"},
	},
	{
		name: "row-in-two-hands", breaks: "two couriers take the same rows",
		file:  "internal/leaving/postgres.go",
		edits: []edit{{`SET next_try_at = clock_timestamp() + $2::interval,`, `SET next_try_at = clock_timestamp() + $2::interval * 0,`}},
		in:    "internal/leaving", killers: []string{"TestOutbox_aRowIsInOneCouriersHands"},
	},
	{
		name: "news-echoed", breaks: "the halves tell each other the same news for ever",
		file:  "migrations/fos/00007_leaving.sql",
		edits: []edit{{` AND NEW.ended_as <> 'source_ended')`, `)`}},
		in:    "internal/leaving", killers: []string{"TestFOS_whateverEndsASessionEndsItsHandoff"},
	},
	{
		name: "strangers-need-rights", breaks: "another program cannot end a session any more",
		file:  "migrations/dao/00006_leaving.sql",
		edits: []edit{{`handoffs_leave_with_session() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER`, `handoffs_leave_with_session() RETURNS trigger LANGUAGE plpgsql`}},
		in:    "internal/leaving", killers: []string{"TestDAO_whateverEndsASourceEndsItsHandoffs"},
	},
	{
		name: "shut-out-and-signed-in", breaks: "a member who was shut out stays signed in",
		file:  "migrations/dao/00006_leaving.sql",
		edits: []edit{{`IF NEW.membership_status <> 'pending' THEN`, `IF NEW.membership_status = 'pending' AND false THEN`}},
		in:    "internal/leaving", killers: []string{"TestDAO_whateverEndsASourceEndsItsHandoffs"},
	},
	{
		name: "locks-in-a-circle", breaks: "who signs out while their token is redeemed hears 503",
		file:  "internal/handoff/dao_postgres.go",
		edits: []edit{{` FOR SHARE OF m FOR SHARE OF s FOR UPDATE OF h`, ` FOR UPDATE OF h FOR SHARE OF s FOR SHARE OF m`}},
		in:    "internal/handoff", killers: []string{"TestI1_whoEndsASourceAndWhoRedeemsDoNotWaitForEachOther"},
	},
}
