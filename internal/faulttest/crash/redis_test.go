//go:build faults

package crash_test

import (
	"testing"
	"time"

	"github.com/hello-world-co-op/handoff/internal/faulttest"
)

// I1, I8: Redis is away and has lost nothing when it is back: frozen by a command of
// its own, stopped by the system, cut off, or silent. No token is burnt.
func TestFaults_I1_I8_RedisFreezes(t *testing.T) {
	t.Parallel()
	redis := faulttest.NewRedis(t)
	redis.Kill()
	redis.Start(t, "enable-debug-command local")
	stores := faulttest.NewStores(t)
	stores.RedisURL = redis.URL()
	s := newSite(t, stores)
	server := faulttest.Serve(t, s.environ, nil)
	asleep := make(chan error, 1)
	for name, f := range map[string]fault{
		"DEBUG SLEEP": {
			begin: func(t *testing.T) {
				sleeper := redis.Client().WithTimeout(10 * time.Second)
				go func() { asleep <- sleeper.Do(t.Context(), "DEBUG", "SLEEP", "3").Err() }()
				until(t, 3*time.Second, "asleep", func() bool {
					return redis.Client().WithTimeout(100*time.Millisecond).Ping(t.Context()).Err() != nil
				})
			},
			end: func(t *testing.T) {
				if err := <-asleep; err != nil {
					t.Error(err)
				}
			},
		},
		"SIGSTOP": {begin: func(t *testing.T) { redis.Pause(t) }, end: func(t *testing.T) { redis.Wake(t) }},
		"refuses": {begin: func(*testing.T) { s.redis.Cut() }, end: func(t *testing.T) { s.redis.Mend(t) }},
		"hangs":   {begin: func(*testing.T) { s.redis.Hang() }, end: func(t *testing.T) { s.redis.Mend(t) }},
		"garbage": {begin: func(*testing.T) { s.redis.GarbageAnswers() }, end: func(t *testing.T) { s.redis.Mend(t) }},
	} {
		t.Run(name, func(t *testing.T) {
			f.dao, f.fos, f.shut = "redis", "redis", name != "DEBUG SLEEP" // which ends by itself
			s.endureAgain(t, server, f)
		})
	}
	s.wantBooks(t)
}
