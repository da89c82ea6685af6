package member_test

import (
	"errors"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/hello-world-co-op/handoff/internal/member"
)

// A refresh begins the idle time anew, also one that had run out; not the absolute
// one, and nothing brings an ended session back.
func TestCheckRefreshable_leavesOutTheIdleTimeOnly(t *testing.T) {
	t.Parallel()
	fresh := member.NewSession(uuid.New(), uuid.New(), noon)
	ended := fresh
	ended.EndedAt = &noon
	for name, row := range map[string]struct {
		session     member.Session
		after       time.Duration
		live, again error
	}{
		"fresh":                       {fresh, 0, nil, nil},
		"the last idle moment":        {fresh, member.IdleTTL - 1, nil, nil},
		"idle":                        {fresh, member.IdleTTL, member.ErrNoSession, nil},
		"idle for six days":           {fresh, 6 * 24 * time.Hour, member.ErrNoSession, nil},
		"the last moment of all":      {fresh, member.AbsoluteTTL - 1, member.ErrNoSession, nil},
		"over":                        {fresh, member.AbsoluteTTL, member.ErrNoSession, member.ErrNoSession},
		"long over":                   {fresh, 2 * member.AbsoluteTTL, member.ErrNoSession, member.ErrNoSession},
		"ended":                       {ended, 0, member.ErrSessionRevoked, member.ErrSessionRevoked},
		"ended, and idle since":       {ended, member.IdleTTL, member.ErrSessionRevoked, member.ErrSessionRevoked},
		"ended, and over since":       {ended, member.AbsoluteTTL, member.ErrSessionRevoked, member.ErrSessionRevoked},
		"ended on a clock a bit fast": {ended, -time.Second, member.ErrSessionRevoked, member.ErrSessionRevoked},
	} {
		before := row.session
		at := noon.Add(row.after)
		if err := row.session.Check(at); !errors.Is(err, row.live) || (err == nil) != (row.live == nil) {
			t.Errorf("%s: live: %v, want %v", name, err, row.live)
		}
		if err := row.session.CheckRefreshable(at); !errors.Is(err, row.again) || (err == nil) != (row.again == nil) {
			t.Errorf("%s: refreshable: %v, want %v", name, err, row.again)
		}
		if !row.session.IdleExpiresAt.Equal(before.IdleExpiresAt) {
			t.Errorf("%s: asking changed the session", name)
		}
	}
}
