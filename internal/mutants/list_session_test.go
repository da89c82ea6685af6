package mutants_test

// tokenMutants take tokens of the FOS half for what they are not (I12).
var tokenMutants = []mutant{
	{
		name: "jwt-audience-unchecked", breaks: "I12: a token for another service is a session here",
		file:  "internal/session/signer.go",
		edits: []edit{{`	if audience != "" {`, `	if audience == "nobody's" {`}},
		in:    "internal/session", killers: []string{"TestI12_forgedTokensAreRefused"},
	},
	{
		name: "jwt-issuer-unchecked", breaks: "I12: a token that somebody else issued is a session here",
		file:  "internal/session/signer.go",
		edits: []edit{{`jwt.WithIssuer(s.config.Issuer), `, ``}},
		in:    "internal/session", killers: []string{"TestI12_forgedTokensAreRefused"},
	},
	{
		name: "jwt-algorithm-open", breaks: "I12: the token chooses the algorithm",
		file:  "internal/session/signer.go",
		edits: []edit{{`[]string{jwt.SigningMethodHS256.Alg()}`, `[]string{jwt.SigningMethodHS256.Alg(), jwt.SigningMethodHS384.Alg(), jwt.SigningMethodHS512.Alg()}`}},
		in:    "internal/session", killers: []string{"TestI12_theAlgorithmIsPinned"},
	},
	{
		name: "jwt-type-unchecked", breaks: "I12: whatever is signed like one is an access token",
		file:  "internal/session/signer.go",
		edits: []edit{{`!ok || w.Type != typeAccess || w.Gen != nil`, `!ok || w.Gen != nil`}},
		in:    "internal/session", killers: []string{"TestI12_forgedTokensAreRefused"},
	},
	{
		name: "refresh-type-unchecked", breaks: "I12: whatever is signed like one is a refresh token",
		file:  "internal/session/signer.go",
		edits: []edit{{`!ok || w.Type != typeRefresh || w.Gen == nil`, `!ok || w.Gen == nil`}},
		in:    "internal/session", killers: []string{"TestI12_forgedTokensAreRefused"},
	},
	{
		name: "one-audience-for-both-kinds", breaks: "I12: a refresh token passes where an audience is all that is looked at",
		file: "internal/session/signer.go",
		edits: []edit{{`	audience := refreshAudience
`, `	audience := s.config.Audience
`}},
		in: "internal/session", killers: []string{"TestThePairSaysExactlyWhatTheProtocolLists"},
	},
	{
		name: "jwt-claims-missing", breaks: "I12: a claim that a token does not have counts as zero",
		file:  "internal/session/claims.go",
		edits: []edit{{"if at.date == nil {\n\t\t\treturn Claims{}, false\n\t\t}", "if at.date == nil {\n\t\t\tcontinue\n\t\t}"}},
		in:    "internal/session", killers: []string{"TestI12_forgedTokensAreRefused"},
	},
	{
		name: "ended-tokens-accepted", breaks: "section 2: an access token lives as long as its session",
		file:  "internal/session/signer.go",
		edits: []edit{{`return s.readAccess(raw, s.access)`, `return s.readAccess(raw, s.expired)`}},
		in:    "internal/session", killers: []string{"TestATokenMayBeginAheadOfOurClockAndNeverEndsBehindIt", "TestI12_forgedTokensAreRefused"},
	},
	{
		name: "critical-extension-ignored", breaks: "I12: an extension that must be understood, and is not",
		file:  "internal/session/signer.go",
		edits: []edit{{`token.Header["crit"]; ok {`, `token.Header["crit"]; ok && s.keys == nil {`}},
		in:    "internal/session", killers: []string{"TestI12_forgedTokensAreRefused"},
	},
	{
		name: "short-signing-key", breaks: "I12: an empty key signs, and anybody can",
		file:  "internal/session/signer.go",
		edits: []edit{{`if len(raw) < minKeyBytes {`, `if len(raw) > 1<<20 {`}},
		in:    "internal/session", killers: []string{"TestI12_aSignerWithoutAProperKeyIsNotMade"},
	},
	{
		name: "session-not-asked", breaks: "section 2: an access token works on after its session was ended",
		file:  "internal/signin/fos_sessions.go",
		edits: []edit{{`case !found.Live(now):`, `case now.IsZero():`}},
		in:    "internal/signin", killers: []string{"TestAGoodTokenIsNotEnoughAtTheFOSHalf"},
	},
	{
		name: "suspension-not-asked", breaks: "section 2: an access token works on after its user was suspended",
		file:  "internal/signin/fos_sessions.go",
		edits: []edit{{`case who.Status != user.Active:`, `case who.Status == "":`}},
		in:    "internal/signin", killers: []string{"TestAGoodTokenIsNotEnoughAtTheFOSHalf"},
	},
	{
		name: "somebody-elses-session-ended", breaks: "section 3: ending a session tells whether somebody else has it",
		file:  "internal/signin/fos_sessions.go",
		edits: []edit{{`err == nil && found.UserID != current.User.ID:`, `err == nil && found.UserID == uuid.Nil:`}},
		in:    "internal/httpapi/fosapi", killers: []string{"TestSomebodyElsesSessionIsNone"},
	},
	{
		name: "sessions-without-bound", breaks: "I13: somebody's password opens sessions without end",
		file:  "internal/signin/fos_postgres.go",
		edits: []edit{{`displaced, inside = displace(ctx, tx, account.ID, fresh.Now, origin)`, `inside = ctx.Err()`}},
		in:    "internal/signin", killers: []string{"TestI13_aUserHasSoManySessionsAndNoMore"},
	},
}

