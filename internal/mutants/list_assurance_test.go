package mutants_test

// assuranceMutants break the step-up, and what a session from before must not gain by it.
var assuranceMutants = []mutant{
	{
		name: "step-up-for-old-tokens", breaks: "I10: a copy of the access token from before the step-up acts as founder",
		file:  "internal/signin/fos_sessions.go",
		edits: []edit{{"	found = found.ProvedAt(claims.AuthTime, claims.AMR)\n	role := ", "	role := "}},
		in:    "internal/signin", killers: []string{"TestI10_aStepUpIsNotInheritedByACopyFromBefore"},
	},
	{
		name: "founder-proven-by-an-old-token", breaks: "I9, I10: a copy of the access token from before the step-up links a founder's account",
		file:  "internal/signin/fos_sessions.go",
		edits: []edit{{"	found = found.ProvedAt(claims.AuthTime, claims.AMR)\n	return Current{", "	return Current{"}},
		in:    "internal/signin", killers: []string{"TestI10_aStepUpIsNotInheritedByACopyFromBefore"},
	},
	{
		name: "step-up-for-old-refresh-tokens", breaks: "I10: a copy of the refresh token from before the step-up leads to a founder's",
		file:  "internal/signin/fos_sessions.go",
		edits: []edit{{`f.enter(refreshed.Session.ProvedAt(claims.AuthTime, claims.AMR), refreshed.User)`, `f.enter(refreshed.Session, refreshed.User)`}},
		in:    "internal/signin", killers: []string{"TestI10_aStepUpIsNotInheritedByACopyFromBefore", "TestI11_whoeverHoldsWhichTokenOfASession"},
	},
	{
		name: "step-up-for-a-repeated-arrival", breaks: "I10: an arrival that is repeated after a step-up is given the elevated session",
		file:  "internal/session/postgres.go",
		edits: []edit{{`return s.ProvedAt(n.AuthTime, n.AMR), nil`, `return s, nil`}},
		in:    "internal/session", killers: []string{"TestI10_anArrivalRepeatedAfterAStepUpIsNotElevated"},
	},
	{
		name: "two-factors-now", breaks: "I10: after a step-up by password the token says that the DAO half's second factor was shown just now",
		file:  "internal/session/rotation.go",
		edits: []edit{{`amr             = CASE WHEN s.elevated THEN s.amr ELSE '{pwd}' END`, `amr = s.amr`}},
		in:    "internal/signin", killers: []string{"TestI10_aStepUpIsWhatWasProvedHere"},
	},
	{
		name: "step-up-in-the-same-second", breaks: "I10: who steps up in the second of their sign-in elevates the tokens of before",
		file:  "internal/session/rotation.go",
		edits: []edit{{`greatest(@now, date_trunc('second', s.auth_time) + interval '1 second')`, `greatest(@now, s.auth_time)`}},
		in:    "internal/signin", killers: []string{"TestI10_aStepUpInTheSecondOfTheSignInIsLaterAllTheSame"},
	},
	{
		name: "step-up-goes-on-by-itself", breaks: "I11: a step-up beside a refresh leaves the other tabs two generations behind, and they end the session",
		file:  "internal/session/rotation.go",
		edits: []edit{{`s.generation + CASE s.generation WHEN @generation THEN 1 ELSE 0 END`, `s.generation + CASE WHEN @generation > 0 THEN 1 ELSE 0 END`}},
		in:    "internal/signin", killers: []string{"TestI11_aStepUpLeavesNoTabBehind", "TestI11_whoeverHoldsWhichTokenOfASession"},
	},
	{
		name: "step-up-of-an-ended-session", breaks: "I9: a session that its owner ended while the password was checked is elevated, and given a pair",
		file:  "internal/session/rotation.go",
		edits: []edit{{"	WHERE s.id = @id AND s.user_id = @user AND ` + LiveSQL + `", "	WHERE s.id = @id AND s.user_id = @user AND (true OR ` + LiveSQL + `)"}},
		in:    "internal/signin", killers: []string{"TestI9_aStepUpWhoseGroundGivesWayIsNone"},
	},
	{
		name: "step-up-without-hold", breaks: "I9: the account may become another while its password is checked",
		file:  "internal/signin/fos_postgres.go",
		edits: []edit{{`inside = user.Hold(ctx, tx, up.Account)`, `inside = ctx.Err()`}},
		in:    "internal/signin", killers: []string{"TestI9_aStepUpWhoseGroundGivesWayIsNone"},
	},
	{
		name: "step-up-unrecorded", breaks: "I4: nobody finds out who stepped up",
		file:  "internal/signin/fos_postgres.go",
		edits: []edit{{`Event: audit.SessionElevated, Outcome: audit.Success, From: "elevated",`, `Event: audit.SessionElevated, Outcome: audit.Success, From: "elevated WHERE false",`}},
		in:    "internal/signin", killers: []string{"TestI10_aStepUpIsWhatWasProvedHere"},
	},
	{
		name: "step-up-without-limits", breaks: "a stolen session guesses its owner's password as fast as it likes",
		file: "internal/httpapi/fosapi/stepup.go",
		edits: []edit{{`err = a.Logins.Limited(c, a.Edge, login, func() (err error) {`, `_ = login
	err = func(attempt func() error) error { return attempt() }(func() (err error) {`}},
		in: "internal/httpapi/fosapi", killers: []string{"TestAStepUpTakesFromTheLoginsBudgets"},
	},
	{
		name: "second-factor-stays", breaks: "I9: the stranger's second factor locks the owner out of the account that she got back",
		file:  "internal/user/postgres.go",
		edits: []edit{{`totp_secret = NULL, email = @email`, `email = @email`}},
		in:    "internal/httpapi/fosapi", killers: []string{"TestPreHijacking_classicFederatedMerge"},
	},
	{
		name: "trojan-principal-stays", breaks: "I9: the stranger comes back by a principal of their own",
		file:  "internal/user/postgres.go",
		edits: []edit{{`DELETE FROM public.ic_identity_link   WHERE user_id = @user`, `DELETE FROM public.ic_identity_link WHERE user_id = @user AND false`}},
		in:    "internal/httpapi/fosapi", killers: []string{"TestPreHijacking_trojanIdentifier"},
	},
	{
		name: "pending-change-stays", breaks: "I9: the stranger confirms a change of address when the owner is in",
		file:  "internal/user/postgres.go",
		edits: []edit{{`DELETE FROM public.email_verification WHERE user_id = @user`, `DELETE FROM public.email_verification WHERE user_id = @user AND false`}},
		in:    "internal/httpapi/fosapi", killers: []string{"TestPreHijacking_unexpiredEmailChange"},
	},
	{
		name: "provider-stays", breaks: "I9: the stranger comes back by a provider that asks nothing",
		file:  "internal/user/postgres.go",
		edits: []edit{{`DELETE FROM public.oauth_credential   WHERE user_id = @user`, `DELETE FROM public.oauth_credential WHERE user_id = @user AND false`}},
		in:    "internal/httpapi/fosapi", killers: []string{"TestPreHijacking_nonVerifyingIdP"},
	},
	{
		name: "linked-account-reclaimed", breaks: "I9: whoever has a member's old address is given their account, which was never proven",
		file:  "internal/user/arrival.go",
		edits: []edit{{`{3, byEmail, situation.otherLink, "", ErrConflict},`, `{3, byEmail, func(s situation) bool { return s.otherLink() && !s.accountUnproven() }, "", ErrConflict},`}},
		in:    "internal/httpapi/fosapi", killers: []string{"TestPreHijacking_nonVerifyingIdP_aLinkedAccountIsNotReclaimed", "TestEmailChange_aLinkedUserKeepsAddressAndAccount"},
	},
	{
		name: "link-does-not-decide", breaks: "I9: a member whose address has changed is somebody new here",
		file:  "internal/user/arrival.go",
		edits: []edit{{`	case f.ByLink != nil:`, `	case f.ByLink != nil && f.ByLink.Email.Canonical() == a.Email.Canonical():`}},
		in:    "internal/user", killers: []string{"TestI9_anExistingUserIsLinkedAndStaysWhoTheyAre", "TestI9_aStrangerBecomesAMemberAndIsKnownTheNextTime"},
	},
}
