package mutants_test

// privacyMutants put into logs, rows and answers what does not belong there (I5, I6).
var privacyMutants = []mutant{
	{
		name: "secrets-print", breaks: "I6: whatever is printed with a secret in it shows it",
		file:  "internal/privacy/secret.go",
		edits: []edit{{`func (hidden) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, redacted) }`, `func (h hidden) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, h.reveal()) }`}},
		in:    "internal/privacy", killers: []string{"TestI6_nothingPrintsASecretOrAnEmail"},
	},
	{
		name: "secrets-in-texts", breaks: "I6: an encoder that asks for a text is given the secret",
		file:  "internal/privacy/secret.go",
		edits: []edit{{`func (hidden) MarshalText() ([]byte, error) { return []byte(redacted), nil }`, `func (h hidden) MarshalText() ([]byte, error) { return []byte(h.reveal()), nil }`}},
		in:    "internal/privacy", killers: []string{"TestI6_noEncoderGetsTheText"},
	},
	{
		name: "secrets-in-logs", breaks: "I6: whatever is logged with a secret in it shows it",
		file:  "internal/privacy/secret.go",
		edits: []edit{{`func (hidden) LogValue() slog.Value { return slog.StringValue(redacted) }`, `func (h hidden) LogValue() slog.Value { return slog.StringValue(h.reveal()) }`}},
		in:    "internal/privacy", killers: []string{"TestI6_nothingPrintsASecretOrAnEmail"},
	},
	{
		name: "raw-address", breaks: "I6: the audit log keeps addresses",
		file:  "internal/privacy/pseudonym.go",
		edits: []edit{{`Value: hex.EncodeToString(p.macOf(at).Of(addr.AsSlice())[:16])`, `Value: addr.String() + hex.EncodeToString(p.macOf(at).Of(addr.AsSlice())[:0])`}},
		in:    "internal/httpapi/daoapi", killers: []string{"TestI6_logsAndAuditRowsShowNobody"},
	},
	{
		name: "pseudonym-without-the-date", breaks: "I6: a pseudonym follows somebody from day to day",
		file:  "internal/privacy/pseudonym.go",
		edits: []edit{{`p.key.Derive([]byte(utc.Format(time.DateOnly)), "audit pseudonym")`, `p.key.Derive(nil, "audit pseudonym"+time.DateOnly[:0])`}},
		in:    "internal/privacy", killers: []string{"TestI6_pseudonymsLinkWithinADayUnderOneKeyOnly"},
	},
	{
		name: "pseudonym-without-a-key", breaks: "I6: four billion tries turn a pseudonym back",
		file:  "internal/privacy/pseudonym.go",
		edits: []edit{{`"audit pseudonym")))}`, `"audit pseudonym")[:0]))}`}},
		in:    "internal/privacy", killers: []string{"TestI6_pseudonymsLinkWithinADayUnderOneKeyOnly"},
	},
	{
		name: "mac-goes-on-where-it-was", breaks: "a code is of all that was signed before it",
		file:  "internal/privacy/mac.go",
		edits: []edit{{"	state.Reset()\n", ""}},
		in:    "internal/privacy", killers: []string{"TestMAC_isHMACSHA256"},
	},
	{
		name: "whole-ipv6-address", breaks: "I6: a pseudonym tells one device of a household from another",
		file:  "internal/privacy/pseudonym.go",
		edits: []edit{{`netip.PrefixFrom(addr, 64)`, `netip.PrefixFrom(addr, 128)`}},
		in:    "internal/privacy", killers: []string{"TestI6_pseudonymsLinkWithinADayUnderOneKeyOnly"},
	},
	{
		name: "cookie-for-its-digest", breaks: "I5: a dump of the DAO database signs in",
		file:  "internal/member/session.go",
		edits: []edit{{`func (c Cookie) Digest() []byte { return c.digest[:] }`, `func (c Cookie) Digest() []byte { return c.raw() }`}},
		in:    "internal/httpapi/daoapi", killers: []string{"TestI5_aDumpOpensNothing"},
	},
	{
		name: "limiter-keys-in-clear", breaks: "I5, I6: Redis holds the addresses that people sign in with",
		file:  "internal/ratelimit/limiter.go",
		edits: []edit{{`hex.EncodeToString(l.key.Of(text)[:subjectBytes])`, `hex.EncodeToString(l.key.Of(text)[:subjectBytes]) + subject[0]`}},
		in:    "internal/ratelimit", killers: []string{"TestI5_I6_keysTellNothingAndEnd"},
	},
	{
		name: "paths-in-the-log", breaks: "I6: the log has the token that stood in a query",
		file: "internal/httpapi/middleware.go",
		edits: []edit{{`	return c.Path()
}`, `	return c.Request().RequestURI
}`}},
		in: "internal/httpapi", killers: []string{"TestI6_theAccessLogHasNothingOfTheClients"},
	},
	{
		name: "client-writes-the-request-id", breaks: "I6: a stranger writes into our log",
		file:  "internal/httpapi/middleware.go",
		edits: []edit{{`&info{requestID: id.String()}`, `&info{requestID: c.Request().Header.Get(echo.HeaderXRequestID) + id.String()[:0]}`}},
		in:    "internal/httpapi", killers: []string{"TestRequestID_isOfOurOwnMaking", "TestI6_theAccessLogHasNothingOfTheClients"},
	},
	{
		name: "panic-quoted", breaks: "I6: a panic's text, which may be anything, is in the log",
		file:  "internal/httpapi/middleware.go",
		edits: []edit{{`fmt.Errorf("panic: %T\n%s", reason`, `fmt.Errorf("panic: %v\n%s", reason`}},
		in:    "internal/httpapi", killers: []string{"TestI6_aPanicTellsNobodyItsText"},
	},
	{
		name: "errors-told-to-strangers", breaks: "section 3: an internal error is in the answer",
		file: "internal/httpapi/problem.go",
		edits: []edit{{`	return p.complete(err), ours`, `	if p.Code == "internal" {
		p.Detail = err.Error()
	}
	return p.complete(err), ours`}},
		in: "internal/httpapi", killers: []string{"TestProblem_ourFaultsAreLoggedOnceAndTheClientsAreNot", "TestProblem_isTheProtocolsSection3"},
	},
	{
		name: "values-told-back", breaks: "I6: a fault names a field that the client made up",
		file:  "internal/httpapi/decode.go",
		edits: []edit{{`if name == "" || len(name) > 40 || strings.Trim(`, `if name == "" && strings.Trim(`}},
		in:    "internal/httpapi", killers: []string{"TestI6_aFaultNamesNothingOfTheClients"},
	},
	{
		name: "rows-quoted-in-errors", breaks: "I6: Postgres quotes a row, and the log keeps it",
		file:  "internal/outage/postgres.go",
		edits: []edit{{`return errors.New("postgres: " + fromServer.Code + " " + fromServer.Message)`, `return errors.New("postgres: " + fromServer.Code + " " + fromServer.Message + fromServer.Detail)`}},
		in:    "internal/outage", killers: []string{"TestPostgres_tellsAnOutageFromAMistake"},
	},
	{
		name: "database-url-quoted", breaks: "I6: a URL that cannot be parsed is in the log, password included",
		file:  "internal/datastore/postgres.go",
		edits: []edit{{`return nil, errors.New("datastore: the database URL cannot be parsed")`, `return nil, errors.Join(errors.New("datastore: the database URL cannot be parsed"), errors.New(databaseURL.Reveal()))`}},
		in:    "internal/datastore", killers: []string{"TestI6_aBadURLIsNotQuoted"},
	},
	{
		name: "who-has-an-account-is-told", breaks: "section 3: a wrong password at a suspended account says that there is one",
		file:  "internal/signin/dao.go",
		edits: []edit{{"	if !match {\n\t\treturn Login{}, d.failed(ctx, account, audit.InvalidCredentials, origin)", "	if !match && !account.Status.Stopped() {\n\t\treturn Login{}, d.failed(ctx, account, audit.InvalidCredentials, origin)"}},
		in:    "internal/httpapi/daoapi", killers: []string{"TestLogin_whoHasAnAccountIsNotTold"},
	},
	{
		name: "short-configured-keys", breaks: "section 8: a service token of one character is taken",
		file:  "internal/config/keys.go",
		edits: []edit{{"	if len(key) < minSecretBytes {\n", "	if key == \"\" {\n"}},
		in:    "internal/config", killers: []string{"TestRefusedEverywhere"},
	},
	{
		name: "guessable-configured-keys", breaks: "section 8: production starts with a key from an example",
		file: "internal/config/keys.go",
		edits: []edit{{`	if l.environment == Development {
		return ""
	}
	return weakness(key)`, `	if len(key) > 0 {
		return ""
	}
	return weakness(key)`}},
		in: "internal/config", killers: []string{"TestRefusedInProduction"},
	},
	{
		name: "jwt-algorithm-configurable", breaks: "I12: an operator's typing error switches the algorithm",
		file:  "internal/config/fos.go",
		edits: []edit{{`l.oneOf("JWT_ALGORITHM", raw.JWTAlgorithm, "HS256")`, `l.visible("JWT_ALGORITHM", raw.JWTAlgorithm)`}},
		in:    "internal/config", killers: []string{"TestRefusedEverywhere"},
	},
}

