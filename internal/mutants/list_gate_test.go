package mutants_test

// gateMutants weaken the ledger's decision: is this token still good, and for whom?
var gateMutants = []mutant{
	{
		name: "no-fence", breaks: "I1: the exchange answers without asking the ledger",
		file:  "internal/handoff/exchange.go",
		edits: []edit{{`x.Ledger.Redeem(within, r)`, `true, within.Err()`}},
		in:    "internal/httpapi/daoapi", killers: []string{"TestI1_ofManyKeysOneWins", "TestI8_withoutAKeyASecondUseIsAReplay"},
	},
	{
		name: "fence-without-guard", breaks: "I1: a row that is redeemed is redeemed again",
		file: "internal/handoff/dao_postgres.go",
		edits: []edit{
			{`@shown AND h.redeemed_at IS NULL AND h.expires_at`, `@shown AND h.expires_at`},
			{`WHERE h.handoff_id = in_time.handoff_id AND h.redeemed_at IS NULL`, `WHERE h.handoff_id = in_time.handoff_id`},
		},
		in: "internal/handoff", killers: []string{"TestI1_theGateOpensOnce", "TestRedeem_matchesNothingWhenItMustNot"},
	},
	{
		name: "fence-ignores-expiry", breaks: "I2: the gate lets a token of more than 60 s pass",
		file:  "internal/handoff/dao_postgres.go",
		edits: []edit{{`h.redeemed_at IS NULL AND h.expires_at > @now`, `h.redeemed_at IS NULL`}},
		in:    "internal/handoff", killers: []string{"TestRedeem_matchesNothingWhenItMustNot"},
	},
	{
		name: "fence-ignores-logout", breaks: "section 4: a token outlives the session that it was minted in",
		file:  "internal/handoff/dao_postgres.go",
		edits: []edit{{`s.ended_at IS NULL AND s.expires_at > @now AND m.membership_status`, `s.expires_at > @now AND m.membership_status`}},
		in:    "internal/handoff", killers: []string{"TestRedeem_matchesNothingWhenItMustNot", "TestI1_aSourceThatEndsInTheQueueForTheLockIsSeen"},
	},
	{
		name: "fence-ignores-suspension", breaks: "section 4: a member who was shut out arrives all the same",
		file:  "internal/handoff/dao_postgres.go",
		edits: []edit{{`AND s.expires_at > @now AND m.membership_status = 'active'`, `AND s.expires_at > @now`}},
		in:    "internal/handoff", killers: []string{"TestRedeem_matchesNothingWhenItMustNot"},
	},
	{
		name: "source-not-locked", breaks: "section 4: a logout during the wait for the lock is not seen",
		file:  "internal/handoff/dao_postgres.go",
		edits: []edit{{"` FOR SHARE OF m` + groupcommit.Locking + ` FOR SHARE OF s` + groupcommit.Locking + ` FOR UPDATE OF h`", "` FOR UPDATE OF h`"}},
		in:    "internal/handoff", killers: []string{"TestI1_aSourceThatEndsInTheQueueForTheLockIsSeen"},
	},
	{
		name: "no-deadline", breaks: "I1: a statement that was stuck redeems for a caller who has given up",
		file:  "internal/handoff/dao_postgres.go",
		edits: []edit{{`clock_timestamp() < @deadline`, `@deadline::timestamptz IS NOT NULL`}},
		in:    "internal/handoff", killers: []string{"TestI1_aRedemptionPastItsDeadlineMatchesNoRow"},
	},
	{
		name: "deadline-before-the-lock", breaks: "I1: the deadline is looked at before the wait, not after it",
		file:  "internal/handoff/dao_postgres.go",
		edits: []edit{{`clock_timestamp() < @deadline`, `statement_timestamp() < @deadline`}},
		in:    "internal/handoff", killers: []string{"TestI1_aDeadlineThatPassesInTheQueueForTheLockIsSeen"},
	},
	{
		name: "deadline-optional", breaks: "I1: a redemption without a deadline is let through",
		file:  "internal/handoff/dao_postgres.go",
		edits: []edit{{"deadline, ok := ctx.Deadline()\n\tif !ok {\n\t\treturn false, errNoDeadline\n\t}\n\t_, won", "deadline, _ := time.Now().Add(time.Hour), ctx\n\t_, won"}},
		in:    "internal/handoff", killers: []string{"TestRedeem_demandsADeadline"},
	},
	{
		name: "wrong-target-not-burnt", breaks: "I7: a token that was shown for the wrong target stays good",
		file:  "internal/handoff/exchange.go",
		edits: []edit{{`x.Ledger.Burn(within, r)`, `true, within.Err()`}},
		in:    "internal/httpapi/daoapi", killers: []string{"TestI7_aWrongTargetBurnsTheToken", "TestI7_burntIsBurntWhateverRedisHolds"},
	},
	{
		name: "wrong-target-unseen", breaks: "I7: a token is good for every target",
		file:  "internal/handoff/exchange.go",
		edits: []edit{{`r.Target != "" && r.Target != target`, `r.Target != "" && target == ""`}},
		in:    "internal/httpapi/daoapi", killers: []string{"TestI7_aWrongTargetBurnsTheToken"},
	},
	{
		name: "restricted-caller-unseen", breaks: "I7: a service token that is for one target takes all",
		file:  "internal/handoff/exchange.go",
		edits: []edit{{`len(r.Caller.Targets) > 0 && !slices.Contains(`, `len(r.Caller.Targets) > 9 && !slices.Contains(`}},
		in:    "internal/httpapi/daoapi", killers: []string{"TestI7_aRestrictedServiceTokenBurnsWhatIsNotForIt"},
	},
	{
		name: "any-attempt-is-ours", breaks: "I8: whoever shows a used token is given what its user was given",
		file:  "internal/token/ledger.go",
		edits: []edit{{`own := subtle.ConstantTimeCompare(e.Attempt, attempt[:]) == 1`, `own := subtle.ConstantTimeCompare(e.Attempt, e.Attempt) == 1`}},
		in:    "internal/token", killers: []string{"TestJudge_theWholeTable", "TestJudge_aRedemptionWithoutAttemptIsNobodys"},
	},
	{
		name: "repeat-without-end", breaks: "I8: the same caller may repeat for more than ten seconds",
		file:  "internal/token/ledger.go",
		edits: []edit{{`now.Sub(*e.RedeemedAt) <= RepeatWindow`, `now.Sub(*e.RedeemedAt) <= TTL`}},
		in:    "internal/token", killers: []string{"TestJudge_theWholeTable"},
	},
	{
		name: "repeat-past-expiry", breaks: "I2: a repeat is answered after the 60 s",
		file:  "internal/token/ledger.go",
		edits: []edit{{`<= RepeatWindow && now.Before(e.ExpiresAt)`, `<= RepeatWindow`}},
		in:    "internal/token", killers: []string{"TestJudge_theWholeTable"},
	},
	{
		name: "burnt-is-repeatable", breaks: "I7: who burnt a token is given its claims at the second try",
		file:  "internal/token/ledger.go",
		edits: []edit{{`return OursBurnt`, `return Ours`}},
		in:    "internal/token", killers: []string{"TestJudge_theWholeTable"},
	},
	{
		name: "verdict-ignores-expiry", breaks: "I2: the ledger takes an old token for one that is good",
		file:  "internal/token/ledger.go",
		edits: []edit{{`case !now.Before(e.ExpiresAt):`, `case now.IsZero():`}},
		in:    "internal/token", killers: []string{"TestJudge_theWholeTable"},
	},
	{
		name: "attempt-of-any-token", breaks: "I8: one Idempotency-Key is the same attempt at every token",
		file:  "internal/token/ledger.go",
		edits: []edit{{`sha256.Sum256(append(digest[:], idempotencyKey...))`, `sha256.Sum256([]byte(idempotencyKey))`}},
		in:    "internal/token", killers: []string{"TestNewAttempt_theSameKeyIsTheSameAttemptForOneTokenOnly"},
	},
	{
		name: "repeat-of-another-exchange", breaks: "I8: a repeat under the same key needs neither the target nor the verifier",
		file:  "internal/handoff/exchange.go",
		edits: []edit{{`return p.claims != nil && !p.unbound && !p.misdirected`, `return p.claims != nil`}},
		in:    "internal/handoff", killers: []string{"TestI8_theSameKeyDoesNotRepeatAnotherExchange"},
	},
	{
		name: "binding-unchecked", breaks: "section 2: a token that a browser bound is good in any other",
		file:  "internal/handoff/exchange.go",
		edits: []edit{{`&claims, !claims.Bound(request.Verifier), `, `&claims, false, `}},
		in:    "internal/handoff", killers: []string{"TestI1_anUnboundPresentationConsumesNothing"},
	},
	{
		name: "lost-commit-is-a-win", breaks: "I1, I4: an exchange is answered although its commit is not known to be",
		file:  "internal/handoff/exchange.go",
		edits: []edit{{`return found == verdict`, `return found == verdict || found == token.Open`}},
		in:    "internal/handoff", killers: []string{"TestI1_aLostAnswerIsNobodysWinUnlessTheRowSaysSo"},
	},
	{
		name: "mint-for-any-session", breaks: "CSRF: a value that is good for another session mints in this one",
		file:  "internal/handoff/dao_postgres_mint.go",
		edits: []edit{{` AND s.id = @csrf_session AS live`, ` AND @csrf_session IS NOT NULL AS live`}},
		in:    "internal/httpapi/daoapi", killers: []string{"TestMint_demandsTheCSRFValueOfThisSession"},
	},
	{
		name: "unverified-member-mints", breaks: "section 2: an address that was never proven leaves the house",
		file:  "internal/member/member.go",
		edits: []edit{{`NOT m.email_verified`, `m.email_verified IS NULL`}},
		in:    "internal/httpapi/daoapi", killers: []string{"TestMint_whoMayNot"},
	},
	{
		name: "inactive-member-mints", breaks: "section 2: a member who is not active hands off",
		file:  "internal/member/member.go",
		edits: []edit{{`m.membership_status <> 'active'`, `m.membership_status IS NULL`}},
		in:    "internal/httpapi/daoapi", killers: []string{"TestMint_whoMayNot"},
	},
	{
		name: "verified-member-mints-not", breaks: "section 2: who may hand off may not, and who may not may",
		file:  "internal/member/member.go",
		edits: []edit{{`NOT m.email_verified`, `m.email_verified`}},
		in:    "internal/handoff", killers: []string{"TestMint_whoMayNotAndWhy"},
	},
	{
		name: "mint-another-order-of-rules", breaks: "who was shut out hears that their address is unproven",
		file: "internal/member/member.go",
		edits: []edit{{
			"	{`m.membership_status <> 'active'`, ErrInactive},\n	{`NOT m.email_verified`, ErrEmailUnverified},\n",
			"	{`NOT m.email_verified`, ErrEmailUnverified},\n	{`m.membership_status <> 'active'`, ErrInactive},\n",
		}},
		in: "internal/handoff", killers: []string{"TestMint_whoMayNotAndWhy"},
	},
	{
		name: "mint-lesser-reason-first", breaks: "the last of the reasons that fit is recorded and told",
		file: "internal/handoff/dao_postgres_mint.go",
		edits: []edit{{
			`whens.WriteString(" WHEN " + rule.Fits + " THEN '" + string(reason) + "'")`,
			`graver := whens.String(); whens.Reset(); whens.WriteString(" WHEN " + rule.Fits + " THEN '" + string(reason) + "'" + graver)`,
		}},
		in: "internal/handoff", killers: []string{"TestMint_whoMayNotAndWhy"},
	},
	{
		name: "mint-recorded-for-another-reason", breaks: "I4: the record of a refusal says what was not the matter",
		file: "internal/handoff/dao_postgres_mint.go",
		edits: []edit{{
			`audit.EmailUnverified: member.ErrEmailUnverified, audit.SignInTooOld: member.ErrSignInTooOld`,
			`audit.EmailUnverified: member.ErrSignInTooOld, audit.SignInTooOld: member.ErrEmailUnverified`,
		}},
		in: "internal/handoff", killers: []string{"TestMint_whoMayNotAndWhy"},
	},
	{
		name: "mint-refuses-at-the-border", breaks: "I10: a sign-in that is exactly as old as it may be is too old",
		file:  "internal/member/member.go",
		edits: []edit{{`s.auth_time < @signed_in_since`, `s.auth_time <= @signed_in_since`}},
		in:    "internal/handoff", killers: []string{"TestMint_whoMayNotAndWhy"},
	},
	{
		name: "foreign-target-minted", breaks: "section 2: a token is minted for a domain that is not configured",
		file:  "internal/handoff/mint.go",
		edits: []edit{{"if i < 0 {\n\t\t\treturn Target{}, &FieldError", "if i = max(i, 0); i < 0 {\n\t\t\treturn Target{}, &FieldError"}},
		in:    "internal/httpapi/daoapi", killers: []string{"TestMint_whatItDoesNotTake"},
	},
	{
		name: "open-redirect", breaks: "section 2: a return path leads to another site",
		file:  "internal/handoff/mint.go",
		edits: []edit{{`strings.Contains(path, "//") || `, ``}},
		in:    "internal/handoff", killers: []string{"TestValidReturnPath_refusesEveryWayOut"},
	},
}
