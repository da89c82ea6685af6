package mutants_test

// authzMutants are about what a gateway asks for the services behind it.
var authzMutants = []mutant{
	{
		name: "authz-preflight-lets-pass", breaks: "a request with the method OPTIONS passes the gateway without a session",
		file:  "internal/httpapi/server.go",
		edits: []edit{{"	if config.Gateways {", "	if config.Gateways && len(routes) == 0 {"}},
		in:    "internal/httpapi/fosapi", killers: []string{"TestForwardAuth_theListenerIsApart"},
	},
	{
		name: "authz-anybody-may-ask", breaks: "I15: who says that the request is a GET is believed, whoever they are",
		file:  "internal/httpapi/forwarded.go",
		edits: []edit{{`if !config.isFromProxy(question) {`, `if !config.isFromProxy(question) && question.Header.Get("X-Forwarded-Method") == "" {`}},
		in:    "internal/httpapi/fosapi", killers: []string{"TestI15_onlyAGatewayOfOursMayAsk"},
	},
	{
		name: "authz-proxy-by-its-own-word", breaks: "I15: a forwarded address makes a proxy",
		file:  "internal/httpapi/forwarded.go",
		edits: []edit{{`netip.ParseAddrPort(r.RemoteAddr)`, `netip.ParseAddrPort(r.Header.Get("X-Forwarded-For") + ":1")`}},
		in:    "internal/httpapi/fosapi", killers: []string{"TestI15_onlyAGatewayOfOursMayAsk", "TestForwardAuth_aLiveSessionPassesAndAnEndedOneDoesNot"},
	},
	{
		name: "authz-judges-the-question", breaks: "CSRF: the gateway's own GET is judged, and another site's POST passes",
		file:  "internal/httpapi/forwarded.go",
		edits: []edit{{`c.SetRequest(askedAbout(question))`, `_ = askedAbout(question)`}},
		in:    "internal/httpapi/fosapi", killers: []string{"TestForwardAuth_whatAnotherSiteMakesABrowserSendIsStopped"},
	},
	{
		name: "authz-first-method-counts", breaks: "CSRF: of two methods the first is believed",
		file:  "internal/httpapi/forwarded.go",
		edits: []edit{{`if values := header.Values(name); len(values) == 1 {`, `if values := header.Values(name); len(values) >= 1 {`}},
		in:    "internal/httpapi/fosapi", killers: []string{"TestI15_onlyAGatewayOfOursMayAsk"},
	},
	{
		name: "authz-options-are-safe", breaks: "CSRF: a method that is not known to be safe is",
		file:  "internal/httpapi/origin.go",
		edits: []edit{{`func isSafe(method string) bool { return method == http.MethodGet || method == http.MethodHead }`, `func isSafe(method string) bool { return method != http.MethodPost }`}},
		in:    "internal/httpapi/fosapi", killers: []string{"TestForwardAuth_whatAnotherSiteMakesABrowserSendIsStopped"},
	},
	{
		name: "authz-no-origin-asked", breaks: "CSRF: another site that can send our header is let through",
		file:  "internal/httpapi/fosapi/authz.go",
		edits: []edit{{`config.Edge.Forwarded(origin, httpapi.IfUnsafe(httpapi.RequestedWith))`, `config.Edge.Forwarded(httpapi.IfUnsafe(httpapi.RequestedWith))`}},
		in:    "internal/httpapi/fosapi", killers: []string{"TestForwardAuth_whatAnotherSiteMakesABrowserSendIsStopped"},
	},
	{
		name: "authz-no-header-asked", breaks: "CSRF: a sibling's form is let through",
		file:  "internal/httpapi/fosapi/authz.go",
		edits: []edit{{`config.Edge.Forwarded(origin, httpapi.IfUnsafe(httpapi.RequestedWith))`, `config.Edge.Forwarded(origin)`}},
		in:    "internal/httpapi/fosapi", killers: []string{"TestForwardAuth_whatAnotherSiteMakesABrowserSendIsStopped"},
	},
	{
		name: "authz-by-the-token-alone", breaks: "I10: an ended session, and a founder's by hand-off, are what the token says",
		file: "internal/httpapi/fosapi/authz.go",
		edits: []edit{{`	current, err := a.Sessions.Current(c.Request().Context(), access)
	if err != nil {`, `	current, _, ok, err := a.Sessions.Inside(c.Request().Context(), access)
	if err != nil || !ok && current.User.ID.Version() == 9 {`}},
		in: "internal/httpapi/fosapi", killers: []string{"TestForwardAuth_aLiveSessionPassesAndAnEndedOneDoesNot"},
	},
	{
		name: "authz-role-of-the-account", breaks: "I10: a stolen DAO session is a founder to every other service",
		file:  "internal/httpapi/fosapi/authz.go",
		edits: []edit{{`role: current.ActingRole`, `role: string(current.User.Role)`}},
		in:    "internal/httpapi/fosapi", killers: []string{"TestI10_aServiceBehindTheGatewayHearsTheActingRole"},
	},
	{
		name: "authz-two-credentials", breaks: "two answers to who it is: the service behind may go by the other one",
		file:  "internal/httpapi/fosapi/authz.go",
		edits: []edit{{`case isBearer && len(cookies) == 0:`, `case isBearer:`}},
		in:    "internal/httpapi/fosapi", killers: []string{"TestForwardAuth_whatIsNoSession"},
	},
	{
		name: "authz-header-left-out", breaks: "a gateway that removes nothing lets a forged X-Auth-Service through",
		file:  "internal/httpapi/fosapi/authz.go",
		edits: []edit{{"	header.Set(\"X-Auth-Service\", who.service)\n", "	if who.service != \"\" {\n\t\theader.Set(\"X-Auth-Service\", who.service)\n\t}\n"}},
		in:    "internal/httpapi/fosapi", killers: []string{"TestForwardAuth_aLiveSessionPassesAndAnEndedOneDoesNot"},
	},
	{
		name: "authz-last-service-wins", breaks: "I12: a bearer of nobody's is the last service's",
		file:  "internal/httpapi/forwarded.go",
		edits: []edit{{`subtle.ConstantTimeCompare(digest[:], service.Digest[:]) == 1`, `subtle.ConstantTimeCompare(digest[:], service.Digest[:]) >= 0`}},
		in:    "internal/httpapi/fosapi", killers: []string{"TestForwardAuth_aServiceIsKnownByItsOwnBearer"},
	},
	{
		name: "authz-short-bearer", breaks: "I12: who reads the digests guesses a short bearer",
		file:  "internal/httpapi/forwarded.go",
		edits: []edit{{`!ok || !known || len(shown) < shortestBearer`, `!ok || !known`}},
		in:    "internal/httpapi/fosapi", killers: []string{"TestForwardAuth_aServiceIsKnownByItsOwnBearer"},
	},
	{
		name: "authz-snippet-lacks-a-header", breaks: "whoever copies the document's snippet lets a forged X-Auth-Role through",
		file:  "docs/operations.md",
		edits: []edit{{"              - X-Auth-Role\n              - X-Auth-Session\n        known", "              - X-Auth-Session\n        known"}},
		in:    "internal/httpapi/fosapi", killers: []string{"TestForwardAuth_theSnippetListsEveryHeader"},
	},
	{
		name: "authz-digest-of-nothing", breaks: "I12: the digest of an unset variable is taken for a bearer's",
		file:  "internal/config/services.go",
		edits: []edit{{`{sha256.Sum256(nil): "nothing at all: it is the digest of an empty text"}`, `{}`}},
		in:    "internal/config", killers: []string{"TestI12_DigestsThatNameNobody"},
	},
}

