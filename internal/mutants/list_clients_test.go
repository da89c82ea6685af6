package mutants_test

// clientMutants are about what integrators and operators meet: the description, its viewer,
// and what a process tells a collector.
var clientMutants = []mutant{
	{
		name: "server-of-the-root", breaks: "behind a gateway that strips a prefix, the DAO half's description leads elsewhere",
		file:  "internal/httpapi/apidoc/dao.json",
		edits: []edit{{`"url": "."`, `"url": "/"`}},
		in:    "internal/httpapi/apidoc", killers: []string{"TestTheDescriptionsServerIsWhereItIs"},
	},
	{
		name: "server-beside-the-document", breaks: "the FOS half's description leads to /api/v1/api/v1",
		file:  "internal/httpapi/apidoc/fos.json",
		edits: []edit{{`"url": "../.."`, `"url": "."`}},
		in:    "internal/httpapi/apidoc", killers: []string{"TestTheDescriptionsServerIsWhereItIs"},
	},
	{
		name: "unpacked-for-everybody", breaks: "I13: a small request costs megabytes",
		file:  "internal/httpapi/apidoc/viewer.go",
		edits: []edit{{`f.plain = sync.OnceValue(func() []byte { return unpacked(content) })`, `f.plain = func() []byte { return unpacked(content) }`}},
		in:    "internal/httpapi/apidoc", killers: []string{"TestTheViewerIsUnpackedOnce"},
	},
}
