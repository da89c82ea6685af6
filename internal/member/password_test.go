package member_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"

	"github.com/hello-world-co-op/handoff/internal/member"
	"github.com/hello-world-co-op/handoff/internal/privacy"
	"github.com/hello-world-co-op/handoff/password"
)

// unreadable looks like bcrypt and is cut short.
const unreadable = "$2b$04$abcdefghijklmnopqrstuu"

// A hash that cannot be read is a no, and a line in the log that quotes neither
// the hash nor the password.
func TestPasswords_anUnreadableHashIsNo(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	passwords := member.Passwords{Hasher: password.NewHasher(password.Limits{Concurrent: 1}), Log: slog.New(slog.NewTextHandler(&log, nil))}
	match, err := passwords.Verify(t.Context(), privacy.NewSecret(unreadable), privacy.NewSecret("correct horse"))
	if match || err != nil {
		t.Errorf("match %v, error %v", match, err)
	}
	if line := log.String(); !strings.Contains(line, "level=ERROR") || strings.Contains(line, "$2b$") || strings.Contains(line, "horse") {
		t.Errorf("logged %q", line)
	}
}

// I13: who waits for nothing any more is turned away with busy, whether or not
// the account exists: else busy would tell.
func TestI13_aCallerWhoLeftIsBusyAlike(t *testing.T) {
	t.Parallel()
	passwords := member.Passwords{Hasher: password.NewHasher(password.Limits{Concurrent: 1}), Log: slog.New(slog.DiscardHandler)}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for name, hash := range map[string]privacy.Secret{"unknown account": {}, "account": privacy.NewSecret(unreadable)} {
		if match, err := passwords.Verify(ctx, hash, privacy.NewSecret("x")); match || !errors.Is(err, password.ErrBusy) {
			t.Errorf("%s: match %v, error %v", name, match, err)
		}
	}
}
