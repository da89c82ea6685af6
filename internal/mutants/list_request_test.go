package mutants_test

// sessionMutants and requestMutants are about what a browser sends, or is made to
// send.
var sessionMutants = []mutant{
	{
		name: "csrf-cookie-not-compared", breaks: "CSRF: a header alone is enough",
		file:  "internal/member/csrf.go",
		edits: []edit{{`header == "" || subtle.ConstantTimeCompare([]byte(header), []byte(cookie)) != 1`, `header == "" || cookie == ""`}},
		in:    "internal/member", killers: []string{"TestCSRF_refusesWhatThePageDidNotRead"},
	},
	{
		name: "csrf-unsigned", breaks: "CSRF: a value that a sibling subdomain planted is good",
		file:  "internal/member/csrf.go",
		edits: []edit{{"	if good != 1 {\n\t\treturn uuid.Nil, ErrCSRF\n\t}\n\treturn uuid.UUID(value[:16]), nil", "	if good < 0 {\n\t\treturn uuid.Nil, ErrCSRF\n\t}\n\treturn uuid.UUID(value[:16]), nil"}},
		in:    "internal/member", killers: []string{"TestCSRF_refusesEveryChangedByte"},
	},
	{
		name: "csrf-not-bound-to-the-session", breaks: "CSRF: the signature says nothing of the session",
		file:  "internal/member/csrf.go",
		edits: []edit{{`key.Of(signed)`, `key.Of(signed[16:])`}, {`c.keys[0].Of(value)`, `c.keys[0].Of(value[16:])`}},
		in:    "internal/member", killers: []string{"TestCSRF_refusesEveryChangedByte"},
	},
	{
		name: "csrf-guard-gone", breaks: "CSRF: no value is asked for, and the cookie's session is taken",
		file: "internal/httpapi/daoapi/guards.go",
		edits: []edit{{`	return member.ErrCSRF
}

func sessionIDOf`, `	cookie, err := a.cookie(c)
	if err != nil {
		return err
	}
	current, err := a.Sessions.Refreshable(c.Request().Context(), cookie)
	c.Set(sessionIDKey, current.ID)
	return err
}

func sessionIDOf`}, {`	"github.com/hello-world-co-op/handoff/internal/member"
`, ``}},
		in: "internal/httpapi/daoapi", killers: []string{"TestMint_demandsTheCSRFValueOfThisSession"},
	},
	{
		name: "requested-with-not-needed", breaks: "CSRF: a form of another site reaches the FOS half",
		file:  "internal/httpapi/origin.go",
		edits: []edit{{`if c.Request().Header.Get(echo.HeaderXRequestedWith) == "" {`, `if c.Request().Header.Get(echo.HeaderXRequestedWith) == "none" {`}},
		in:    "internal/httpapi", killers: []string{"TestRequestedWith_needsTheHeader"},
	},
	{
		name: "requested-with-not-guarding", breaks: "CSRF: the FOS half's unsafe endpoints look at the origin alone",
		file:  "internal/httpapi/fosapi/api.go",
		edits: []edit{{`[]httpapi.Guard{origin, httpapi.RequestedWith}`, `[]httpapi.Guard{origin}`}},
		in:    "internal/httpapi/fosapi", killers: []string{"TestWhatAnotherSiteMakesABrowserSendIsRefusedOnEveryEndpoint"},
	},
	{
		name: "dao-cookie-for-scripts", breaks: "section 2: a script reads the session cookie",
		file:  "internal/httpapi/daoapi/cookies.go",
		edits: []edit{{`HttpOnly: httpOnly, SameSite`, `HttpOnly: httpOnly && name == "", SameSite`}},
		in:    "internal/httpapi/daoapi", killers: []string{"TestCookies_carryThePrefixWhereTheyMay"},
	},
	{
		name: "dao-cookie-over-plain-http", breaks: "section 2: the session cookie goes over plain HTTP too",
		file:  "internal/httpapi/daoapi/cookies.go",
		edits: []edit{{`Secure: a.CookieSecure, HttpOnly`, `Secure: a.CookieSecure && name == csrfCookie, HttpOnly`}},
		in:    "internal/httpapi/daoapi", killers: []string{"TestCookies_carryThePrefixWhereTheyMay"},
	},
	{
		name: "dao-cookie-sent-cross-site", breaks: "section 2: another site's requests carry the session cookie",
		file:  "internal/httpapi/daoapi/cookies.go",
		edits: []edit{{`SameSite: http.SameSiteLaxMode`, `SameSite: http.SameSiteNoneMode`}},
		in:    "internal/httpapi/daoapi", killers: []string{"TestCookies_carryThePrefixWhereTheyMay"},
	},
	{
		name: "dao-cookie-without-its-prefix", breaks: "section 2: a sibling subdomain plants a session",
		file:  "internal/httpapi/daoapi/cookies.go",
		edits: []edit{{`return "__Host-dao_session"`, `return "dao_session"`}},
		in:    "internal/httpapi/daoapi", killers: []string{"TestCookies_carryThePrefixWhereTheyMay"},
	},
	{
		name: "fos-cookies-for-scripts", breaks: "section 2: a script reads the pair",
		file:  "internal/httpapi/fosapi/cookies.go",
		edits: []edit{{`HttpOnly: true, SameSite: http.SameSiteLaxMode`, `SameSite: http.SameSiteLaxMode`}},
		in:    "internal/httpapi/fosapi", killers: []string{"TestCookiesOverHTTPSBehindAGateway"},
	},
	{
		name: "fos-cookies-over-plain-http", breaks: "section 2: the pair goes over plain HTTP too",
		file:  "internal/httpapi/fosapi/cookies.go",
		edits: []edit{{`Secure: a.CookieSecure, HttpOnly: true`, `HttpOnly: true`}},
		in:    "internal/httpapi/fosapi", killers: []string{"TestCookiesOverHTTPSBehindAGateway"},
	},
	{
		name: "access-cookie-without-its-prefix", breaks: "section 2: a sibling subdomain plants an access token",
		file:  "internal/httpapi/fosapi/cookies.go",
		edits: []edit{{`return "__Host-access_token"`, `return "__Secure-access_token"`}},
		in:    "internal/httpapi/fosapi", killers: []string{"TestCookiesOverHTTPSBehindAGateway"},
	},
	{
		name: "refresh-cookie-everywhere", breaks: "section 2: the token of seven days goes with every request",
		file:  "internal/httpapi/fosapi/cookies.go",
		edits: []edit{{`path = a.PublicPrefix + prefix + "/auth"`, `path = a.PublicPrefix + "/"`}},
		in:    "internal/httpapi/fosapi", killers: []string{"TestCookiesOverHTTPSBehindAGateway"},
	},
	{
		name: "insecure-cookies-in-production", breaks: "section 8: production starts with cookies for plain HTTP",
		file:  "internal/config/shared.go",
		edits: []edit{{`if !c.CookieSecure && c.Environment == Production {`, `if !c.CookieSecure && c.Environment == "" {`}},
		in:    "internal/config", killers: []string{"TestRefusedInProduction"},
	},
}

