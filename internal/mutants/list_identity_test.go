package mutants_test

// identityMutants decide wrongly who somebody is (I9, section 5).
var identityMutants = []mutant{
	{
		name: "unverified-email-linked", breaks: "I9: whoever writes an address at the DAO half is given its account",
		file:  "internal/user/arrival.go",
		edits: []edit{{`	{3, byEmail, situation.emailUnproven, "", ErrConflict}, // anybody can write any address at the DAO half`, ``}},
		in:    "internal/user", killers: []string{"TestI9_section5RowByRow", "TestI9_everyArrivalThereCanBe"},
	},
	{
		name: "founder-linked-by-address", breaks: "I9: a founder's account is linked in anybody's browser",
		file:  "internal/user/arrival.go",
		edits: []edit{{`	{3, byEmail, situation.privilegedStranger, "", ErrConflict},`, ``}},
		in:    "internal/user", killers: []string{"TestI9_section5RowByRow", "TestI9_everyArrivalThereCanBe"},
	},
	{
		name: "founder-linked-as-somebody-else", breaks: "I9: being signed in as anybody is proof of being the founder",
		file:  "internal/user/arrival.go",
		edits: []edit{{`s.arrival.SignedInAs != uuid.Nil && s.arrival.SignedInAs == s.found.ID`, `s.arrival.SignedInAs != uuid.Nil`}},
		in:    "internal/user", killers: []string{"TestI9_section5RowByRow", "TestI9_everyArrivalThereCanBe"},
	},
	{
		name: "unproven-account-linked", breaks: "I9: an account that a stranger made and waits behind is linked as it is",
		file:  "internal/user/arrival.go",
		edits: []edit{{`	{3, byEmail, situation.accountUnproven, Reclaimed, nil},`, `	{3, byEmail, situation.accountUnproven, Linked, nil},`}},
		in:    "internal/user", killers: []string{"TestI9_section5RowByRow", "TestI9_everyArrivalThereCanBe"},
	},
	{
		name: "status-ignored", breaks: "section 5: who is suspended arrives all the same",
		file:  "internal/user/arrival.go",
		edits: []edit{{`	{0, anyhow, situation.stopped, "", ErrInactive},`, ``}},
		in:    "internal/user", killers: []string{"TestI9_section5RowByRow", "TestI9_everyArrivalThereCanBe"},
	},
	{
		name: "status-of-the-principal-ignored", breaks: "section 5: who is suspended comes back from a second DAO account",
		file:  "internal/user/arrival.go",
		edits: []edit{{`[]*Candidate{s.facts.ByLink, s.facts.ByPrincipal}`, `[]*Candidate{s.facts.ByLink}`}},
		in:    "internal/user", killers: []string{"TestI9_everyArrivalThereCanBe"},
	},
	{
		name: "principal-of-another-user", breaks: "I9: one principal leads to two users",
		file:  "internal/user/arrival.go",
		edits: []edit{{`	{1, byLink, situation.principalElsewhere, "", ErrConflict},`, ``}},
		in:    "internal/user", killers: []string{"TestI9_section5RowByRow", "TestI9_everyArrivalThereCanBe"},
	},
	{
		name: "linked-twice", breaks: "I9: a user who is linked to one member is linked to another by their address",
		file:  "internal/user/arrival.go",
		edits: []edit{{`	{3, byEmail, situation.otherLink, "", ErrConflict},`, ``}},
		in:    "internal/user", killers: []string{"TestI9_section5RowByRow", "TestI9_everyArrivalThereCanBe"},
	},
	{
		name: "anonymous-principal", breaks: "I9: the principal that everybody has is a key to the first who arrived with it",
		file:  "internal/user/arrival.go",
		edits: []edit{{`case "", "2vxsx-fae", "aaaaa-aa":`, `case "":`}},
		in:    "internal/user", killers: []string{"TestI9_aPrincipalThatManyHaveProvesNothing"},
	},
	{
		name: "reclaim-keeps-the-password", breaks: "I9: a stranger's password opens the account that its owner reclaimed",
		file:  "internal/user/postgres.go",
		edits: []edit{{`SET password_hash = NULL, totp_secret = NULL,`, `SET totp_secret = NULL,`}},
		in:    "internal/user", killers: []string{"TestI9_aPreHijackedAccountIsEmptiedForItsOwner"},
	},
	{
		name: "reclaim-keeps-the-sessions", breaks: "I9: a stranger stays signed in to the account that its owner reclaimed",
		file:  "internal/user/postgres.go",
		edits: []edit{{`ended_as = 'reclaim' WHERE user_id = @user AND ended_at IS NULL`, `ended_as = 'reclaim' WHERE user_id = @user AND false`}},
		in:    "internal/user", killers: []string{"TestI9_aPreHijackedAccountIsEmptiedForItsOwner", "TestI9_aSessionBegunDuringTheReclaimIsEndedToo"},
	},
	{
		name: "reclaim-keeps-the-api-tokens", breaks: "I9: a stranger's API token works on in the account that its owner reclaimed",
		file:  "internal/user/postgres.go",
		edits: []edit{{`DELETE FROM public.api_token          WHERE user_id = @user`, `DELETE FROM public.api_token WHERE user_id = @user AND false`}},
		in:    "internal/user", killers: []string{"TestI9_aPreHijackedAccountIsEmptiedForItsOwner"},
	},
	{
		name: "reclaim-keeps-the-resets", breaks: "I9: a stranger's mail to reset the password is good for the owner's account",
		file:  "internal/user/postgres.go",
		edits: []edit{{`DELETE FROM public.password_reset     WHERE user_id = @user`, `DELETE FROM public.password_reset WHERE user_id = @user AND false`}},
		in:    "internal/user", killers: []string{"TestI9_aPreHijackedAccountIsEmptiedForItsOwner"},
	},
	{
		name: "role-by-arrival", breaks: "I9: a new user is an admin",
		file:  "internal/user/postgres.go",
		edits: []edit{{`@name, 'member', 'ACTIVE', @now, @now)`, `@name, 'admin', 'ACTIVE', @now, @now)`}},
		in:    "internal/user", killers: []string{"TestI9_aStrangerBecomesAMemberAndIsKnownTheNextTime"},
	},
	{
		name: "candidates-not-locked", breaks: "I9: a session that is begun during a reclaim is not ended",
		file:  "internal/user/postgres.go",
		edits: []edit{{`ORDER BY u.id FOR UPDATE OF u`, `ORDER BY u.id`}},
		in:    "internal/user", killers: []string{"TestI9_aSessionBegunDuringTheReclaimIsEndedToo"},
	},
	{
		name: "unlocked-candidate-decided-about", breaks: "I9: somebody who became a candidate meanwhile is decided about unlocked",
		file:  "internal/user/postgres.go",
		edits: []edit{{`if !slices.Contains(locked, c.ID) {`, `if slices.Contains(locked, uuid.Nil) {`}},
		in:    "internal/user", killers: []string{"TestI9_aCandidateWhoIsNotLockedIsNotDecidedAbout"},
	},
	{
		name: "email-folded-as-unicode", breaks: "I9: KELVIN SIGN is a k, and its owner somebody else",
		file:  "internal/privacy/email.go",
		edits: []edit{{`folded := []byte(e.reveal())`, `folded := []byte(strings.ToLower(e.reveal()))`}},
		in:    "internal/privacy", killers: []string{"TestI9_emailsFoldAsciiOnly"},
	},
	{
		name: "account-not-held", breaks: "I9: a password that its owner is changing opens a session",
		file:  "internal/signin/fos_postgres.go",
		edits: []edit{{`inside = user.Hold(ctx, tx, account)`, `inside = ctx.Err()`}},
		in:    "internal/signin", killers: []string{"TestI9_aReclaimWhileThePasswordIsCheckedLeavesTheStrangerOutside"},
	},
	{
		name: "second-factor-skipped", breaks: "section 2: an account with a second factor is entered with the password alone",
		file: "internal/user/credentials.go",
		edits: []edit{{`	case c.SecondFactor:
		return ErrSecondFactor
`, ``}},
		in: "internal/user", killers: []string{"TestWhoMayEnter"},
	},
	{
		name: "suspended-user-signs-in", breaks: "section 2: a password opens an account that is suspended",
		file: "internal/user/credentials.go",
		edits: []edit{
			{"	case c.Status.Stopped():\n\t\treturn ErrInactive\n", ""},
			{"	case c.Status != Active:\n\t\treturn ErrInactive\n", ""},
		},
		in: "internal/user", killers: []string{"TestWhoMayEnter"},
	},
	{
		name: "unverified-user-signs-in", breaks: "section 2: whoever registered an address that is not theirs signs in",
		file:  "internal/user/credentials.go",
		edits: []edit{{"	case !c.EmailVerified:\n\t\treturn ErrEmailUnverified\n", ""}},
		in:    "internal/user", killers: []string{"TestWhoMayEnter"},
	},
	{
		name: "rehash-undoes-a-change", breaks: "section 6: a rehash brings back the password that was changed meanwhile",
		file:  "internal/user/postgres.go",
		edits: []edit{{`updated_at = $4 WHERE id = $1 AND password_hash = $2`, `updated_at = $4 WHERE id = $1 AND $2::text IS NOT NULL`}},
		in:    "internal/user", killers: []string{"TestAHashIsReplacedOnlyWhereItIsTheOneThatWasVerified"},
	},
}
