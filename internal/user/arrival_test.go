package user_test

import (
	"errors"
	"testing"

	"github.com/google/uuid"

	"github.com/hello-world-co-op/handoff/internal/user"
)

// person is a user of the pure tests; a zero person is nobody.
type person struct {
	id       byte
	status   user.Status
	role     user.Role
	verified bool
	other    bool // linked to another DAO subject
}

func (p person) candidate() *user.Candidate {
	if p.id == 0 {
		return nil
	}
	return &user.Candidate{
		User:      user.User{ID: uuid.UUID{p.id}, Status: p.status, Role: p.role, EmailVerified: p.verified},
		OtherLink: p.other,
	}
}

// scene is one arrival and everything that the answer may depend on.
type scene struct {
	link, principal, email person
	arrivesWithPrincipal   bool
	arrivalVerified        bool
	signedInAs             byte
}

func (s scene) decide() (user.Decision, error) {
	text := "rrkah-fqaaa-aaaaa-aaaaq-cai"
	a := user.Arrival{Subject: uuid.UUID{0xff}, EmailVerified: s.arrivalVerified, SignedInAs: uuid.UUID{s.signedInAs}}
	if s.arrivesWithPrincipal {
		a.Principal = &text
	}
	return user.Decide(a, user.Facts{
		ByLink: s.link.candidate(), ByPrincipal: s.principal.candidate(), ByEmail: s.email.candidate(),
	})
}

// answer is what a scene ends in, small enough to compare.
type answer struct {
	what         string // an action, "inactive" or "conflict"
	who          byte
	addPrincipal bool
}

func (s scene) answer() answer {
	d, err := s.decide()
	var refused *user.Refused
	switch {
	case errors.As(err, &refused) && errors.Is(err, user.ErrInactive):
		return answer{"inactive", refused.UserID[0], false}
	case errors.As(err, &refused) && errors.Is(err, user.ErrConflict):
		return answer{"conflict", refused.UserID[0], false}
	case err != nil:
		return answer{what: err.Error()}
	}
	return answer{string(d.Action), d.User.ID[0], d.AddPrincipal}
}

