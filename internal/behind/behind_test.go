package behind_test

import (
	"context"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hello-world-co-op/handoff/internal/behind"
)

// I13: so many at once and no more, each for a second, and whoever waits sees the last
// of them end.
func TestI13_whatRunsBehindAnswersIsBounded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		begun, work := time.Now(), behind.New(2)
		var ended atomic.Int32
		request, over := context.WithCancel(t.Context())
		endless := func(ctx context.Context) {
			<-ctx.Done()
			ended.Add(1)
		}
		for i, want := range []bool{true, true, false} {
			if done := work.Do(request, endless); done != want {
				t.Errorf("the %d. was taken: %v", i+1, done)
			}
		}
		over() // the request ends, what it left behind does not
		work.Wait()
		if took := time.Since(begun); ended.Load() != 2 || took != behind.Time {
			t.Errorf("%d ended after %v", ended.Load(), took)
		}
		if !work.Do(t.Context(), func(context.Context) {}) {
			t.Error("the places were not given back")
		}
		work.Wait()
	})
}
