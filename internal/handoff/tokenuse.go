package handoff

import (
	"context"
	"log/slog"
	"maps"
	"sync"
	"time"

	"github.com/hello-world-co-op/handoff/internal/behind"
)

// TokenUse remembers when each service token was last accepted, by key id: after a
// rotation the old one may go when its time stands still. Every process knows its
// own times at once, and all learn of each other's through the database, which they
// tell at most every [tokenUseEvery]. Wait for it before the store is closed.
type TokenUse struct {
	TokenUseConfig
	mu      sync.Mutex
	last    map[string]time.Time
	told    map[string]time.Time
	telling *behind.Work
}

// TokenUseConfig is what a TokenUse needs.
type TokenUseConfig struct {
	Store TokenUseStore
	Now   func() time.Time
	Log   *slog.Logger
}

// TokenUseStore is a half's table of these times.
type TokenUseStore interface {
	// NoteTokenUse moves the key's time forward to at, never back.
	NoteTokenUse(ctx context.Context, keyID string, at time.Time) error
	// TokenUses returns the times of all keys, by any process.
	TokenUses(ctx context.Context) (map[string]time.Time, error)
}

// tokenUseEvery bounds the writes: an exchange must not wait for another commit.
const tokenUseEvery = 30 * time.Second

// tellingAtOnce is more than there are tokens.
const tellingAtOnce = 4

// NewTokenUse begins with no use seen.
func NewTokenUse(config TokenUseConfig) *TokenUse {
	return &TokenUse{TokenUseConfig: config, telling: behind.New(tellingAtOnce), last: map[string]time.Time{}, told: map[string]time.Time{}}
}

// Note remembers that the token was accepted now.
func (u *TokenUse) Note(ctx context.Context, keyID string) {
	now := u.Now()
	if !u.note(keyID, now) {
		return
	}
	told := u.telling.Do(ctx, func(ctx context.Context) {
		if err := u.Store.NoteTokenUse(ctx, keyID, now); err != nil {
			u.Log.WarnContext(ctx, "a service token's use was not stored", "key_id", keyID, "error", err)
			u.tellAgain(keyID, now)
		}
	})
	if !told {
		u.tellAgain(keyID, now)
	}
}

// note reports whether the database is to be told.
func (u *TokenUse) note(keyID string, now time.Time) bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	if now.After(u.last[keyID]) {
		u.last[keyID] = now
	}
	if told, ok := u.told[keyID]; ok && now.Sub(told) < tokenUseEvery {
		return false
	}
	u.told[keyID] = now
	return true
}

// tokenUseRetry is when a use that could not be stored is told again: soon, and not
// with every exchange.
const tokenUseRetry = 5 * time.Second

func (u *TokenUse) tellAgain(keyID string, failed time.Time) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.told[keyID] = failed.Add(tokenUseRetry - tokenUseEvery)
}

// Seen are the times that this process knows by itself.
func (u *TokenUse) Seen() map[string]time.Time {
	u.mu.Lock()
	defer u.mu.Unlock()
	return maps.Clone(u.last)
}

// Last are the times of all processes: this one's exactly, the others' within
// [tokenUseEvery]. Without the database they are this one's, with the error.
func (u *TokenUse) Last(ctx context.Context) (map[string]time.Time, error) {
	all, err := u.Store.TokenUses(ctx)
	last := u.Seen()
	for keyID, at := range all {
		if at.After(last[keyID]) {
			last[keyID] = at
		}
	}
	return last, err
}

// Wait returns when nothing is being told any more.
func (u *TokenUse) Wait() { u.telling.Wait() }