// rotationMutants are steps of the operations document that an operator would follow.
var rotationMutants = []mutant{
	{
		name: "rotation-service-token-of-one-direction", breaks: "who leaves the DAO half stays signed in until the rotation is over",
		file: "docs/operations.md",
		edits: []edit{{
			"    rollout both: CROSS_DOMAIN_SERVICE_TOKEN=OLD CROSS_DOMAIN_SERVICE_TOKEN_PREVIOUS=NEW\n    rollout both: CROSS_DOMAIN_SERVICE_TOKEN=NEW CROSS_DOMAIN_SERVICE_TOKEN_PREVIOUS=OLD\n",
			"    rollout dao: CROSS_DOMAIN_SERVICE_TOKEN=OLD CROSS_DOMAIN_SERVICE_TOKEN_PREVIOUS=NEW\n    rollout fos: CROSS_DOMAIN_SERVICE_TOKEN=NEW CROSS_DOMAIN_SERVICE_TOKEN_PREVIOUS=\n",
		}},
		in: "internal/rollout", killers: []string{"TestRotation_ofTheServiceTokenLosesNoHandOff"},
	},
	{
		name: "rotation-jwt-without-a-wait", breaks: "who has not refreshed since is signed out by the rotation",
		file:  "docs/operations.md",
		edits: []edit{{"    wait 7 days\n    rollout fos: JWT", "    rollout fos: JWT"}},
		in:    "internal/rollout", killers: []string{"TestRotation_ofTheJWTKeySignsNobodyOut"},
	},
	{
		name: "rotation-jwt-signs-at-once", breaks: "a replica refuses what the other one signed",
		file:  "docs/operations.md",
		edits: []edit{{"    rollout fos: JWT_SECRET_KEY=OLD JWT_SECRET_KEY_PREVIOUS=NEW\n", ""}},
		in:    "internal/rollout", killers: []string{"TestRotation_ofTheJWTKeySignsNobodyOut"},
	},
	{
		name: "rotation-bearer-dropped-before-it-is-given", breaks: "a service is shut out by the rotation of its bearer",
		file:  "docs/operations.md",
		edits: []edit{{"    give the service NEW\n    wait until OLD's last use stands still\n    rollout fos: SERVICE_TOKEN_DIGESTS=billing=SHA256(NEW)\n", "    rollout fos: SERVICE_TOKEN_DIGESTS=billing=SHA256(NEW)\n    give the service NEW\n"}},
		in:    "internal/rollout", killers: []string{"TestRotation_ofAServicesBearerStopsNoService"},
	},
}
