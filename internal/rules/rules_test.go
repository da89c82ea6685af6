package rules_test

import (
	"fmt"
	"path"
	"slices"
	"strings"
	"testing"
)

// rules are the sentences that hold for every package. A check returns what is
// broken and where.
var rules = []struct {
	says  string
	check func(room) []string
}{
	{"a package has a room and imports what the room allows", keepsToItsRoom},
	{"no domain imports another", knowsNoOtherDomain},
	{"nobody imports the edge, a command or a test helper", respectsDoors},
	{"the two halves meet in few places", meetsInFewPlaces},
	{"a library is imported in its one place", keepsLibrariesInPlace},
	{"domains and use cases read no clock", readsNoClock},
	{"a name says what is inside", isNamedForWhatItHolds},
	{"a file can be read in one sitting", hasReadableFiles},
}

func TestTheHouseKeepsItsShape(t *testing.T) {
	t.Parallel()
	tree := readTree(t)
	if len(tree) < 20 {
		t.Fatalf("only %d packages were found", len(tree))
	}
	for _, rule := range rules {
		t.Run(rule.says, func(t *testing.T) {
			t.Parallel()
			for _, r := range tree {
				for _, fault := range rule.check(r) {
					t.Error(fault)
				}
			}
		})
	}
}

// A room whose package is gone, or an import that nobody has been allowed to
// make for a package that is gone, is a rule about nothing.
func TestNoRuleIsAboutNothing(t *testing.T) {
	t.Parallel()
	there := map[string]bool{}
	for _, r := range readTree(t) {
		there[r.path] = true
	}
	named := slices.Concat(domains, daoHalf, fosHalf, meetings, clockless)
	for name, allowed := range rooms {
		named = append(append(named, name), allowed...)
	}
	for name, allowed := range openTo {
		named = append(append(named, name), allowed...)
	}
	for _, name := range named {
		if !strings.HasSuffix(name, "/...") && !there[name] {
			t.Errorf("the tables name %s, which is no package", name)
		}
	}
}

func keepsToItsRoom(r room) (faults []string) {
	allowed, known := rooms[r.path]
	if !known {
		return []string{fmt.Sprintf("%s has no room: say in table_test.go what it may import, and in docs/architecture.md what it is for", r.path)}
	}
	for _, f := range r.shipped() {
		for _, imported := range f.ours {
			if !among(imported, allowed) {
				faults = append(faults, fmt.Sprintf("%s imports %s: %s may not", f.path, imported, r.path))
			}
		}
	}
	return faults
}

func knowsNoOtherDomain(r room) (faults []string) {
	if !slices.Contains(domains, r.path) {
		return nil
	}
	for _, f := range r.shipped() {
		for _, imported := range f.ours {
			if slices.Contains(domains, imported) && imported != r.path {
				faults = append(faults, fmt.Sprintf("%s imports %s: a step across domains belongs in handoff or signin", f.path, imported))
			}
		}
	}
	return faults
}

// respectsDoors looks at tests too, for commands: whatever a test wants of them
// belongs in a package.
func respectsDoors(r room) (faults []string) {
	for _, f := range r.files {
		for _, imported := range f.ours {
			for door, guests := range openTo {
				if !among(imported, []string{door}) || (f.forTest && door != "cmd/...") || among(r.path, guests) {
					continue
				}
				faults = append(faults, fmt.Sprintf("%s imports %s, which is open to %v only", f.path, imported, guests))
			}
		}
	}
	return faults
}

func meetsInFewPlaces(r room) []string {
	// In a half's own package importing anything of the other is a meeting.
	dao, fos := slices.Contains(daoHalf, r.path), slices.Contains(fosHalf, r.path)
	var faults []string
	for _, f := range r.shipped() {
		fileDAO, fileFOS := overlap(f.ours, daoHalf), overlap(f.ours, fosHalf)
		dao, fos = dao || fileDAO, fos || fileFOS
		if fileDAO && fileFOS && r.path == path.Dir(meetingFile) && f.path != meetingFile {
			faults = append(faults, fmt.Sprintf("%s imports both halves: at the edge only %s does", f.path, meetingFile))
		}
	}
	if dao && fos && !among(r.path, meetings) {
		faults = append(faults, fmt.Sprintf("%s knows packages of both halves (%v and %v)", r.path, daoHalf, fosHalf))
	}
	return faults
}

func keepsLibrariesInPlace(r room) (faults []string) {
	for _, f := range r.shipped() {
		for _, imported := range f.others {
			for _, place := range places {
				if among(imported, []string{place.library, place.library + "/..."}) && !matchesAny(f.path, place.files) {
					faults = append(faults, fmt.Sprintf("%s imports %s, which only %v may: %s", f.path, imported, place.files, place.why))
				}
			}
		}
	}
	return faults
}

func readsNoClock(r room) (faults []string) {
	if !slices.Contains(clockless, r.path) {
		return nil
	}
	for _, f := range r.shipped() {
		for _, name := range f.clocks {
			faults = append(faults, fmt.Sprintf("%s uses time.%s: the time comes in as a value", f.path, name))
		}
	}
	return faults
}

func isNamedForWhatItHolds(r room) (faults []string) {
	base := path.Base(r.path)
	if slices.Contains(emptyNames, base) {
		faults = append(faults, r.path+": the name says nothing about what is inside")
	}
	for _, f := range r.files {
		name := strings.TrimSuffix(f.name, "_test")
		if name != base && name != "main" {
			faults = append(faults, fmt.Sprintf("%s: package %s in a folder named %s", f.path, name, base))
		}
	}
	return faults
}

func hasReadableFiles(r room) (faults []string) {
	for _, f := range r.shipped() {
		if f.lines > maxLines {
			faults = append(faults, fmt.Sprintf("%s has %d lines, more than %d", f.path, f.lines, maxLines))
		}
	}
	return faults
}

// among reports whether name is in list, where "a/..." stands for all below a.
func among(name string, list []string) bool {
	return slices.ContainsFunc(list, func(item string) bool {
		below, all := strings.CutSuffix(item, "...")
		return name == item || (all && strings.HasPrefix(name, below))
	})
}

func overlap(a, b []string) bool {
	return slices.ContainsFunc(a, func(item string) bool { return slices.Contains(b, item) })
}

func matchesAny(name string, patterns []string) bool {
	return slices.ContainsFunc(patterns, func(pattern string) bool {
		matched, _ := path.Match(pattern, name) // the patterns are ours, and right
		return matched
	})
}
