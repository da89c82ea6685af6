package mutants_test

// benchMutants are about figures that would not be what they are called.
var benchMutants = []mutant{
	{
		name: "bench-floor-without-audit", breaks: "the floor leaves out a row that the operation cannot do without",
		file:  "internal/bench/floor_exchange.go",
		edits: []edit{{`$5, $6, $7 FROM won`, `$5, $6, $7 FROM won WHERE false`}, {`won.RowsAffected() != 1`, `won.RowsAffected() != 0`}},
		in:    "internal/bench", killers: []string{"TestBothProgramsDoTheWholeOfEachOperation"},
	},
	{
		name: "bench-floor-without-gate", breaks: "the floor that is said to pass the gate does not",
		file:  "internal/bench/floor_login.go",
		edits: []edit{{`if gate {`, `if gate && len(carried) == 0 {`}},
		in:    "internal/bench", killers: []string{"TestBothProgramsDoTheWholeOfEachOperation"},
	},
	{
		name: "bench-floor-carries-less", breaks: "the floor sends Redis less than the service does",
		file:  "internal/bench/floor_mint.go",
		edits: []edit{{`const sealedSize = 300`, `const sealedSize = 16`}},
		in:    "internal/bench", killers: []string{"TestTheFloorCarriesAsMuchAsTheService"},
	},
	{
		name: "bench-refusals-are-quick", breaks: "requests that were refused count as answers",
		file:  "internal/bench/drive.go",
		edits: []edit{{`case status != 200:`, `case status >= 500:`}},
		in:    "internal/bench", killers: []string{"TestAFailedRequestIsNoFigure"},
	},
	{
		name: "bench-failures-pass", breaks: "a run in which every request failed ends well",
		file:  "internal/bench/run.go",
		edits: []edit{{`return t.Failed > 0 }) {`, `return t.Failed > 0 && t.Answers > 0 }) {`}},
		in:    "internal/bench", killers: []string{"TestAFailedRequestIsNoFigure"},
	},
}
