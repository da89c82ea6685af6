package leaving

import (
	"context"
	"errors"

	"github.com/google/uuid"

	"github.com/hello-world-co-op/handoff/internal/audit"
)

// MostAtOnce is how many hand-offs one message names (I13).
const MostAtOnce = 100

// ErrNotYours: there is no such hand-off among the member's own. Whether it is somebody
// else's, nobody is told.
var ErrNotYours = errors.New("no such hand-off of this member")

// Teller is the seam between the halves. Tell returns nil only once the other half has
// committed what follows; an error is an outage, and to tell again is harmless. ended are
// 1 to [MostAtOnce].
type Teller interface {
	Tell(ctx context.Context, ended []uuid.UUID) error
}

// InProcess tells the half that is in the same process, by its [FOS.End] or [DAO.Ended]. It
// passes what the wire would carry, and nothing else (I14).
type InProcess struct {
	Hear func(ctx context.Context, news News) error
	// Targets are those that the service token is good for; none: all.
	Targets []string
}

// Tell implements [Teller].
func (i InProcess) Tell(ctx context.Context, ended []uuid.UUID) error {
	return i.Hear(ctx, News{HandoffIDs: ended, Targets: i.Targets})
}

// Body is the message on the wire, either way.
type Body struct {
	HandoffIDs []string `json:"handoff_ids"`
}

// News is what the other half says. Targets are those that it may speak for; none: all.
type News struct {
	HandoffIDs []uuid.UUID
	Targets    []string
	Origin     audit.Origin
}