var requestMutants = []mutant{
	{
		name: "any-origin", breaks: "section 2: whatever site sends a request, it is taken",
		file:  "internal/httpapi/origin.go",
		edits: []edit{{`if !slices.Contains(config.AllowedOrigins, origins[0]) && !config.ownLoopback(request, origins[0]) {`, `if !slices.Contains(origins, origins[0]) && !config.ownLoopback(request, origins[0]) {`}},
		in:    "internal/httpapi", killers: []string{"TestOrigin_whoMayCall"},
	},
	{
		name: "null-origin", breaks: "section 2: a sandboxed frame is an allowed origin",
		file:  "internal/httpapi/origin.go",
		edits: []edit{{`if !slices.Contains(config.AllowedOrigins, origins[0]) && `, `if origins[0] != "null" && !slices.Contains(config.AllowedOrigins, origins[0]) && `}},
		in:    "internal/httpapi", killers: []string{"TestOrigin_whoMayCall"},
	},
	{
		name: "fetch-metadata-ignored", breaks: "section 2: a request that a browser calls cross-site is taken",
		file:  "internal/httpapi/origin.go",
		edits: []edit{{`request.Header.Get("Sec-Fetch-Site") == "cross-site"`, `request.Header.Get("Sec-Fetch-Site") == "never"`}},
		in:    "internal/httpapi", killers: []string{"TestOrigin_whoMayCall"},
	},
	{
		name: "own-name-is-allowed", breaks: "section 2: a name of the attacker's that points here (DNS rebinding)",
		file:  "internal/httpapi/origin.go",
		edits: []edit{{`return isLoopbackName(parsed.Hostname())`, `return isLoopbackName(parsed.Hostname()) || parsed.Host != ""`}},
		in:    "internal/httpapi", killers: []string{"TestOrigin_ownLoopbackIsForDevelopment"},
	},
	{
		name: "loopback-allowed-in-production", breaks: "section 2: what is for development holds everywhere",
		file:  "internal/httpapi/origin.go",
		edits: []edit{{`if !config.LoopbackSameOrigin {`, `if config.Half == "" {`}},
		in:    "internal/httpapi", killers: []string{"TestOrigin_ownLoopbackIsForDevelopment"},
	},
	{
		name: "cors-wildcard", breaks: "section 8: every site reads the answers",
		file:  "internal/httpapi/server.go",
		edits: []edit{{`AllowOrigins:     config.AllowedOrigins,`, `AllowOrigins: []string{"*"}, UnsafeWildcardOriginWithAllowCredentials: true,`}},
		in:    "internal/httpapi", killers: []string{"TestCORS_answers", "TestCORS_preflights"},
	},
	{
		name: "forwarded-from-the-left", breaks: "I15: the client's address is what the client wrote",
		file: "internal/httpapi/origin.go",
		edits: []edit{{`	return echo.ExtractIPFromXFFHeader(options...)`, `	_ = options
	return func(r *http.Request) string {
		first, _, _ := strings.Cut(r.Header.Get(echo.HeaderXForwardedFor), ",")
		return strings.TrimSpace(first)
	}`}},
		in: "internal/httpapi", killers: []string{"TestI15_theClientsAddressIsFoundFromTheRight"},
	},
	{
		name: "forwarded-by-anybody", breaks: "I15: a header is believed although no proxy is configured",
		file:  "internal/httpapi/origin.go",
		edits: []edit{{`return echo.ExtractIPDirect()`, `return echo.ExtractIPFromXFFHeader()`}},
		in:    "internal/httpapi", killers: []string{"TestI15_theClientsAddressIsFoundFromTheRight"},
	},
	{
		name: "forwarded-by-a-neighbour", breaks: "I15: every private address is a proxy",
		file:  "internal/httpapi/origin.go",
		edits: []edit{{`echo.TrustLoopback(false), echo.TrustLinkLocal(false), echo.TrustPrivateNet(false)`, `echo.TrustLoopback(true), echo.TrustLinkLocal(true), echo.TrustPrivateNet(true)`}},
		in:    "internal/httpapi", killers: []string{"TestI15_theClientsAddressIsFoundFromTheRight"},
	},
	{
		name: "everybody-is-a-proxy", breaks: "I15: 0.0.0.0/0 is taken for a list of proxies",
		file:  "internal/config/hosts.go",
		edits: []edit{{`prefix.Addr().IsUnspecified() || prefix.Bits() < shortest`, `prefix.Bits() > 128 && prefix.Bits() < shortest`}},
		in:    "internal/config", killers: []string{"TestI15_ProxiesThatAreEverybody"},
	},
	{
		name: "unknown-fields-taken", breaks: "section 2: a field that is not the endpoint's is passed over",
		file:  "internal/httpapi/decode.go",
		edits: []edit{{`return decode(c, into, json.RejectUnknownMembers(true))`, `return decode(c, into)`}},
		in:    "internal/httpapi", killers: []string{"TestDecode_refusesWhatCanBeReadInTwoWays", "TestI6_aFaultNamesNothingOfTheClients"},
	},
	{
		name: "any-content-type", breaks: "section 2: a form of another site, which needs no preflight, is read as JSON",
		file:  "internal/httpapi/decode.go",
		edits: []edit{{`if err != nil || media != echo.MIMEApplicationJSON {`, `if media == "" && err == nil {`}},
		in:    "internal/httpapi", killers: []string{"TestDecode_takesNoOtherContentType"},
	},
	{
		name: "duplicate-keys-taken", breaks: "section 2: two readers of one body understand two things",
		file:  "internal/httpapi/decode.go",
		edits: []edit{{`json.Unmarshal(body, into, options...)`, `json.Unmarshal(body, into, append(options, jsontext.AllowDuplicateNames(true))...)`}},
		in:    "internal/httpapi", killers: []string{"TestDecode_refusesWhatCanBeReadInTwoWays"},
	},
	{
		name: "answers-for-caches", breaks: "section 2: a proxy keeps an answer with a token in it",
		file:  "internal/httpapi/decode.go",
		edits: []edit{{`c.Response().Header().Set(echo.HeaderCacheControl, "no-store")`, `c.Response().Header().Set(echo.HeaderCacheControl, "private")`}},
		in:    "internal/httpapi/daoapi", killers: []string{"TestMint_answersWithALiveToken", "TestExchange_theContract"},
	},
	{
		name: "request-in-a-request", breaks: "what follows chunks is read on, and may be a body's part for whoever stands before us",
		file:  "internal/httpapi/server.go",
		edits: []edit{{"		endAfterChunks, ", "		// endAfterChunks, "}},
		in:    "internal/httpapi", killers: []string{"TestI1_aBodyIsNotTakenForARequest"},
	},
}
