package bench

import (
	"context"

	"github.com/google/uuid"

	"github.com/hello-world-co-op/handoff/internal/session"
)

// open opens a session at the FOS half for each of the people, without the service, as
// they are once a browser has shown them, and signs their pairs.
func (w *world) open(ctx context.Context, people []person) ([]session.Pair, error) {
	pairs := make([]session.Pair, len(people))
	var rows [][]any
	begun := now()
	for i, p := range people {
		s := session.Session{
			ID: uuid.Must(uuid.NewV7()), UserID: p.user, Generation: 1, AuthTime: begun, AMR: []string{"pwd"}, ExpiresAt: w.signer.SessionExpiry(begun),
		}
		pair, err := w.signer.Pair(s, "member")
		if err != nil {
			return nil, err
		}
		pairs[i] = pair
		rows = append(rows, []any{
			s.ID, s.UserID, "handoff", uuid.Must(uuid.NewV7()), product, s.Generation, true, false, s.AuthTime, s.AMR, begun, begun, s.ExpiresAt,
		})
	}
	return pairs, fill(ctx, w.fos, "sessions", []string{
		"id", "user_id", "origin", "handoff_id", "entry_product", "generation", "generation_used", "elevated", "auth_time", "amr",
		"created_at", "last_used_at", "expires_at",
	}, rows)
}
