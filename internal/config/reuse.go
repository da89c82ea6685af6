package config

import "github.com/hello-world-co-op/handoff/internal/privacy"

// reuse finds one value behind two secrets. The attack is leverage: who learns
// the service token, which crosses the network with every exchange, could sign
// sessions if JWT_SECRET_KEY were the same text.
type reuse struct {
	owner     map[string]string // value, as written and as decoded, to variable
	passwords []password
}

type password struct{ variable, text string }

// claim records that variable holds the value, and a fault if it is taken. Two
// spellings of the same bytes are the same value.
func (r *reuse) claim(f *faults, variable, value string) {
	if value == "" {
		return
	}
	forms := []string{value}
	if raw, problem := decodeKey(value); problem == "" && len(raw) > 0 {
		forms = append(forms, string(raw))
	}
	for _, form := range forms {
		if owner, taken := r.owner[form]; taken {
			f.add(variable, sameAs(variable, owner))
			return
		}
	}
	for _, form := range forms {
		r.owner[form] = variable
	}
}

// connection remembers the password of a connection for compare.
func (r *reuse) connection(variable string, text privacy.Secret) {
	if !text.IsEmpty() {
		r.passwords = append(r.passwords, password{variable, text.Reveal()})
	}
}

// compare refuses keys as passwords of connections. Those may be equal among
// themselves: one role may reach its database by two URLs.
func (r *reuse) compare(f *faults) {
	for _, p := range r.passwords {
		if owner, taken := r.owner[p.text]; taken {
			f.add(p.variable, sameAs(p.variable, owner))
		}
	}
}

func sameAs(variable, owner string) string {
	if variable == owner {
		return "holds one value twice"
	}
	return "has the same value as " + owner + "; every secret needs one of its own"
}