// passwordMutants weaken section 6.
var passwordMutants = []mutant{
	{
		name: "any-password", breaks: "section 6: every password is right",
		file:  "password/engine.go",
		edits: []edit{{`subtle.ConstantTimeCompare(digest, h.digest) == 1`, `subtle.ConstantTimeCompare(digest, digest) == 1`}},
		in:    "password", killers: []string{"TestVerifyAnswersWhatPasslibAnswers"},
	},
	{
		name: "password-by-its-first-byte", breaks: "section 6: one password in 256 is right",
		file:  "password/phc.go",
		edits: []edit{{`minDigest, maxDigest = 12, 64`, `minDigest, maxDigest = 1, 64`}},
		in:    "password", killers: []string{"TestParseRefusesEveryOtherSpelling", "TestParseBoundsTheWork"},
	},
	{
		name: "hashes-without-bound", breaks: "I13: a burst of logins takes all memory",
		file:  "password/hasher.go",
		edits: []edit{{`slots:  semaphore.NewWeighted(size),`, `slots:  semaphore.NewWeighted(size << 40),`}},
		in:    "password", killers: []string{"TestABurstIsBounded"},
	},
	{
		name: "queue-without-bound", breaks: "I13: any number of logins waits for its turn",
		file:  "password/hasher.go",
		edits: []edit{{`make(chan struct{}, max(limits.Queue, 0))`, `make(chan struct{}, max(limits.Queue, 1<<20))`}},
		in:    "password", killers: []string{"TestABurstIsBounded"},
	},
	{
		name: "heavy-hash-in-one-slot", breaks: "I13: a stored hash of 1 GiB counts as one of 64 MiB",
		file:  "password/hasher.go",
		edits: []edit{{`return (int64(s.memoryKiB())<<10 + slotMemory - 1) / slotMemory`, `return min(1, (int64(s.memoryKiB())<<10+slotMemory-1)/slotMemory)`}},
		in:    "password", killers: []string{"TestAHeavyHashTakesAsManySlotsAsItNeeds", "TestAHashThatNeedsMoreThanAllSlotsIsTooCostly"},
	},
	{
		name: "stored-hash-asks-for-anything", breaks: "I13: a stored m=4294967295 takes 4 TiB",
		file:  "password/phc.go",
		edits: []edit{{`if memory > maxMemory || passes > maxPasses || lanes > maxLanes {`, `if lanes > maxLanes {`}},
		in:    "password", killers: []string{"TestParseBoundsTheWork"},
	},
	{
		name: "unknown-account-costs-nothing", breaks: "section 3: without a hash nothing is computed, and the time tells",
		file:  "password/engine.go",
		edits: []edit{{"	if !tooLong(plain) {\n\t\tnobody.check(e, plain)\n\t}", "	_ = plain"}},
		in:    "password", killers: []string{"TestAFailedLoginDoesTheSameWorkForEveryAccount"},
	},
	{
		name: "two-passwords-of-one-bcrypt", breaks: "section 6: bcrypt repeats password and NUL, so that two are one",
		file:  "password/bcrypt.go",
		edits: []edit{{`len(plain) <= MaxLength && !strings.Contains(plain, "\x00")`, `len(plain) <= MaxLength`}},
		in:    "password", killers: []string{"TestVerifyAnswersWhatPasslibAnswers"},
	},
	{
		name: "weaker-hash", breaks: "section 6: new hashes take an eighth of the memory",
		file:  "password/phc.go",
		edits: []edit{{`memory: 64 * 1024, passes: 3`, `memory: 8 * 1024, passes: 3`}},
		in:    "password", killers: []string{"TestHashIsThePlatformsForm"},
	},
	{
		name: "long-password-hashed", breaks: "I13: a password of a megabyte is worked on",
		file: "password/password.go",
		edits: []edit{{`	if len(plain) <= MaxLength {
		return false
	}
`, `	if len(plain) >= 0 {
		return false
	}
`}},
		in: "password", killers: []string{"TestTooLongPasswordNeverMatchesAndCostsNothing"},
	},
}
