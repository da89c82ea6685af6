package user_test

import (
	"testing"

	"github.com/google/uuid"

	"github.com/hello-world-co-op/handoff/internal/datastore"
	"github.com/hello-world-co-op/handoff/internal/testkit"
	"github.com/hello-world-co-op/handoff/internal/user"
)

// I9: the principal that everybody has who has not signed in is nobody's proof. An
// arrival that shows it neither enters the account that somebody linked to it, nor
// is shut out by it.
func TestI9_aPrincipalThatManyHaveProvesNothing(t *testing.T) {
	t.Parallel()
	for _, shared := range []string{"", "2vxsx-fae", "2VXSX-FAE", "aaaaa-aa"} {
		w := world{t, testkit.Database(t, datastore.FOS)}
		victim := w.has(account{email: "victim@example.org", role: user.Admin})
		w.principal(victim, shared)
		a := ada(t)
		a.Principal = ptr(shared)
		got := w.arrives(a)
		if got.Action != user.Created || got.User.ID == victim || got.User.ID == uuid.Nil || got.PrincipalAdded {
			t.Errorf("%q: the arrival is %s as %s, principal added %v", shared, got.Action, got.User.ID, got.PrincipalAdded)
		}
	}
}