// The founder's reading of section 5, one named case for each thing it says.
func TestI9_section5RowByRow(t *testing.T) {
	active := func(id byte) person { return person{id, user.Active, user.Member, true, false} }
	with := func(p person, edit func(*person)) person { edit(&p); return p }
	status := func(p person, s user.Status) person { return with(p, func(p *person) { p.status = s }) }
	role := func(p person, r user.Role) person { return with(p, func(p *person) { p.role = r }) }
	unproven := func(p person) person { return with(p, func(p *person) { p.verified = false }) }
	linkedElsewhere := func(p person) person { return with(p, func(p *person) { p.other = true }) }
	a, b := active('A'), active('B')

	for name, tc := range map[string]struct {
		scene scene
		want  answer
	}{
		"1: the link says who it is":                        {scene{link: a}, answer{"entered", 'A', false}},
		"1: a new principal is added":                       {scene{link: a, arrivesWithPrincipal: true}, answer{"entered", 'A', true}},
		"1: a known principal is left":                      {scene{link: a, principal: a, arrivesWithPrincipal: true}, answer{"entered", 'A', false}},
		"1: somebody else's principal is a conflict":        {scene{link: a, principal: b, arrivesWithPrincipal: true}, answer{"conflict", 'A', false}},
		"1: the email is not asked":                         {scene{link: a, email: b}, answer{"entered", 'A', false}},
		"1: a stopped namesake shuts nobody out":            {scene{link: a, email: status(b, user.Suspended)}, answer{"entered", 'A', false}},
		"1: suspended":                                      {scene{link: status(a, user.Suspended)}, answer{"inactive", 'A', false}},
		"1: deactivated":                                    {scene{link: status(a, user.Deactivated)}, answer{"inactive", 'A', false}},
		"1: pending is not admitted by a link":              {scene{link: status(a, user.Pending)}, answer{"inactive", 'A', false}},
		"1: suspended, before the conflict":                 {scene{link: status(a, user.Suspended), principal: b, arrivesWithPrincipal: true}, answer{"inactive", 'A', false}},
		"1: the principal's owner is suspended":             {scene{link: a, principal: status(b, user.Suspended), arrivesWithPrincipal: true}, answer{"inactive", 'B', false}},
		"1: a founder enters":                               {scene{link: role(a, user.Founder)}, answer{"entered", 'A', false}},
		"2: the principal says who it is":                   {scene{principal: a, arrivesWithPrincipal: true}, answer{"linked", 'A', false}},
		"2: carries another link":                           {scene{principal: linkedElsewhere(a), arrivesWithPrincipal: true}, answer{"conflict", 'A', false}},
		"2: suspended, before the other link":               {scene{principal: status(linkedElsewhere(a), user.Suspended), arrivesWithPrincipal: true}, answer{"inactive", 'A', false}},
		"2: pending":                                        {scene{principal: status(a, user.Pending), arrivesWithPrincipal: true}, answer{"inactive", 'A', false}},
		"2: the email is not asked":                         {scene{principal: a, email: status(b, user.Suspended), arrivesWithPrincipal: true}, answer{"linked", 'A', false}},
		"3: a proven email finds a proven account":          {scene{email: a, arrivalVerified: true}, answer{"linked", 'A', false}},
		"3: and the principal comes along":                  {scene{email: a, arrivalVerified: true, arrivesWithPrincipal: true}, answer{"linked", 'A', true}},
		"3: an unproven email finds nobody":                 {scene{email: a}, answer{"conflict", 'A', false}},
		"3: nor does it reclaim":                            {scene{email: unproven(a)}, answer{"conflict", 'A', false}},
		"3: carries another link":                           {scene{email: linkedElsewhere(a), arrivalVerified: true}, answer{"conflict", 'A', false}},
		"3: unproven, carries another link":                 {scene{email: unproven(linkedElsewhere(a)), arrivalVerified: true}, answer{"conflict", 'A', false}},
		"3: a founder's address is not enough":              {scene{email: role(a, user.Founder), arrivalVerified: true}, answer{"conflict", 'A', false}},
		"3: an admin's address is not enough":               {scene{email: role(a, user.Admin), arrivalVerified: true}, answer{"conflict", 'A', false}},
		"3: nor another's session":                          {scene{email: role(a, user.Admin), arrivalVerified: true, signedInAs: 'B'}, answer{"conflict", 'A', false}},
		"3: the founder, signed in":                         {scene{email: role(a, user.Founder), arrivalVerified: true, signedInAs: 'A'}, answer{"linked", 'A', false}},
		"3: signed in, but the email unproven":              {scene{email: role(a, user.Founder), signedInAs: 'A'}, answer{"conflict", 'A', false}},
		"3: an unproven founder is not reclaimed":           {scene{email: unproven(role(a, user.Founder)), arrivalVerified: true}, answer{"conflict", 'A', false}},
		"3: a role we do not know is privileged":            {scene{email: role(a, "owner"), arrivalVerified: true}, answer{"conflict", 'A', false}},
		"3: a guest is linked":                              {scene{email: role(a, user.Guest), arrivalVerified: true}, answer{"linked", 'A', false}},
		"3: an unproven account is reclaimed":               {scene{email: unproven(a), arrivalVerified: true}, answer{"reclaimed", 'A', false}},
		"3: unproven and pending too":                       {scene{email: status(unproven(a), user.Pending), arrivalVerified: true}, answer{"reclaimed", 'A', false}},
		"3: proven and pending":                             {scene{email: status(a, user.Pending), arrivalVerified: true}, answer{"inactive", 'A', false}},
		"3: suspended, whatever else":                       {scene{email: status(unproven(linkedElsewhere(a)), user.Suspended)}, answer{"inactive", 'A', false}},
		"3: a status we do not know is stopped":             {scene{email: status(a, "ARCHIVED"), arrivalVerified: true}, answer{"inactive", 'A', false}},
		"4: nobody":                                         {scene{arrivalVerified: true}, answer{"created", 0, false}},
		"4: nobody, with a principal and an unproven email": {scene{arrivesWithPrincipal: true}, answer{"created", 0, true}},
	} {
		if got := tc.scene.answer(); got != tc.want {
			t.Errorf("%s: got %v, want %v", name, got, tc.want)
		}
	}
}

// Every member without a principal would otherwise be the same person.
func TestI9_anEmptyPrincipalIsNone(t *testing.T) {
	empty := ""
	d, err := user.Decide(user.Arrival{Subject: uuid.UUID{1}, Principal: &empty}, user.Facts{})
	if err != nil || d.AddPrincipal {
		t.Errorf("an empty principal is added: %+v, %v", d, err)
	}
}
