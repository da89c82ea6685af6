package mutants_test

// carrierMutants are about Redis and the line between the halves: what consumes, what
// is sent twice, what lies there readable.
var carrierMutants = []mutant{
	{
		name: "read-that-consumes", breaks: "I1: GETDEL first, and every hiccup of Postgres burns a token",
		file: "internal/token/redis.go",
		edits: []edit{{
			`sealed, err := c.client.GetRange(ctx, c.key(d), 0, maxSealed-1).Bytes()`,
			"sealed, err := c.client.GetDel(ctx, c.key(d)).Bytes()\n\tif errors.Is(err, redis.Nil) {\n\t\terr = nil\n\t}",
		}},
		in: "internal/httpapi/daoapi", killers: []string{"TestI1_anOutageBurnsNoToken", "TestI8_theSameKeyRepeatsForTenSeconds"},
	},
	{
		name: "delete-before-fence", breaks: "I1: Redis forgets before the ledger has decided",
		file: "internal/handoff/exchange.go",
		edits: []edit{{
			`won, err := x.Ledger.Redeem(within, r)`,
			"if err := x.Carrier.Drop(ctx, r.Digest); err != nil {\n\t\treturn token.Claims{}, err\n\t}\n\twon, err := x.Ledger.Redeem(within, r)",
		}},
		in: "internal/httpapi/daoapi", killers: []string{"TestI1_anOutageBurnsNoToken"},
	},
	{
		name: "dropped-instead-of-retired", breaks: "I8: the answer that was lost cannot be given again",
		file:  "internal/handoff/exchange.go",
		edits: []edit{{`x.tidy(ctx, r, x.Carrier.Retire)`, `_ = x.Carrier.Drop(ctx, r.Digest)`}},
		in:    "internal/httpapi/daoapi", killers: []string{"TestI8_theSameKeyRepeatsForTenSeconds"},
	},
	{
		name: "retry-on-the-consuming-command", breaks: "I1: go-redis sends a command again whose answer was slow",
		file:  "internal/datastore/redis.go",
		edits: []edit{{"redis.ParseURL(redisURL.Reveal())\n\tif err != nil {\n\t\treturn nil, errBadRedisURL\n\t}\n\toptions.MaxRetries = -1", "redis.ParseURL(redisURL.Reveal())\n\tif err != nil {\n\t\treturn nil, errBadRedisURL\n\t}"}},
		in:    "internal/datastore", killers: []string{"TestOpenRedis_neverRetriesAndKeepsDeadlines"},
	},
	{
		name: "retry-behind-a-sentinel", breaks: "I1: the same, where Redis is found through Sentinel",
		file:  "internal/datastore/redis.go",
		edits: []edit{{"redis.ParseFailoverURL(redisURL)\n\tif err != nil {\n\t\treturn nil, errBadRedisURL\n\t}\n\toptions.MaxRetries = -1", "redis.ParseFailoverURL(redisURL)\n\tif err != nil {\n\t\treturn nil, errBadRedisURL\n\t}"}},
		in:    "internal/datastore", killers: []string{"TestOpenRedis_neverRetriesAndKeepsDeadlines"},
	},
	{
		name: "redis-ignores-deadlines", breaks: "I13: a request waits for Redis past its own end",
		file:  "internal/datastore/redis.go",
		edits: []edit{{"redis.ParseURL(redisURL.Reveal())\n\tif err != nil {\n\t\treturn nil, errBadRedisURL\n\t}\n\toptions.MaxRetries = -1\n\toptions.ContextTimeoutEnabled = true", "redis.ParseURL(redisURL.Reveal())\n\tif err != nil {\n\t\treturn nil, errBadRedisURL\n\t}\n\toptions.MaxRetries = -1"}},
		in:    "internal/datastore", killers: []string{"TestOpenRedis_neverRetriesAndKeepsDeadlines"},
	},
	{
		name: "claims-overwritten", breaks: "I1: who can mint replaces the claims of a token on its way",
		file:  "internal/token/redis.go",
		edits: []edit{{`redis.SetArgs{Mode: "NX", TTL: ttl}`, `redis.SetArgs{TTL: ttl}`}},
		in:    "internal/token", killers: []string{"TestCarrier_neverOverwrites"},
	},
	{
		name: "claims-without-end", breaks: "I2: Redis keeps what a token stands for",
		file:  "internal/token/redis.go",
		edits: []edit{{`redis.SetArgs{Mode: "NX", TTL: ttl}`, `redis.SetArgs{Mode: "NX"}`}},
		in:    "internal/token", killers: []string{"TestCarrier_carriesUntilItsTimeIsOver"},
	},
	{
		name: "claims-live-a-minute-from-now", breaks: "I2: Redis is told 60 s, whatever is left of them",
		file:  "internal/handoff/mint.go",
		edits: []edit{{`claims.ExpiresAt.Sub(m.Now())`, `token.TTL`}},
		in:    "internal/handoff", killers: []string{"TestI2_redisIsToldWhatIsLeft"},
	},
	{
		name: "seal-without-the-token", breaks: "I5: the server key alone opens what Redis holds",
		file:  "internal/token/seal.go",
		edits: []edit{{`key.Of(t.bytes(), first)`, `key.Of(first)`}},
		in:    "internal/token", killers: []string{"TestSeal_theServerKeyWithoutTheTokenOpensNothing"},
	},
	{
		name: "seal-without-the-server-key", breaks: "I1: who knows a token and writes Redis writes its claims",
		file:  "internal/token/seal.go",
		edits: []edit{{`key.Of(t.bytes(), first)`, `privacy.NewSecret("handoff").MAC().Of(t.bytes(), first)`}},
		in:    "internal/token", killers: []string{"TestSeal_opensForNobodyElse"},
	},
	{
		name: "seal-not-bound-to-the-digest", breaks: "I1: the sealed text does not say whose it is",
		file: "internal/token/seal.go",
		edits: []edit{
			{`aead.Seal(nonce, nonce, plain, digest[:])`, `aead.Seal(nonce, nonce, plain, digest[:0])`},
			{`sealed[aead.NonceSize():], digest[:])`, `sealed[aead.NonceSize():], digest[:0])`},
		},
		in: "internal/token", killers: []string{"TestSeal_theServerKeyWithoutTheTokenOpensNothing"},
	},
	{
		name: "nonce-that-repeats", breaks: "I5: two sealings of one text are the same",
		file:  "internal/token/seal.go",
		edits: []edit{{`io.ReadFull(s.random, nonce)`, `io.ReadFull(s.random, nonce[:0])`}},
		in:    "internal/token", killers: []string{"TestSeal_neverRepeatsItself"},
	},
	{
		name: "token-for-its-digest", breaks: "I5: ledger, Redis and logs hold the token itself",
		file:  "internal/token/token.go",
		edits: []edit{{`sum: sha256.Sum256(raw)}`, `sum: Digest(raw)}`}},
		in:    "internal/token", killers: []string{"TestDigest_isTheSHA256OfThe32Bytes", "TestI6_aTokenPrintsAsItsDigest"},
	},
	{
		name: "short-token", breaks: "I1: a token has two random bytes and can be guessed",
		file:  "internal/token/token.go",
		edits: []edit{{`io.ReadFull(random, raw)`, `io.ReadFull(random, raw[:2])`}},
		in:    "internal/token", killers: []string{"TestNew_readsThirtyTwoFreshBytes"},
	},
	{
		name: "two-spellings-of-a-token", breaks: "section 3: upper case is a token too",
		file:  "internal/token/token.go",
		edits: []edit{{`(c < 'a' || c > 'f')`, `(c|0x20 < 'a' || c|0x20 > 'f')`}},
		in:    "internal/token", killers: []string{"TestParse_takesOneSpellingOnly"},
	},
	{
		name: "peer-asked-again-without-a-key", breaks: "I8: an exchange whose answer was lost is repeated as a new one",
		file:  "internal/handoff/peer.go",
		edits: []edit{{`err != nil && presented.IdempotencyKey != "" && ctx.Err() == nil`, `err != nil && ctx.Err() == nil`}},
		in:    "internal/handoff", killers: []string{"TestI8_aLostConnectionIsTriedOnceMoreUnderTheSameKey"},
	},
	{
		name: "peer-asked-again-by-net-http", breaks: "I8: net/http repeats the exchange as often as it likes",
		file:  "internal/peer/peer.go",
		edits: []edit{{`request.GetBody = nil`, `request.Close = false`}},
		in:    "internal/handoff", killers: []string{"TestI8_aLostConnectionThatWasUsedBeforeIsNoReasonToAskMoreOften"},
	},
	{
		name: "redirect-followed-with-the-bearer", breaks: "I12: the service token goes wherever a redirect points",
		file:  "internal/peer/peer.go",
		edits: []edit{{`error { return http.ErrUseLastResponse }`, `error { return nil }`}},
		in:    "internal/handoff", killers: []string{"TestARedirectIsNotFollowedWithTheBearer"},
	},
	{
		name: "peer-answers-without-end", breaks: "I13: a peer's answer is read to its end, however long",
		file:  "internal/peer/peer.go",
		edits: []edit{{`io.ReadAll(io.LimitReader(response.Body, maxAnswer))`, `io.ReadAll(response.Body)`}},
		in:    "internal/handoff", killers: []string{"TestI13_hugeAnswersAreNotReadToTheirEnd"},
	},
	{
		name: "peer-quoted", breaks: "I6: what a peer echoes is in our log",
		file:  "internal/peer/peer.go",
		edits: []edit{{`return cmp.Or(BeforeAWord(err), errBrokeOff)`, `return cmp.Or(BeforeAWord(err), err)`}},
		in:    "internal/handoff", killers: []string{"TestI6_aPeerThatEchoesPutsNothingIntoAnError"},
	},
}
