package user_test

import (
	"testing"

	"github.com/hello-world-co-op/handoff/internal/user"
)

// I9: the whole space of facts, against a second writing of section 5 that is
// nested where the first one is a list, and against what must hold whatever the
// rows say.
func TestI9_everyArrivalThereCanBe(t *testing.T) {
	t.Parallel()
	seen := map[string]int{}
	count := 0
	for s := range scenes() {
		got := s.answer()
		if want := oracle(s); got != want {
			t.Fatalf("%+v: got %v, section 5 says %v", s, got, want)
		}
		if broken := safety(s, got); broken != "" {
			t.Fatalf("%+v: %v: %s", s, got, broken)
		}
		seen[got.what]++
		count++
	}
	t.Logf("%d arrivals: %v", count, seen)
	for _, what := range []string{"entered", "linked", "reclaimed", "created", "inactive", "conflict"} {
		if seen[what] == 0 {
			t.Errorf("no arrival ended in %q: the space is not whole", what)
		}
	}
}

// safety names what an answer breaks, "" if nothing.
func safety(s scene, got answer) string {
	let := got.what != "inactive" && got.what != "conflict"
	for _, p := range []person{s.link, s.principal, s.email} {
		if let && p.id != 0 && p.id == got.who && p.status.Stopped() {
			return "a stopped user is let in"
		}
	}
	byEmailAlone := s.link.id == 0 && s.principal.id == 0 && s.email.id != 0
	switch {
	case got.what == "created" && got.who != 0, got.what != "created" && got.who == 0:
		return "created is not the same as nobody found"
	case let && byEmailAlone && !s.arrivalVerified:
		return "an unproven email gives an account"
	case let && byEmailAlone && s.email.role.Privileged() && s.signedInAs != s.email.id:
		return "an address gives a founder's or an admin's account"
	case got.what == "reclaimed" && (s.email.verified || s.email.other):
		return "a proven or linked account is reclaimed"
	case let && s.link.id != 0 && s.principal.id != 0 && s.link.id != s.principal.id:
		return "a person holds another's principal"
	case got.addPrincipal && (s.principal.id != 0 || !s.arrivesWithPrincipal):
		return "a principal is added that is none or somebody's"
	}
	return ""
}

// oracle is section 5 as prose reads: one row, then what the row says of it.
func oracle(s scene) answer {
	adds := s.arrivesWithPrincipal && s.principal.id == 0
	switch {
	case s.link.id != 0:
		return oracleOfRow1(s, adds)
	case s.principal.id != 0:
		p := s.principal
		if p.status == user.Suspended || p.status == user.Deactivated {
			return answer{"inactive", p.id, false}
		}
		if p.other {
			return answer{"conflict", p.id, false}
		}
		if p.status == user.Pending {
			return answer{"inactive", p.id, false}
		}
		return answer{"linked", p.id, false}
	case s.email.id != 0:
		return oracleOfRow3(s, adds)
	}
	return answer{"created", 0, adds}
}

func oracleOfRow1(s scene, adds bool) answer {
	dead := map[user.Status]bool{user.Suspended: true, user.Deactivated: true}
	switch {
	case dead[s.link.status]:
		return answer{"inactive", s.link.id, false}
	case s.principal.id != 0 && s.principal.id != s.link.id:
		if dead[s.principal.status] {
			return answer{"inactive", s.principal.id, false}
		}
		return answer{"conflict", s.link.id, false}
	case s.link.status == user.Active:
		return answer{"entered", s.link.id, adds}
	}
	return answer{"inactive", s.link.id, false}
}

func oracleOfRow3(s scene, adds bool) answer {
	e := s.email
	if e.status == user.Suspended || e.status == user.Deactivated {
		return answer{"inactive", e.id, false}
	}
	mayBeLinked := s.arrivalVerified && !e.other
	if e.role == user.Founder || e.role == user.Admin {
		mayBeLinked = mayBeLinked && s.signedInAs == e.id
	}
	switch {
	case !mayBeLinked:
		return answer{"conflict", e.id, false}
	case !e.verified:
		return answer{"reclaimed", e.id, adds}
	case e.status == user.Pending:
		return answer{"inactive", e.id, false}
	}
	return answer{"linked", e.id, adds}
}

// scenes yields every scene: who each kind of evidence points at, where one
// person may be pointed at by several, and every state of each of them.
func scenes() func(yield func(scene) bool) {
	return func(yield func(scene) bool) {
		for who := range pointings() {
			for a := range states('A', who) {
				for b := range states('B', who) {
					for c := range states('C', who) {
						pick := map[byte]person{'A': a, 'B': b, 'C': c}
						s := scene{link: pick[who.link], principal: pick[who.principal], email: pick[who.email]}
						if !circumstances(s, yield) {
							return
						}
					}
				}
			}
		}
	}
}

type pointing struct{ link, principal, email byte }

func pointings() func(yield func(pointing) bool) {
	return func(yield func(pointing) bool) {
		for _, link := range []byte{0, 'A'} {
			for _, principal := range []byte{0, 'A', 'B'} {
				for _, email := range []byte{0, 'A', 'B', 'C'} {
					if !yield(pointing{link, principal, email}) {
						return
					}
				}
			}
		}
	}
}

// states yields every state of one person; only one of a person whom nothing
// points at. A user has one DAO link at most, so that who was found by it has no
// other.
func states(id byte, who pointing) func(yield func(person) bool) {
	return func(yield func(person) bool) {
		if id != who.link && id != who.principal && id != who.email {
			yield(person{})
			return
		}
		for _, status := range []user.Status{user.Active, user.Pending, user.Suspended, user.Deactivated} {
			for _, role := range []user.Role{user.Founder, user.Admin, user.Member, user.Guest} {
				for bits := range 4 {
					p := person{id, status, role, bits&1 != 0, bits&2 != 0}
					if (!p.other || id != who.link) && !yield(p) {
						return
					}
				}
			}
		}
	}
}

func circumstances(s scene, yield func(scene) bool) bool {
	for _, signedInAs := range []byte{0, 'A', 'B', 'C'} {
		for bits := range 4 {
			s.signedInAs, s.arrivalVerified, s.arrivesWithPrincipal = signedInAs, bits&1 != 0, bits&2 != 0
			if s.principal.id != 0 && !s.arrivesWithPrincipal {
				continue // nobody is found by a principal that did not arrive
			}
			if !yield(s) {
				return false
			}
		}
	}
	return true
}
