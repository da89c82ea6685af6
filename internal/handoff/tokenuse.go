package handoff

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/hello-world-co-op/handoff/internal/behind"
)

// TokenUse remembers when each service token was first and last accepted, by key id: the
// first time is its age, and after a rotation the old one may go when its last time stands
// still. Every process knows its
// own times at once, and all learn of each other's through the database, which they
// tell at most every [tokenUseEvery]. Wait for it before the store is closed.
type TokenUse struct {
	TokenUseConfig
	mu      sync.Mutex
	last    map[string]time.Time
	first   map[string]time.Time // as the store says, so that a restart makes no token young
	told    map[string]time.Time
	telling *behind.Work
}

// TokenUseConfig is what a TokenUse needs.
type TokenUseConfig struct {
	Store TokenUseStore
	Now   func() time.Time
	Log   *slog.Logger
}

// Use is when a service token was accepted. First is zero where only this process knows of
// the token, and could not tell.
type Use struct{ First, Last time.Time }

// TokenUseStore is a half's table of these times.
type TokenUseStore interface {
	// NoteTokenUse moves the key's last time forward to at, never back, and returns its
	// first, which is at for a key that is new.
	NoteTokenUse(ctx context.Context, keyID string, at time.Time) (first time.Time, err error)
	// TokenUses returns the times of all keys, by any process.
	TokenUses(ctx context.Context) (map[string]Use, error)
}

// tokenUseEvery bounds the writes: an exchange must not wait for another commit.
const tokenUseEvery = 30 * time.Second

// tellingAtOnce is more than there are tokens.
const tellingAtOnce = 4

// NewTokenUse begins with no use seen.
func NewTokenUse(config TokenUseConfig) *TokenUse {
	return &TokenUse{
		TokenUseConfig: config, telling: behind.New(tellingAtOnce),
		last: map[string]time.Time{}, first: map[string]time.Time{}, told: map[string]time.Time{},
	}
}

// Note remembers that the token was accepted now.
func (u *TokenUse) Note(ctx context.Context, keyID string) {
	now := u.Now()
	if !u.note(keyID, now) {
		return
	}
	told := u.telling.Do(ctx, func(ctx context.Context) {
		first, err := u.Store.NoteTokenUse(ctx, keyID, now)
		if err != nil {
			u.Log.WarnContext(ctx, "a service token's use was not stored", "key_id", keyID, "error", err)
			u.tellAgain(keyID, now)
			return
		}
		u.mu.Lock()
		defer u.mu.Unlock()
		u.first[keyID] = first
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

// Seen are the tokens that this process has accepted, with their last times here; the first
// ones are of all processes, once the database has told them.
func (u *TokenUse) Seen() map[string]Use {
	u.mu.Lock()
	defer u.mu.Unlock()
	all := map[string]Use{}
	for keyID, at := range u.last {
		all[keyID] = Use{First: u.first[keyID], Last: at}
	}
	return all
}

// All are the uses that any process saw: this one's exactly, the others' within
// [tokenUseEvery]. Without the database they are this one's, with the error.
func (u *TokenUse) All(ctx context.Context) (map[string]Use, error) {
	stored, err := u.Store.TokenUses(ctx)
	all := u.Seen()
	for keyID, use := range stored {
		if use.Last.Before(all[keyID].Last) {
			use.Last = all[keyID].Last
		}
		all[keyID] = use
	}
	return all, err
}

// Wait returns when nothing is being told any more.
func (u *TokenUse) Wait() { u.telling.Wait() }
