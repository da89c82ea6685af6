package bench

// aside are settings of a session that fills tables. No trigger fires and no foreign key
// is checked (session_replication_role): what is written fits together. autovacuum would
// begin with the large tables, and never with the small ones, while they are measured.
//
// The functions stand in the statements where they are called, as macros, for as long as
// nothing in them is less than immutable; called ten million times they would take hours.
var aside = []string{
	`SET synchronous_commit = off`,
	`SET session_replication_role = replica`,
	`SET maintenance_work_mem = '256MB'`,
	`DO $$ DECLARE t regclass; BEGIN
		FOR t IN SELECT oid FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace LOOP
			EXECUTE format('ALTER TABLE %s SET (autovacuum_enabled = off)', t);
		END LOOP; END $$`,
	`CREATE FUNCTION pg_temp.hash(salt text, kind text, n bigint) RETURNS bytea LANGUAGE sql IMMUTABLE
		AS $$ SELECT sha256(convert_to(salt || ' ' || kind || ' ' || n::text, 'UTF8')) $$`,
	`CREATE FUNCTION pg_temp.id(salt text, kind text, n bigint) RETURNS uuid LANGUAGE sql IMMUTABLE
		AS $$ SELECT encode(substring(pg_temp.hash(salt, kind, n) FROM 1 FOR 16), 'hex')::uuid $$`,
	// A UUIDv7 (RFC 9562, 5.7) of that time, so that it stands in an index where real ones
	// would; noise is 32 hexadecimal characters.
	`CREATE FUNCTION pg_temp.v7(ms bigint, noise text) RETURNS uuid LANGUAGE sql IMMUTABLE
		AS $$ SELECT (lpad(to_hex(ms), 12, '0') || '7' || substr(noise, 1, 3) || '8' || substr(noise, 4, 15))::uuid $$`,
	// Somebody among people, another one each time.
	`CREATE FUNCTION pg_temp.one(n bigint, people bigint) RETURNS bigint LANGUAGE sql IMMUTABLE AS $$ SELECT 1 + n * 7919 % people $$`,
}

// day is one in milliseconds.
const day = `86400000::bigint`

// daoCrowd fills the DAO half's tables. A hand-off of the past leaves two audit rows.
var daoCrowd = []string{
	`INSERT INTO members (id, email, email_canonical, email_verified, display_name, roles, membership_status, created_at, updated_at)
	SELECT pg_temp.id(@salt::text, 'member', n), 'crowd-' || n || '@example.org', 'crowd-' || n || '@example.org', true,
	       'Ada Lovelace the ' || n || 'th', '{member}', 'active', @begun::timestamptz, @begun::timestamptz
	FROM generate_series(1, @people::bigint) n`,
	`INSERT INTO sessions (id, member_id, digest, auth_time, amr, created_at, idle_expires_at, expires_at)
	SELECT pg_temp.id(@salt::text, 'session', n), pg_temp.id(@salt::text, 'member', n), sha256(pg_temp.hash(@salt::text, 'cookie', n)),
	       @begun::timestamptz, '{pwd}', @begun::timestamptz, @ends::timestamptz, @ends::timestamptz
	FROM generate_series(1, @people::bigint) n`,
	`INSERT INTO handoffs (handoff_id, digest, member_id, session_id, entry_product, target_domain, minted_at, expires_at, redeemed_at, redeemed_as, attempt, redeemed_by)
	SELECT pg_temp.v7(ms, md5('past ' || n)), pg_temp.hash(@salt::text, 'past', n), pg_temp.id(@salt::text, 'member', who), pg_temp.id(@salt::text, 'session', who),
	       @product::text, @target::text, to_timestamp(ms / 1000.0), to_timestamp(ms / 1000.0 + 60), to_timestamp(ms / 1000.0), 'exchanged',
	       pg_temp.hash(@salt::text, 'attempt', n), @key::text
	FROM (SELECT n, pg_temp.one(n, @people::bigint) AS who, @begun_ms::bigint - 30 * ` + day + ` + 29 * ` + day + ` * n / @past::bigint AS ms
	      FROM generate_series(1, @past::bigint) n) past`,
	`INSERT INTO audit_log (at, event, outcome, actor_id, handoff_id, entry_product, target_domain, origin, origin_key, request_id)
	SELECT to_timestamp(ms / 1000.0), CASE WHEN n % 2 = 0 THEN 'handoff.minted' ELSE 'handoff.exchanged' END, 'success',
	       pg_temp.id(@salt::text, 'member', pg_temp.one(n / 2, @people::bigint)), pg_temp.v7(ms, journey), @product::text, @target::text,
	       noise, 'k-0123456789', pg_temp.v7(ms, noise)::text
	` + past,
}

