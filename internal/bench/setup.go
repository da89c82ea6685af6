package bench

import (
	"crypto/rand"
	"encoding/hex"
)

// target is the one domain that tokens are good for.
const target = "founderyos.example"

// product is where every journey begins.
const product = "think-tank"

// environment configures the service as in production ("staging" is the same, on a server
// without fsync, as that of the tests is). Only what one machine cannot have
// differs: addresses of loopback, no delay when it leaves. The limits are out of the way,
// as a crowd behind many addresses would find them; each is still asked at every request.
func environment(s *stores) []string {
	name := "production"
	if s.stack == nil {
		name = "staging"
	}
	return []string{
		"ENVIRONMENT=" + name,
		"DAO_ADDR=127.0.0.1:0", "FOS_ADDR=127.0.0.1:0", "METRICS_ADDR=127.0.0.1:0",
		"DAO_DATABASE_URL=" + s.dao, "DATABASE_URL=" + s.fos, "REDIS_URL=" + s.redis,
		"CROSS_DOMAIN_SERVICE_TOKEN=" + random(32), "JWT_SECRET_KEY=" + random(32),
		"HANDOFF_SEALING_KEYS=" + random(32), "AUDIT_PSEUDONYM_KEYS=" + random(32),
		"HANDOFF_TARGETS=" + target + "=https://" + target + "/cross-domain", "CROSS_DOMAIN_EXPECTED_TARGET=" + target,
		"DAO_CORS_ORIGINS=https://think-tank.example", "FRONTEND_URL=https://" + target,
		"TRUSTED_PROXIES=127.0.0.1", "SHUTDOWN_DELAY=0s", "MAX_REQUESTS_IN_FLIGHT=256",
		"RATE_LIMIT_LOGIN_PER_MINUTE=100000", "RATE_LIMIT_LOGIN_ADDRESS_PER_MINUTE=100000",
		"RATE_LIMIT_LOGIN_ACCOUNT_PER_MINUTE=100000", "RATE_LIMIT_MINT_PER_MINUTE=100000",
		"RATE_LIMIT_ARRIVAL_PER_MINUTE=100000", "RATE_LIMIT_EXCHANGE_FAILURES_PER_MINUTE=100000",
	}
}

func random(bytes int) string {
	raw := make([]byte, bytes)
	_, _ = rand.Read(raw) // never fails (crypto/rand)
	return hex.EncodeToString(raw)
}
