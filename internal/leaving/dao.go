package leaving

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/hello-world-co-op/handoff/internal/audit"
	"github.com/hello-world-co-op/handoff/internal/member"
)

// DAOConfig is what the DAO half's side needs.
type DAOConfig struct {
	Store daoStore
	Now   func() time.Time
}

type daoStore interface {
	// FindSession returns the session that the cookie belongs to at now, live or not.
	FindSession(ctx context.Context, cookie member.Cookie, now time.Time) (member.Session, member.Member, error)
	// List returns the member's hand-offs that were minted after since, newest first.
	List(ctx context.Context, memberID uuid.UUID, since, now time.Time) ([]Journey, error)
	// EndOwn ends one hand-off of the cookie's member, with its audit row.
	EndOwn(ctx context.Context, request EndOwn, now time.Time) error
	// EndTold ends what the other half says has ended there, each with its audit row.
	EndTold(ctx context.Context, news News, now time.Time) error
}

// State is how far a hand-off has come, as far as this half knows.
type State string

// The states.
const (
	OnItsWay State = "on_its_way" // minted, not redeemed, and its 60 s are not over
	Open     State = "open"       // redeemed: the person is, or may be, signed in over there
	Ended    State = "ended"      // by whatever; nothing of it is good any more
	Expired  State = "expired"    // nobody came in time
)

// Journey is one hand-off as its member sees it.
type Journey struct {
	HandoffID    uuid.UUID
	EntryProduct string
	Target       string
	MintedAt     time.Time
	RedeemedAt   *time.Time
	EndedAt      *time.Time
	State        State
}

const (
	// Shown is for how long hand-offs are in their member's list, and mostShown how many.
	Shown     = 7 * 24 * time.Hour
	mostShown = 100
)

// DAO is where a member sees and ends their hand-offs, and where the FOS half says what
// has ended there.
type DAO struct{ DAOConfig }

// NewDAO makes the use cases.
func NewDAO(config DAOConfig) *DAO { return &DAO{config} }

// Journeys returns the hand-offs of whoever is signed in with cookie, the newest first.
// Its errors are [member.ErrNoSession], [member.ErrSessionRevoked] and outages.
func (d *DAO) Journeys(ctx context.Context, cookie member.Cookie) ([]Journey, error) {
	now := d.Now()
	session, who, err := d.Store.FindSession(ctx, cookie, now)
	if err == nil {
		err = mayAct(session, who.Status, now)
	}
	if err != nil {
		return nil, err
	}
	return d.Store.List(ctx, who.ID, now.Add(-Shown), now)
}

// mayAct is nil for a live session of a member who is not shut out.
func mayAct(session member.Session, status member.Status, now time.Time) error {
	if status.Stopped() {
		return member.ErrSessionRevoked
	}
	return session.Check(now)
}

// EndOwn is one hand-off to be ended, by a cookie and the session id in its CSRF value.
type EndOwn struct {
	Cookie    member.Cookie
	SessionID uuid.UUID
	HandoffID uuid.UUID
	Origin    audit.Origin
}

// End ends one of the member's own hand-offs: a token that is on its way is dead with it
// at once, and the FOS half is told. To end what has ended is nothing. Its errors are
// [ErrNotYours], [member.ErrNoSession], [member.ErrSessionRevoked], [member.ErrCSRF] and
// outages.
func (d *DAO) End(ctx context.Context, request EndOwn) error {
	return d.Store.EndOwn(ctx, request, d.Now())
}

// Ended notes that sessions have ended on the FOS half. The other half is not told what it
// has said itself. Hand-offs that are not there, that have ended before, or that are for
// other targets than the caller's, change nothing. Its errors are outages.
func (d *DAO) Ended(ctx context.Context, news News) error {
	return d.Store.EndTold(ctx, news, d.Now())
}
