package mutants_test

// deploymentMutants let a secret out of what an operator is shown, or let an audit of a
// live environment pass that should not.
var deploymentMutants = []mutant{
	{
		name: "config-check-prints-secrets", breaks: "I5, I6: the report of a pipeline has every key in it",
		file:  "internal/config/check.go",
		edits: []edit{{"\tcase v.Secret:\n\t\ts.Value = valueSet\n", ""}},
		in:    "internal/config", killers: []string{"TestCheckShowsWhatCountsAndWhereItIsFrom"}, // what is left withholds long ones only
	},
	{
		name: "config-check-prints-misplaced-secrets", breaks: "I5: a key that was put into the wrong variable as well is shown there",
		file:  "internal/config/check.go",
		edits: []edit{{"\t\tif strings.Contains(value, secret) {\n", "\t\tif value == secret {\n"}},
		in:    "internal/config", killers: []string{"TestCheckShowsNoSecretWhereverItStands"},
	},
	{
		name: "config-check-prints-lost-secrets", breaks: "I5: a key that was put into the wrong variable only is shown",
		file:  "internal/config/check.go",
		edits: []edit{{"\tif looksSecret(value) {\n\t\treturn valueWithheld\n\t}\n", ""}},
		in:    "internal/config", killers: []string{"TestCheckShowsNoSecretWhereverItStands"},
	},
	{
		name: "config-check-prints-refused-values", breaks: "I5: what Load refuses to quote, the report quotes",
		file:  "internal/config/check.go",
		edits: []edit{{"\tcase k.l.faults.has(v.Name):\n\t\ts.Value = valueFaulty\n", ""}},
		in:    "internal/config", killers: []string{"TestCheckShowsEveryFaultAndNoFaultyValue"},
	},
	{
		name: "config-check-always-content", breaks: "a pipeline rolls out a configuration with which nothing starts",
		file:  "cmd/server/config.go",
		edits: []edit{{"\tif len(report.Faults) > 0 {\n", "\tif len(report.Faults) > 99 {\n"}},
		in:    "cmd/server", killers: []string{"TestConfigCheckSaysWhatAnEnvironmentComesTo"},
	},
	{
		name: "drift-by-hand-unseen", breaks: "a secret that was set by hand outlives its rotation, and the audit is content",
		file:  "internal/drift/read.go",
		edits: []edit{{"from := source{kind: literal}\n", "from := source{kind: secret}\n"}},
		in:    "internal/drift", killers: []string{"TestDriftIsFoundByContainerAndName"},
	},
	{
		name: "drift-of-nothing", breaks: "an audit whose input did not arrive finds no drift",
		file:  "internal/drift/read.go",
		edits: []edit{{"\tif err == nil && len(n.places) == 0 {\n", "\tif err == nil && n.places == nil {\n"}},
		in:    "internal/drift", killers: []string{"TestDriftReadsNothingIntoNothing"},
	},
	{
		name: "refresh-cookie-without-prefix", breaks: "I11: behind a gateway that strips its prefix nobody is signed in for longer than half an hour",
		file:  "internal/httpapi/fosapi/cookies.go",
		edits: []edit{{`path = a.PublicPrefix + prefix + "/auth"`, `path = prefix + "/auth"`}},
		in:    "internal/httpapi/fosapi", killers: []string{"TestRefreshThroughAGatewayThatStripsItsPrefix"},
	},
	{
		name: "vps-open-to-the-internet", breaks: "the gateway's limits and headers can be walked around",
		file:  "deploy/compose/compose.yaml",
		edits: []edit{{"${HANDOFF_BIND:?in .env, address and port}:8787", "8787:8787"}},
		in:    "deploy", killers: []string{"TestTheVPSIsHardenedAndClosed"},
	},
	{
		name: "vps-killed-early", breaks: "requests in flight are lost at each upgrade",
		file:  "deploy/compose/compose.yaml",
		edits: []edit{{"stop_grace_period: 30s", "stop_grace_period: 10s"}},
		in:    "deploy", killers: []string{"TestTheVPSIsGivenAWholeConfiguration"},
	},
	{
		name: "vps-migrates-with-the-services-keys", breaks: "the service has the rights of the database's owner",
		file:  "deploy/compose/compose.yaml",
		edits: []edit{{"env_file: [{path: migrate.env, required: true}]", "env_file: [{path: handoff.env, required: true}]"}},
		in:    "deploy", killers: []string{"TestTheVPSIsHardenedAndClosed"},
	},
	{
		name: "production-from-anywhere", breaks: "what was never checked is rolled out to production",
		file:  ".github/workflows/production.yml",
		edits: []edit{{"            --certificate-github-workflow-sha \"$COMMIT\" \\\n", ""}},
		in:    "deploy", killers: []string{"TestWhatShipsWhenAndAfterWhat"},
	},
	{
		name: "drift-of-libraries", breaks: "PGSSLMODE=disable was set by hand, and the audit says that nothing reads it",
		file:  "internal/config/libraries.go",
		edits: []edit{{"			return l.Reader\n", "			break\n"}},
		in:    "cmd/server", killers: []string{"TestConfigDriftComparesNamesAndNeverPrintsAValue"},
	},
	{
		name: "driver-reads-more", breaks: "a variable of the driver is missing from the list of those that count",
		file:  "internal/config/libraries.go",
		edits: []edit{{`"PGSSLMODE", `, ""}},
		in:    "internal/config", killers: []string{"TestWhatLibrariesReadIsListed"},
	},
}