// daoLive are the ledger's rows of live tokens.
var daoLive = []string{
	`INSERT INTO handoffs (handoff_id, digest, member_id, session_id, entry_product, target_domain, minted_at, expires_at)
	SELECT pg_temp.v7(@begun_ms::bigint, md5('live ' || n)), sha256(pg_temp.hash(@salt::text, 'token', n)), pg_temp.id(@salt::text, 'member', who),
	       pg_temp.id(@salt::text, 'session', who), @product::text, @target::text, @begun::timestamptz, @live_ends::timestamptz
	FROM (SELECT n, pg_temp.one(n, @people::bigint) AS who FROM generate_series(1, @live::bigint) n) live`,
}

// past are the moments that audit rows are of: the last 400 days.
const past = `FROM (SELECT n, md5(n::text) AS noise, md5((n / 2)::text) AS journey,
	             @begun_ms::bigint - 400 * ` + day + ` + 400 * ` + day + ` / (@audit::bigint / 2 + 1) * (n / 2) AS ms
	      FROM generate_series(2, @audit::bigint + 1) n OFFSET 0) past`

// fosCrowd fills the FOS half's tables.
var fosCrowd = []string{
	`INSERT INTO users (id, email, email_canonical, email_verified, password_hash, display_name, role, status, created_at, updated_at)
	SELECT pg_temp.id(@salt::text, 'user', n), 'crowd-' || n || '@example.org', 'crowd-' || n || '@example.org', true, @hash::text,
	       'Ada Lovelace the ' || n || 'th', 'member', 'ACTIVE', @begun::timestamptz, @begun::timestamptz
	FROM generate_series(1, @people::bigint) n`,
	`INSERT INTO identity_link (provider, subject, user_id, created_at)
	SELECT 'dao', pg_temp.id(@salt::text, 'member', n)::text, pg_temp.id(@salt::text, 'user', n), @begun::timestamptz
	FROM generate_series(1, @people::bigint) n`,
	`INSERT INTO sessions (id, user_id, origin, handoff_id, entry_product, generation, generation_used, elevated, auth_time, amr, created_at, last_used_at, expires_at)
	SELECT pg_temp.id(@salt::text, 'arrived', n), pg_temp.id(@salt::text, 'user', n), 'handoff', pg_temp.v7(@begun_ms::bigint, md5('arrived ' || n)), @product::text,
	       1, true, false, @begun::timestamptz, '{pwd}', @begun::timestamptz, @begun::timestamptz, @ends::timestamptz
	FROM generate_series(1, @people::bigint) n`,
	`INSERT INTO audit_log (at, event, outcome, reason, actor_id, handoff_id, entry_product, target_domain, origin, origin_key, request_id)
	SELECT to_timestamp(ms / 1000.0), CASE WHEN n % 2 = 0 THEN 'session.created' ELSE 'session.refreshed' END, 'success', CASE WHEN n % 2 = 0 THEN 'handoff' ELSE 'rotated' END,
	       pg_temp.id(@salt::text, 'user', pg_temp.one(n / 2, @people::bigint)), pg_temp.v7(ms, journey), @product::text, @target::text,
	       noise, 'k-0123456789', pg_temp.v7(ms, noise)::text
	` + past,
}
