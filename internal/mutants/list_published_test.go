package mutants_test

// publishedMutants are about what is published of the interface, and the clients.
var publishedMutants = []mutant{
	{
		name: "field-renamed", breaks: "an answer has another field than is published",
		file:  "internal/httpapi/daoapi/leaving.go",
		edits: []edit{{"`json:\"state\"`", "`json:\"status\"`"}},
		in:    "internal/httpapi/daoapi", killers: []string{"TestPublished_theBodiesAreThese"},
	},
	{
		name: "field-missing-at-times", breaks: "a field that is published as required is left out",
		file:  "internal/httpapi/fosapi/auth.go",
		edits: []edit{{"`json:\"handoff_id\"`", "`json:\"handoff_id,omitempty\"`"}},
		in:    "internal/httpapi/fosapi", killers: []string{"TestPublished_theBodiesAreThese"},
	},
	{
		name: "route-renamed", breaks: "a path is published and not served",
		file:  "internal/leaving/peer.go",
		edits: []edit{{`EndPath   = "/api/v1/auth/handoffs/end"`, `EndPath   = "/api/v1/auth/handoffs/over"`}},
		in:    "internal/httpapi/fosapi", killers: []string{"TestPublished_theRoutesAreThese"},
	},
	{
		name: "code-renamed", breaks: "a code is published and not given",
		file:  "internal/httpapi/problem.go",
		edits: []edit{{`http.StatusUnauthorized, "login_required"`, `http.StatusUnauthorized, "sign_in_again"`}},
		in:    "internal/httpapi/apidoc", killers: []string{"TestThePublishedCodesAreTheServices", "TestTheListOfErrorsIsTheServices"},
	},
	{
		name: "status-changed", breaks: "an answer has another status than is published",
		file:  "internal/httpapi/daoapi/session.go",
		edits: []edit{{`httpapi.JSON(c, http.StatusOK, csrfAnswer{value})`, `httpapi.JSON(c, http.StatusCreated, csrfAnswer{value})`}},
		in:    "internal/httpapi/apidoc", killers: []string{"TestEveryPublishedAnswerIsGiven"},
	},
	{
		name: "head-of-everything", breaks: "HEAD does what POST does",
		file:  "internal/httpapi/server.go",
		edits: []edit{{`if route.Method == http.MethodGet {`, `if route.Method != http.MethodHead {`}},
		in:    "internal/httpapi", killers: []string{"TestHEADChangesNothing"},
	},
	{
		name: "head-of-nothing", breaks: "HEAD is refused where GET is not",
		file:  "internal/httpapi/server.go",
		edits: []edit{{`if route.Method == http.MethodGet {`, `if route.Method == http.MethodHead {`}},
		in:    "internal/httpapi", killers: []string{"TestHEADChangesNothing"},
	},
	{
		name: "docs-cannot-be-switched-off", breaks: "the viewer is served where an operator has switched it off",
		file:  "internal/app/apidocs.go",
		edits: []edit{{`if !a.config.APIDocsEnabled {`, `if c.Name == "" {`}},
		in:    "internal/httpapi/apidoc", killers: []string{"TestWhoSwitchesTheDocsOffHasNone"},
	},
	{
		name: "viewer-loads-from-anywhere", breaks: "the viewer may run scripts of others",
		file:  "internal/httpapi/apidoc/viewer.go",
		edits: []edit{{`"script-src 'self'",`, `"script-src *",`}},
		in:    "internal/httpapi/apidoc", killers: []string{"TestThePagesAreWhereTheyAreExpected"},
	},
	{
		name: "viewer-knows-its-address", breaks: "behind a gateway that strips a prefix, the viewer finds nothing",
		file:  "internal/httpapi/apidoc/web/docs.html",
		edits: []edit{{`src="docs/start.js"`, `src="/docs/start.js"`}},
		in:    "internal/httpapi/apidoc", killers: []string{"TestWhatAPageRefersToIsItsOwn"},
	},
	{
		name: "client-asks-again-after-a-refusal", breaks: "a client shows a spent token again and again",
		file:  "client/http.go",
		edits: []edit{{`if problem.Code != NoAnswer && problem.Code != DependencyUnavailable {`, `if problem.Code == Internal {`}},
		in:    "client", killers: []string{"TestARefusalIsNotAskedForTwice"},
	},
	{
		name: "client-gives-up", breaks: "I8: a lost answer costs the person the hand-off",
		file:  "client/http.go",
		edits: []edit{{`try == tries ||`, `try >= 1 ||`}},
		in:    "client", killers: []string{"TestI8_aLostAnswerIsAskedForAgain"},
	},
	{
		name: "client-takes-any-target", breaks: "I7: an answer for another target signs somebody in",
		file:  "client/exchange.go",
		edits: []edit{{`if claims.TargetDomain != e.target {`, `if claims.TargetDomain == "" {`}},
		in:    "client", killers: []string{"TestI7_anAnswerForAnotherTargetIsRefused"},
	},
	{
		name: "client-follows-redirects", breaks: "the service token goes to wherever a redirect points",
		file:  "client/http.go",
		edits: []edit{{`return http.ErrUseLastResponse }`, `return nil }`}, {`sending.GetBody = nil`, `_ = sending.GetBody`}},
		in:    "client", killers: []string{"TestWhatIsNotTheServiceIsNoAnswer"},
	},
	{
		name: "client-prints-secrets", breaks: "I6: a token prints",
		file:  "client/secret.go",
		edits: []edit{{`func (Secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, hidden) }`, `func (s Secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, s.Reveal()) }`}},
		in:    "client", killers: []string{"TestI6_secretsDoNotPrint"},
	},
}
