package mutants_test

// arrivalMutants are about the FOS half's side of a hand-off: what it believes, and
// what a session by hand-off may do.
var arrivalMutants = []mutant{
	{
		name: "exchange-without-a-service-token", breaks: "I3, I12: a bypass for development, where no service token is configured",
		file: "internal/httpapi/bearer.go",
		edits: []edit{
			{"if len(b.Accepted) == 0 {\n\t\treturn handoff.ErrDisabled", "if len(b.Accepted) < 0 {\n\t\treturn handoff.ErrDisabled"},
			{`return keyID, ok
}`, `return keyID, ok || len(all) == 0
}`},
		},
		in: "internal/httpapi/daoapi", killers: []string{"TestI3_withoutAServiceTokenNothingIsExchanged"},
	},
	{
		name: "arrival-without-a-service-token", breaks: "I3: what is switched off touches a store",
		file:  "internal/httpapi/fosapi/api.go",
		edits: []edit{{"append([]httpapi.Guard{enabled}, unsafe...), Handle: a.crossDomainLogin", "unsafe, Handle: a.crossDomainLogin"}},
		in:    "internal/httpapi/fosapi", killers: []string{"TestI3_withoutAServiceTokenNothingIsTouched"},
	},
	{
		name: "any-bearer", breaks: "I12: the exchange takes every bearer",
		file:  "internal/httpapi/bearer.go",
		edits: []edit{{`if accepted.Equal(shown) {`, `if accepted.Equal(accepted.Reveal()) && shown != "" {`}},
		in:    "internal/httpapi/daoapi", killers: []string{"TestI12_onlyTheWholeServiceTokenPasses"},
	},
	{
		name: "bearer-by-its-beginning", breaks: "I12: the first characters of a service token are enough",
		file:  "internal/httpapi/bearer.go",
		edits: []edit{{`if accepted.Equal(shown) {`, `if strings.HasPrefix(accepted.Reveal(), shown) {`}},
		in:    "internal/httpapi/daoapi", killers: []string{"TestI12_onlyTheWholeServiceTokenPasses"},
	},
	{
		name: "empty-secret-equals-empty", breaks: "I12: an empty bearer is good where the token was forgotten",
		file:  "internal/privacy/secret.go",
		edits: []edit{{`return same && !s.IsEmpty()`, `return same`}},
		in:    "internal/privacy", killers: []string{"TestI12_secretsCompareWholeAndAnEmptyOneMatchesNothing"},
	},
	{
		name: "claims-for-another-target", breaks: "I7: the FOS half takes claims that are another site's",
		file:  "internal/handoff/login.go",
		edits: []edit{{`case claims.Target != l.Target:`, `case claims.Target == "":`}},
		in:    "internal/httpapi/fosapi", killers: []string{"TestI7_anAnswerForAnotherSiteIsInvalid"},
	},
	{
		name: "claims-long-over", breaks: "I2: an answer that was kept opens a session a day later",
		file:  "internal/handoff/login.go",
		edits: []edit{{`l.Now().After(claims.ExpiresAt.Add(clockSkew))`, `l.Now().After(claims.ExpiresAt.Add(24 * 365 * time.Hour))`}},
		in:    "internal/httpapi/fosapi", killers: []string{"TestI2_anAnswerThatIsLongOverIsExpired"},
	},
	{
		name: "handoff-id-not-unique", breaks: "I1: a hand-off that was exchanged twice opens two sessions",
		file:  "internal/session/postgres.go",
		edits: []edit{{"ON CONFLICT (handoff_id) DO NOTHING\nRETURNING ` + Columns\n", "ON CONFLICT (handoff_id) DO UPDATE SET last_used_at = EXCLUDED.last_used_at\nRETURNING ` + Columns\n"}},
		in:    "internal/session", killers: []string{"TestI1_fiftyInsertsOfOneHandoffAreOneSession", "TestI8_aSpentHandoffConvergesForItsOwnBrowserOnly"},
	},
	{
		name: "spent-handoff-for-anybody", breaks: "I8: a URL from a log is given the session that it opened",
		file:  "internal/session/postgres.go",
		edits: []edit{{`!n.Arrival.is(key, nonce) || !s.Live(n.Now)`, `!s.Live(n.Now)`}},
		in:    "internal/session", killers: []string{"TestI8_aSpentHandoffConvergesForItsOwnBrowserOnly"},
	},
	{
		name: "spent-handoff-of-an-ended-session", breaks: "I8: a repeat brings back the session that its owner ended",
		file:  "internal/session/postgres.go",
		edits: []edit{{`!n.Arrival.is(key, nonce) || !s.Live(n.Now)`, `!n.Arrival.is(key, nonce)`}},
		in:    "internal/session", killers: []string{"TestI8_aSpentHandoffConvergesForItsOwnBrowserOnly"},
	},
	{
		name: "no-key-equals-no-key", breaks: "I8, I12: who has no arrival key is taken for the other who has none",
		file: "internal/session/session.go",
		edits: []edit{
			{`return m != (Mark{}) && subtle`, `return subtle`},
			{"	if m == (Mark{}) {\n\t\treturn nil\n\t}\n\treturn m[:]", "	return m[:]"},
		},
		in: "internal/session", killers: []string{"TestI8_aSpentHandoffConvergesForItsOwnBrowserOnly"},
	},
	{
		name: "second-browser-ends-nothing", breaks: "I8: a token in two browsers leaves the thief's session alive",
		file:  "internal/handoff/login_refusals.go",
		edits: []edit{{`return l.Store.Revoke(ctx, refusal, by)`, `return l.Store.Append(ctx, refusal)`}},
		in:    "internal/httpapi/fosapi", killers: []string{"TestI8_twoBrowsersWithOneTokenEndTheSession"},
	},
	{
		name: "spent-url-is-a-weapon", breaks: "I8: whoever finds a spent URL in a log ends the session that it opened",
		file:  "internal/handoff/login_refusals.go",
		edits: []edit{{`if by.IsNone() || !onItsWay(refusal.HandoffID, refusal.At) {`, `if by.IsNone() {`}},
		in:    "internal/httpapi/fosapi", killers: []string{"TestI8_withoutEvidenceNothingIsEnded"},
	},
	{
		name: "repeat-ends-ones-own-session", breaks: "I8: a late second press in the same browser signs the person out",
		file:  "internal/session/postgres.go",
		edits: []edit{{"anotherBrowserSQL(\"s.arrival\", \"s.nonce\") + ` AND `", "`@arrival::bytea IS NOT NULL AND `"}},
		in:    "internal/httpapi/fosapi", killers: []string{"TestI8_withoutEvidenceNothingIsEnded"},
	},
	{
		name: "broken-off-thief-comes-back", breaks: "I8: whoever was first and broke off takes up a hand-off that was in two browsers",
		file:  "internal/session/postgres.go",
		edits: []edit{{`WHERE NOT EXISTS (SELECT FROM public.sessions s WHERE s.handoff_id = @handoff)`, `WHERE false`}},
		in:    "internal/httpapi/fosapi", killers: []string{"TestI8_whoBreaksOffDoesNotDodgeTheEvidence"},
	},
	{
		name: "founder-by-handoff", breaks: "I10: a hand-off opens an admin's powers",
		file:  "internal/session/session.go",
		edits: []edit{{"		return role\n\t}\n\treturn member", "		return role\n\t}\n\t_ = member\n\treturn role"}},
		in:    "internal/session", killers: []string{"TestI10_aPrivilegedHandoffActsAsMemberUntilProven"},
	},
	{
		name: "handoff-session-is-elevated", breaks: "I10: a session by hand-off counts as a proof on this half",
		file:  "internal/session/postgres.go",
		edits: []edit{{`"elevated": n.Origin == Password`, `"elevated": n.Origin != ""`}},
		in:    "internal/session", killers: []string{"TestASessionIsStoredAsItWasOpened"},
	},
	{
		name: "usual-handoff-session-is-elevated", breaks: "I10: the same, by the statement of most arrivals",
		file:  "internal/session/postgres.go",
		edits: []edit{{`@arrival, @nonce, 1, false, @auth_time,`, `@arrival, @nonce, 1, true, @auth_time,`}},
		in:    "internal/httpapi/fosapi", killers: []string{"TestI10_anAdminArrivesAsAMember"},
	},
	{
		name: "token-says-the-full-role", breaks: "I10: the access token of an admin's hand-off says admin",
		file:  "internal/handoff/arrival.go",
		edits: []edit{{`l.Signer.Pair(arrived.Session, role)`, `l.Signer.Pair(arrived.Session, string(arrived.User.Role))`}},
		in:    "internal/httpapi/fosapi", killers: []string{"TestI10_anAdminArrivesAsAMember"},
	},
	{
		name: "fresh-auth-time", breaks: "I10: who signed in yesterday is said to have signed in now",
		file:  "internal/handoff/arrival.go",
		edits: []edit{{`AuthTime: claims.AuthTime, AMR: claims.AMR,`, `AuthTime: now, AMR: claims.AMR,`}},
		in:    "internal/httpapi/fosapi", killers: []string{"TestI10_assuranceIsCarriedAndNeverGrows"},
	},
	{
		name: "auth-time-after-the-mint", breaks: "I10: a peer makes a sign-in younger than the token",
		file:  "internal/handoff/wire.go",
		edits: []edit{{`b.AuthTime == 0 || b.AuthTime > b.IssuedAt`, `b.AuthTime == 0`}},
		in:    "internal/httpapi/fosapi", killers: []string{"TestI10_assuranceIsCarriedAndNeverGrows"},
	},
	{
		name: "signed-in-without-proof", breaks: "I9, I10: a session by hand-off links a founder's account",
		file:  "internal/signin/fos_sessions.go",
		edits: []edit{{`err == nil && found.Elevated, true, nil`, `err == nil, true, nil`}},
		in:    "internal/httpapi/fosapi", killers: []string{"TestI9_aSessionThatProvedNothingHereLinksNoFounder"},
	},
	{
		name: "peer-verifies-all", breaks: "I9: a peer's word that an address is not verified is overruled",
		file:  "internal/handoff/wire.go",
		edits: []edit{{`verified = *b.EmailVerified`, `verified = verified || *b.EmailVerified`}},
		in:    "internal/handoff", killers: []string{"TestAssumingNeverOverrulesWhatAPeerSays"},
	},
	{
		name: "operator-without-a-role", breaks: "section 2: every user reads the details",
		file:  "internal/httpapi/fosapi/api.go",
		edits: []edit{{`if current.ActingRole != "founder" && current.ActingRole != "admin" {`, `if current.ActingRole == "guest" {`}},
		in:    "internal/httpapi/fosapi", killers: []string{"TestI10_anAdminArrivesAsAMember"},
	},
	{
		name: "details-for-everybody", breaks: "section 2: the details of the DAO half need no service token",
		file: "internal/httpapi/daoapi/api.go",
		edits: []edit{{`Guards: []httpapi.Guard{other.Required, origin},
			Handle: config.Edge.Detailed`, `Guards: []httpapi.Guard{origin},
			Handle: config.Edge.Detailed`}},
		in: "internal/httpapi/daoapi", killers: []string{"TestHealthDetailed_isForTheServiceTokenAlone"},
	},
}