// refreshMutants are about I11: tabs stay signed in, and a copy does not.
var refreshMutants = []mutant{
	{
		name: "generation-unchecked", breaks: "I11: every refresh token of a session is good",
		file:  "internal/session/rotation.go",
		edits: []edit{{`WHEN s.generation <> @shown_generation AND NOT (s.generation = @shown_generation + 1`, `WHEN s.generation < @shown_generation AND NOT (s.generation = @shown_generation + 1`}},
		in:    "internal/signin", killers: []string{"TestI11_theRuleOfRefreshing"},
	},
	{
		name: "theft-not-revoking", breaks: "I11: a stolen token is refused, and the thief's session lives on",
		file: "internal/signin/fos_postgres.go",
		edits: []edit{
			{`ended_at        = CASE h.outcome WHEN 'reused' THEN @now END`, `ended_at = CASE h.outcome WHEN 'never' THEN @now END`},
			{`ended_as        = CASE h.outcome WHEN 'reused' THEN 'reuse' END`, `ended_as = CASE h.outcome WHEN 'never' THEN 'reuse' END`},
		},
		in: "internal/signin", killers: []string{"TestI11_theRuleOfRefreshing", "TestI11_whoeverHoldsWhichTokenOfASession"},
	},
	{
		name: "predecessor-good-for-ever", breaks: "I11: a copy of the token before is as good as the owner's",
		file:  "internal/session/rotation.go",
		edits: []edit{{`AND (NOT s.generation_used OR ` + "` + timely + `" + `)) THEN 'reused'`, `) THEN 'reused'`}},
		in:    "internal/signin", killers: []string{"TestI11_theRuleOfRefreshing"},
	},
	{
		name: "predecessor-never-converges", breaks: "I11: of ten tabs that refresh at once nine are thieves",
		file:  "internal/session/rotation.go",
		edits: []edit{{`AND NOT (s.generation = @shown_generation + 1`, `AND NOT (s.generation = @shown_generation + 100`}},
		in:    "internal/signin", killers: []string{"TestI11_theRuleOfRefreshing"},
	},
	{
		name: "first-use-unnoticed", breaks: "I11: the owner's use of the new pair does not shut the old one",
		file:  "internal/session/rotation.go",
		edits: []edit{{`return firstUse || now.Sub`, `return !firstUse && now.Sub`}},
		in:    "internal/session", killers: []string{"TestARowIsTouchedAtFirstUseAndEveryMinute"},
	},
	{
		name: "refresh-without-a-lock", breaks: "I11: a refresh judges what was so before the one that it waited for",
		file:  "internal/signin/fos_postgres.go",
		edits: []edit{{"	FOR NO KEY UPDATE OF s\n), moved AS (\n\tUPDATE public.sessions s SET", "), moved AS (\n\tUPDATE public.sessions s SET"}},
		in:    "internal/signin", killers: []string{"TestI11_aRefreshWaitsForAnotherAndConverges", "TestI11_aRefreshWaitsForWhoeverEndsTheSession"},
	},
	{
		name: "refresh-of-a-suspended-user", breaks: "section 2: who is suspended is given new tokens",
		file: "internal/signin/fos_sessions.go",
		edits: []edit{
			{`case refreshed.Outcome == session.Barred, refreshed.User.Status != user.Active:`, `case refreshed.Outcome == "":`},
		},
		in: "internal/httpapi/fosapi", killers: []string{"TestASuspendedUserRefreshesNothingAndIsBackAfterwards"},
	},
	{
		name: "planted-token-refreshed", breaks: "section 2: a neighbour's refresh token makes the victim go on as the neighbour",
		file:  "internal/signin/fos_sessions.go",
		edits: []edit{{`case err != nil, anchored && claims.SessionID != anchor.SessionID:`, `case err != nil, anchored && anchor.SessionID == uuid.Nil:`}},
		in:    "internal/httpapi/fosapi", killers: []string{"TestAPlantedRefreshTokenChangesNobodysSession"},
	},
	{
		name: "refresh-without-an-anchor", breaks: "section 2: over HTTPS a planted refresh token is enough",
		file:  "internal/signin/fos_sessions.go",
		edits: []edit{{`if f.Anchored && !anchored {`, `if f.Anchored && f.Signer == nil {`}},
		in:    "internal/signin", killers: []string{"TestOverHTTPSARefreshTokenNeedsItsAccessToken"},
	},
	{
		name: "refresh-lengthens-the-session", breaks: "section 2: the seven days begin anew with every refresh",
		file:  "internal/session/signer.go",
		edits: []edit{{`refresh.ExpiresAt = jwt.NewNumericDate(of.ExpiresAt)`, `refresh.ExpiresAt = jwt.NewNumericDate(now.Add(s.config.RefreshTTL))`}},
		in:    "internal/session", killers: []string{"TestNoTokenOutlivesItsSession"},
	},
	{
		name: "dao-refresh-of-any-session", breaks: "CSRF: a value of another session refreshes this one",
		file: "internal/signin/dao_postgres.go",
		edits: []edit{{`WHERE s.id = @id AND ` + "` + member.MatchSQL + `" + `
	FOR NO KEY UPDATE OF s`, `WHERE ` + "` + member.MatchSQL + `" + `
	FOR NO KEY UPDATE OF s`}},
		in: "internal/httpapi/daoapi", killers: []string{"TestRefresh_refusesWhatNoPageOfOursSent"},
	},
	{
		name: "dao-refresh-revives", breaks: "section 2: a session that was ended is given another cookie",
		file: "internal/signin/dao_postgres_refresh.go",
		edits: []edit{
			{`WHEN s.ended_at IS NOT NULL OR s.expires_at <= @now OR m.membership_status`, `WHEN s.expires_at <= @now OR m.membership_status`},
		},
		in: "internal/signin", killers: []string{"TestRefresh_theStatementAgreesWithTheRule", "TestRefresh_refusesAndChangesNothing"},
	},
	{
		name: "dao-refresh-past-the-end", breaks: "section 2: the idle time ends after the seven days",
		file:  "internal/signin/dao_postgres_refresh.go",
		edits: []edit{{`idle_expires_at = least(@idle_until, s.expires_at)`, `idle_expires_at = @idle_until`}},
		in:    "internal/signin", killers: []string{"TestRefresh_neverGoesPastTheAbsoluteEnd"},
	},
	{
		name: "dao-cookie-before-good-for-ever", breaks: "section 2: a copy of the cookie before the rotation stays good",
		file:  "internal/member/session.go",
		edits: []edit{{`(s.previous_digest = @cookie AND s.rotated_at > @now::timestamptz - ` + "` + previousInterval + `" + `)`, `s.previous_digest = @cookie`}},
		in:    "internal/member", killers: []string{"TestMatchSQL_knowsTheCookieAndTheOneBefore"},
	},
	{
		name: "dao-idle-session-lives", breaks: "section 2: a session that nobody used for half an hour is good",
		file: "internal/member/session.go",
		edits: []edit{
			{`s.ended_at IS NULL AND s.idle_expires_at > @now AND s.expires_at > @now`, `s.ended_at IS NULL AND s.expires_at > @now`},
			{`case !now.Before(s.IdleExpiresAt), !now.Before(s.ExpiresAt):`, `case !now.Before(s.ExpiresAt):`},
		},
		in: "internal/httpapi/daoapi", killers: []string{"TestSession_sleepsAfterThirtyMinutesAndIsWokenByARefresh"},
	},
	{
		name: "dao-successor-without-a-nonce", breaks: "section 2: who has an old cookie and the key knows the next one",
		file:  "internal/member/rotation.go",
		edits: []edit{{`key.Of(old.raw(), nonce)`, `key.Of(old.raw(), nonce[:0])`}},
		in:    "internal/member", killers: []string{"TestI12_aSuccessorNeedsCookieNonceAndKey"},
	},
	{
		name: "dao-logout-of-any-session", breaks: "CSRF: a planted value ends another session, and the person believes they are out",
		file:  "internal/member/session.go",
		edits: []edit{{`OR NOT EXISTS (SELECT FROM sessions o WHERE o.digest = @cookie OR o.previous_digest = @cookie))`, `OR true)`}},
		in:    "internal/signin", killers: []string{"TestLogout_withAnotherSessionsCookie"},
	},
	{
		name: "suspended-member-stays", breaks: "section 2: a DAO session outlives the membership",
		file:  "internal/signin/dao.go",
		edits: []edit{{`err == nil && who.Status.Stopped()`, `err == nil && who.Status == ""`}},
		in:    "internal/signin", killers: []string{"TestCurrent_saysWhoUntilItEnds"},
	},
}
