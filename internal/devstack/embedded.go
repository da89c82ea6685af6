package devstack

import (
	"fmt"
	"net/url"
	"time"

	"github.com/alicebob/miniredis/v2"
)

// embeddedRedis is an imitation of Redis inside this process. It promises less
// than the real one (no memory limit, other scripts, its own idea of time), so
// it serves to look at the service and never to test it.
type embeddedRedis struct {
	server *miniredis.Miniredis
	quit   chan struct{}
	ended  chan struct{}
}

// agingStep is how exactly keys expire: miniredis' keys age only when told to.
const agingStep = 100 * time.Millisecond

func startEmbedded() (*embeddedRedis, string, error) {
	e := &embeddedRedis{server: miniredis.NewMiniRedis(), quit: make(chan struct{}), ended: make(chan struct{})}
	password := newPassword()
	e.server.RequireAuth(password)
	if err := e.server.StartAddr(loopback + ":0"); err != nil {
		return nil, "", fmt.Errorf("devstack: embedded redis: %w", err)
	}
	go e.age()
	address := url.URL{Scheme: "redis", User: url.UserPassword("", password), Host: e.server.Addr(), Path: "/0"}
	return e, address.String(), nil
}

// age lets keys grow old by as much time as has passed.
func (e *embeddedRedis) age() {
	defer close(e.ended)
	ticker := time.NewTicker(agingStep)
	defer ticker.Stop()
	for last := time.Now(); ; {
		select {
		case <-e.quit:
			return
		case now := <-ticker.C:
			e.server.FastForward(now.Sub(last))
			last = now
		}
	}
}

// stop ends it; nil is one that never ran.
func (e *embeddedRedis) stop() {
	if e == nil {
		return
	}
	close(e.quit)
	<-e.ended
	e.server.Close()
}
