package mutants_test

// questionMutants break who is asked before they are signed in, and what an answer is
// good for.
var questionMutants = []mutant{
	{
		name: "nobody-is-asked", breaks: "a link that somebody else made signs people in, although confirm is set",
		file:  "internal/handoff/arrival.go",
		edits: []edit{{`return c.Needed && !named`, `return false`}},
		in:    "internal/httpapi/fosapi", killers: []string{"TestConfirm_whoseJourneyDidNotBeginHereIsAsked"},
	},
	{
		name: "bound-journeys-are-asked", breaks: "who began the journey here is asked about it",
		file:  "internal/handoff/login.go",
		edits: []edit{{`unasked: bound || l.Unbound == UnboundAllow`, `unasked: l.Unbound == UnboundAllow`}},
		in:    "internal/httpapi/fosapi", killers: []string{"TestConfirm_whoIsNotAsked"},
	},
	{
		name: "somebody-else-replaced", breaks: "a forged link takes the place of who is signed in",
		file:  "internal/handoff/arrival.go",
		edits: []edit{{`return !named || c.Replaces != c.Present`, `return false`}},
		in:    "internal/httpapi/fosapi", killers: []string{"TestSomebodyElseIsNeverReplacedSilently"},
	},
	{
		name: "answer-for-anybody", breaks: "a yes replaces somebody who was not named",
		file:  "internal/handoff/arrival.go",
		edits: []edit{{`return !named || c.Replaces != c.Present`, `return !named`}},
		in:    "internal/httpapi/fosapi", killers: []string{"TestConfirm_isGoodForThePeopleWhoWereNamed"},
	},
	{
		name: "same-user-asked", breaks: "who is signed in already is asked whether they want to be themselves",
		file: "internal/handoff/arrival.go",
		edits: []edit{{`case who.User.ID:
		return false`, `case who.User.ID:
		return c.Needed && !named`}},
		in: "internal/httpapi/fosapi", killers: []string{"TestConfirm_whoIsNotAsked"},
	},
	{
		name: "expired-access-is-nobody", breaks: "who comes back after half an hour is replaced silently",
		file: "internal/signin/fos_sessions.go",
		edits: []edit{{`func (f *FOS) Inside(ctx context.Context, access string) (inside Current, proven, ok bool, err error) {
	claims, err := f.Signer.ReadAccess(access)`, `func (f *FOS) Inside(ctx context.Context, access string) (inside Current, proven, ok bool, err error) {
	claims, err := f.Signer.VerifyAccess(access)`}},
		in: "internal/httpapi/fosapi", killers: []string{"TestWhoIsSignedInHereAlready"},
	},
	{
		name: "ended-session-is-somebody", breaks: "an ended session asks people about whom nobody is signed in as",
		file: "internal/signin/fos_sessions.go",
		edits: []edit{{`found.UserID != claims.UserID || !found.Live(f.Now()) || who.Status != user.Active:
		return Current{}, false, false, nil`, `found.UserID != claims.UserID:
		return Current{}, false, false, nil`}},
		in: "internal/httpapi/fosapi", killers: []string{"TestWhoIsSignedInHereAlready"},
	},
	{
		name: "unknown-is-nobody", breaks: "while the database is away, whoever is signed in can be replaced, and tokens are spent",
		file: "internal/httpapi/fosapi/auth.go",
		edits: []edit{{`	if err != nil || !ok {
		return handoff.Inside{}, err
`, `	if err != nil || !ok {
		return handoff.Inside{}, nil
`}},
		in: "internal/httpapi/fosapi", killers: []string{"TestNotKnowingWhoIsSignedInIsNotNobody"},
	},
	{
		name: "question-without-end", breaks: "a question can be answered for as long as Redis keeps it",
		file:  "internal/handoff/question.go",
		edits: []edit{{`case !l.Now().Before(p.Until):`, `case false:`}},
		in:    "internal/httpapi/fosapi", killers: []string{"TestConfirm_whatIsNoAnswer"},
	},
	{
		name: "more-time-with-each-question", breaks: "a question that is put again never ends",
		file:  "internal/handoff/question.go",
		edits: []edit{{`if p.Until.IsZero() {`, `if true {`}},
		in:    "internal/httpapi/fosapi", killers: []string{"TestConfirm_isGoodForThePeopleWhoWereNamed"},
	},
	{
		name: "yes-to-any-question", breaks: "yes to one question confirms another",
		file:  "internal/handoff/question.go",
		edits: []edit{{`if err == nil && p.Claims.HandoffID != answer.HandoffID {`, `if false {`}},
		in:    "internal/httpapi/fosapi", killers: []string{"TestConfirm_aReloadFindsTheQuestion", "TestConfirm_whatIsNoAnswer"},
	},
	{
		name: "old-question-for-a-new-token", breaks: "a new link is answered with an old question",
		file:  "internal/handoff/question.go",
		edits: []edit{{`err == nil && p.Shown != request.Token.Digest()`, `err == nil && false`}},
		in:    "internal/httpapi/fosapi", killers: []string{"TestConfirm_aReloadFindsTheQuestion"},
	},
	{
		name: "reload-loses-the-question", breaks: "a reload of the page costs the person the hand-off",
		file:  "internal/handoff/login.go",
		edits: []edit{{`if open, err := l.askedAlready(ctx, request); err != nil || open != nil {`, `if open, err := l.askedAlready(ctx, request); false {`}},
		in:    "internal/httpapi/fosapi", killers: []string{"TestConfirm_aReloadFindsTheQuestion"},
	},
	{
		name: "question-unrecorded", breaks: "I4: nobody knows that somebody was asked",
		file:  "internal/handoff/question.go",
		edits: []edit{{`At: now, Event: audit.HandoffPending,`, `At: now, Event: audit.HandoffRefused,`}},
		in:    "internal/httpapi/fosapi", killers: []string{"TestConfirm_whoseJourneyDidNotBeginHereIsAsked"},
	},
	{
		name: "parked-before-recorded", breaks: "I4: what cannot be recorded is asked",
		file: "internal/handoff/question.go",
		edits: []edit{{`	if err != nil {
		return nil, err
	}
	if err := l.Parking.Put(`, `	if err := l.Parking.Put(`}},
		in: "internal/httpapi/fosapi", killers: []string{"TestI4_aQuestionThatCannotBeRecordedIsNone"},
	},
	{
		name: "no-is-not-remembered", breaks: "a question can be answered after no",
		file:  "internal/handoff/question.go",
		edits: []edit{{`return l.Parking.Drop(ctx, answer.Secret.Digest())`, `return nil`}},
		in:    "internal/httpapi/fosapi", killers: []string{"TestConfirm_whoSaysNoIsForgotten"},
	},
	{
		name: "arrival-key-not-parked", breaks: "I8: a replay while the person is asked changes nothing",
		file:  "internal/handoff/login.go",
		edits: []edit{{`Key: by.Key, Nonce: by.Nonce,`, `Nonce: by.Nonce,`}},
		in:    "internal/httpapi/fosapi", killers: []string{"TestI8_aReplayEndsTheQuestion"},
	},
	{
		name: "new-session-with-each-yes", breaks: "I8: saying yes twice is told that the link was used",
		file:  "internal/handoff/arrival.go",
		edits: []edit{{`ID: p.SessionID, Origin`, `ID: uuid.New(), Origin`}},
		in:    "internal/httpapi/fosapi", killers: []string{"TestI8_confirmingTwiceOpensOneSession"},
	},
	{
		name: "refused-tokens-are-spent", breaks: "a token that is refused opens nothing anywhere",
		file:  "internal/handoff/login.go",
		edits: []edit{{`if !errors.Is(err, token.ErrBinding) || l.Unbound == UnboundRefuse {`, `if !errors.Is(err, token.ErrBinding) {`}},
		in:    "internal/httpapi/fosapi", killers: []string{"TestRefuse_leavesTheTokenAsGoodAsItWas"},
	},
	{
		name: "refuse-without-a-verifier", breaks: "where unbound journeys are refused a browser without one of its own is let in",
		file:  "internal/handoff/login.go",
		edits: []edit{{`if verifier.IsNone() && l.Unbound == UnboundRefuse {`, `if false {`}},
		in:    "internal/httpapi/fosapi", killers: []string{"TestRefuse_leavesTheTokenAsGoodAsItWas"},
	},
	{
		name: "repeat-replaces-nobody", breaks: "I8: who signed in between two answers lives on behind a cookie that is gone",
		file:  "internal/handoff/fos_postgres.go",
		edits: []edit{{"	if replaced, err = replaceOlder(", "	if !inserted {\n\t\treturn Arrived{User: who.User, Session: begun}, nil\n\t}\n\tif replaced, err = replaceOlder("}},
		in:    "internal/httpapi/fosapi", killers: []string{"TestI8_confirmingAgainReplacesWhoCameBetween"},
	},
	{
		name: "repeat-replaces-itself", breaks: "I8: the answer said twice ends the session that it opened",
		file:  "internal/handoff/fos_postgres.go",
		edits: []edit{{"if a.OlderSession == uuid.Nil || a.OlderSession == begun {", "if a.OlderSession == uuid.Nil {"}},
		in:    "internal/httpapi/fosapi", killers: []string{"TestI8_confirmingAgainReplacesWhoCameBetween"},
	},
	{
		name: "founder-linked-silently", breaks: "I9: a founder opens a link, and its maker has the founder's account",
		file:  "internal/handoff/arrival.go",
		edits: []edit{{"if linksPrivileged(who) && ", "if linksPrivileged(who) && c.Needed && "}},
		in:    "internal/httpapi/fosapi", killers: []string{"TestI9_aFoundersAddressIsLinkedOnlyInTheirOwnBrowser"},
	},
	{
		name: "older-session-stays", breaks: "a session lives on that nobody can sign out of",
		file:  "internal/handoff/fos_postgres.go",
		edits: []edit{{`	if a.OlderSession == uuid.Nil || a.OlderSession == begun {`, `	if true {`}},
		in:    "internal/httpapi/fosapi", killers: []string{"TestConfirm_whoIsNotAsked", "TestSomebodyElseIsNeverReplacedSilently"},
	},
	{
		name: "parked-in-the-open", breaks: "I5: who reads Redis reads addresses, and answers for everybody",
		file: "internal/token/seal.go",
		edits: []edit{{`return aead.Seal(nonce, nonce, plain, digest[:]), nil`, `if purpose == forParked {
		return append(nonce, plain...), nil
	}
	return aead.Seal(nonce, nonce, plain, digest[:]), nil`}},
		in: "internal/httpapi/fosapi", killers: []string{"TestI5_whatIsParkedNamesNobody"},
	},
	{
		name: "tab-is-another-browser", breaks: "I8: a second tab with the same link is taken for a thief",
		file:  "internal/handoff/login.go",
		edits: []edit{{`return session.NewArrival(r.ArrivalKey, r.Verifier.Reveal())`, `return session.NewArrival(r.ArrivalKey, "")`}},
		in:    "internal/httpapi/fosapi", killers: []string{"TestI8_theNonceIsAMarkOfTheBrowser"},
	},
	{
		name: "tab-may-not-ask-again", breaks: "I8: a double click in two tabs costs the second one its answer",
		file:  "internal/handoff/login.go",
		edits: []edit{{`case !request.Verifier.IsNone():`, `case false:`}},
		in:    "internal/httpapi/fosapi", killers: []string{"TestI8_theNonceIsAMarkOfTheBrowser"},
	},
	{
		name: "same-key-is-another-browser", breaks: "I8: one mark that differs outweighs one that is the same",
		file:  "internal/session/postgres.go",
		edits: []edit{{"	AND NOT coalesce(` + key + ` = @arrival, false) AND NOT coalesce(` + nonce + ` = @nonce, false))`", "	AND true)`"}},
		in:    "internal/httpapi/fosapi", killers: []string{"TestI8_theNonceIsAMarkOfTheBrowser"},
	},
	{
		name: "no-to-any-question", breaks: "no in an old tab forgets what a newer one was asked",
		file:  "internal/handoff/question.go",
		edits: []edit{{"func (l *Login) Decline(ctx context.Context, answer Answer) error {\n\tp, err := l.answered(ctx, answer)", "func (l *Login) Decline(ctx context.Context, answer Answer) error {\n\tp, err := l.parked(ctx, answer.Secret)"}},
		in:    "internal/httpapi/fosapi", killers: []string{"TestConfirm_whoSaysNoIsForgotten"},
	},
}
