package mutants_test

// restoreMutants are what the steps of an operator could leave out, and what the commands
// for operators could give away or not see.
var restoreMutants = []mutant{
	{
		name: "restored-dao-sessions", breaks: "I4: who left the DAO half before its database was set back is signed in again",
		file:  "docs/operations.md",
		edits: []edit{{"WHERE ended_at IS NULL AND expires_at > now() RETURNING member_id", "WHERE ended_at IS NULL AND expires_at < now() RETURNING member_id"}},
		in:    "internal/rollout", killers: []string{"TestI1_I4_ARestoredDAOHalfHonoursNothingThatHadEnded"},
	},
	{
		name: "restored-dao-out-of-reach", breaks: "FOS sessions that the restored ledger does not know cannot be ended from the DAO half",
		file:  "docs/operations.md",
		edits: []edit{{"WHERE origin = 'handoff' AND ended_at IS NULL", "WHERE origin = 'nothing' AND ended_at IS NULL"}},
		in:    "internal/rollout", killers: []string{"TestI1_I4_ARestoredDAOHalfHonoursNothingThatHadEnded"},
	},
	{
		name: "restored-dao-too-soon", breaks: "a question that was open becomes a session that the restored ledger does not know",
		file:  "docs/operations.md",
		edits: []edit{{"    stop dao\n    wait 3 minutes\n", "    stop dao\n"}},
		in:    "internal/rollout", killers: []string{"TestI1_I4_ARestoredDAOHalfHonoursNothingThatHadEnded"},
	},
	{
		name: "restored-fos-sessions", breaks: "I11: a copy of a refresh token that was replaced before the FOS half's database was set back is good again",
		file:  "docs/operations.md",
		edits: []edit{{"            WHERE ended_at IS NULL AND expires_at > now() RETURNING user_id", "            WHERE origin = 'handoff' AND ended_at IS NULL AND expires_at > now() RETURNING user_id "}},
		in:    "internal/rollout", killers: []string{"TestI8_I11_ARestoredFOSHalfHonoursNothingThatHadEnded"},
	},
	{
		name: "restored-fos-too-soon", breaks: "I8: who left may still say yes, since the mark of their leaving is gone",
		file:  "docs/operations.md",
		edits: []edit{{"    stop fos\n    wait 3 minutes\n", "    stop fos\n"}},
		in:    "internal/rollout", killers: []string{"TestI8_I11_ARestoredFOSHalfHonoursNothingThatHadEnded"},
	},
	{
		name: "restored-fos-links", breaks: "a link that has reset a password does it again",
		file:  "docs/operations.md",
		edits: []edit{{"        DELETE FROM password_reset;\n        DELETE", "        DELETE"}},
		in:    "internal/rollout", killers: []string{"TestI8_I11_ARestoredFOSHalfHonoursNothingThatHadEnded"},
	},
	{
		name: "restored-in-silence", breaks: "I4: nothing says where the log has a hole",
		file:  "docs/operations.md",
		edits: []edit{{"    server migrate up fos\n    at fos:\n        BEGIN;\n        INSERT INTO audit_log (at, event, outcome) VALUES (now(), 'database.restored', 'success');\n", "    server migrate up fos\n    at fos:\n        BEGIN;\n"}},
		in:    "internal/rollout", killers: []string{"TestI8_I11_ARestoredFOSHalfHonoursNothingThatHadEnded"},
	},
	{
		name: "redis-password-too-soon", breaks: "halves send a password that Redis does not take yet",
		file:  "docs/operations.md",
		edits: []edit{{"    at redis: ACL SETUSER USER >NEW\n    rollout both: REDIS_URL=URL(NEW) DAO_REDIS_URL=URL(NEW)\n", "    rollout both: REDIS_URL=URL(NEW) DAO_REDIS_URL=URL(NEW)\n    at redis: ACL SETUSER USER >NEW\n"}},
		in:    "internal/rollout", killers: []string{"TestRotation_ofRedisPasswordLosesNoHandOff"},
	},
	{
		name: "redis-password-stays", breaks: "the old password of Redis is good for ever",
		file:  "docs/operations.md",
		edits: []edit{{"    at redis: ACL SETUSER USER <OLD\n", "    at redis: ACL WHOAMI\n"}},
		in:    "internal/rollout", killers: []string{"TestRotation_ofRedisPasswordLosesNoHandOff"},
	},
	{
		name: "postgres-role-without-rights", breaks: "the new role may do nothing",
		file:  "docs/operations.md",
		edits: []edit{{" PASSWORD 'PASSWORD' IN ROLE handoff_dao\n", " PASSWORD 'PASSWORD'\n"}},
		in:    "internal/rollout", killers: []string{"TestRotation_ofPostgresPasswordLosesNoHandOff"},
	},
	{
		name: "postgres-role-stays", breaks: "the old role of Postgres may come for ever",
		file:  "docs/operations.md",
		edits: []edit{{"    at dao: ALTER ROLE OLD NOLOGIN\n", ""}},
		in:    "internal/rollout", killers: []string{"TestRotation_ofPostgresPasswordLosesNoHandOff"},
	},
	{
		name: "config-check-prints-foreign-urls", breaks: "I5: a database's URL in the variable of its user is shown, password and all",
		file:  "internal/config/check.go",
		edits: []edit{{" || credentials.MatchString(value) {", " {"}},
		in:    "internal/config", killers: []string{"TestCheckShowsNoSecretThatStandsInTheWrongVariableAlone"},
	},
	{
		name: "config-check-prints-hyphened-keys", breaks: "I5: a key in the URL alphabet of base64 is shown where it was put by mistake",
		file:  "internal/config/check.go",
		edits: []edit{{"run != strings.ToUpper(run)", "run == strings.ToUpper(run)"}},
		in:    "internal/config", killers: []string{"TestCheckShowsNoSecretThatStandsInTheWrongVariableAlone"},
	},
	{
		name: "config-check-prints-sentinels-password", breaks: "I5: a password in the options of Redis' URL is shown where it stands again",
		file:  "internal/config/check.go",
		edits: []edit{{`strings.HasSuffix(name, "password")`, `name == "password"`}},
		in:    "internal/config", killers: []string{"TestCheckShowsNoSecretThatStandsInTheWrongVariableAlone"},
	},
	{
		name: "drift-of-another-secret-unseen", breaks: "somebody has a variable read their own Secret, and the audit is content",
		file:  "internal/drift/drift.go",
		edits: []edit{{"is.which != wanted.which", "is.kind != wanted.kind"}},
		in:    "internal/drift", killers: []string{"TestDriftSeesAnotherSecretOrKey"},
	},
	{
		name: "drift-prints-a-second-line", breaks: "I6: the second line of a value is taken for a name and printed",
		file:  "internal/drift/read.go",
		edits: []edit{{"if withValue && alone {", "if withValue != alone && alone {"}},
		in:    "internal/drift", killers: []string{"TestDriftReadsNothingIntoNothing"},
	},
	{
		name: "probe-repeats-what-it-hears", breaks: "I6: a server that echoes has the probe print an address or a token",
		file:  "internal/selftest/client.go",
		edits: []edit{{"\tif wordShape.MatchString(said) {\n", "\tif said != \"\" {\n"}},
		in:    "internal/selftest", killers: []string{"TestI6_whatAWrongServerSaysIsNotRepeated"},
	},
}
