package app

import (
	"context"
	"io"
	"time"

	"github.com/google/uuid"

	"github.com/hello-world-co-op/handoff/internal/datastore"
	"github.com/hello-world-co-op/handoff/internal/leaving"
	"github.com/hello-world-co-op/handoff/internal/peer"
	"github.com/hello-world-co-op/handoff/internal/privacy"
	"github.com/hello-world-co-op/handoff/internal/tracing"
)

// newCourier makes the courier of a half, which has nobody to tell yet.
func (a *App) newCourier(ctx context.Context, half datastore.Half, databaseURL privacy.Secret) (*leaving.Courier, error) {
	pool, err := datastore.OpenAside(ctx, databaseURL, a.kept())
	if err != nil {
		return nil, err
	}
	a.closers = append(a.closers, func() error { a.closePool(half, pool); return nil })
	outbox := leaving.NewDAOOutbox
	if half == datastore.FOS {
		outbox = leaving.NewFOSOutbox
	}
	courier := leaving.NewCourier(leaving.CourierConfig{
		Outbox: outbox(pool), Pause: pause, Log: a.options.Log.With("half", string(half)),
		Jitter: a.jitter, Watch: a.tellWatch(half),
	})
	a.metrics.Endings(string(half), func() (int, time.Duration) {
		queue := courier.Queue()
		return queue.Length, queue.Oldest
	}, courier.Failures)
	a.couriers = append(a.couriers, courier)
	a.wait = append(a.wait, courier.Stop)
	return courier, nil
}

// tellWatch traces the rounds of a half's courier. One that tells of several hand-offs names
// none of them.
func (a *App) tellWatch(half datastore.Half) func(context.Context, []uuid.UUID) (context.Context, func(error)) {
	return func(ctx context.Context, ids []uuid.UUID) (context.Context, func(error)) {
		handoffID := ""
		if len(ids) == 1 {
			handoffID = ids[0].String()
		}
		return a.tracer.Work(ctx, tracing.Work{Half: string(half), Name: "tell endings", HandoffID: handoffID})
	}
}

// newDAOHalf makes a half that can end hand-offs and hear of their end.
func (a *App) newDAOHalf(ctx context.Context, pool *datastore.Postgres, figures figures) (*daoHalf, error) {
	courier, err := a.newCourier(ctx, datastore.DAO, a.config.DAO.DatabaseURL)
	store := leaving.NewDAOStore(pool)
	store.Book = figures.book
	hears := leaving.NewDAO(leaving.DAOConfig{Store: store, Now: a.options.Now})
	return &daoHalf{leaving: hears, courier: courier, peerWatch: figures.peerWatch()}, err
}

// newFOSHalf is newDAOHalf for the other one.
func (a *App) newFOSHalf(ctx context.Context, pool *datastore.Postgres, figures figures) (*fosHalf, error) {
	courier, err := a.newCourier(ctx, datastore.FOS, a.config.FOS.DatabaseURL)
	store := leaving.NewFOSStore(pool)
	store.Book = figures.book
	hears := leaving.NewFOS(leaving.FOSConfig{Store: store, Now: a.options.Now})
	return &fosHalf{hears, courier, figures.peerWatch()}, err
}

// introduce tells each half's courier where the other half is: at its address where one
// is configured, else in this process, else nowhere. Without a service token there are no
// hand-offs (I3).
func (a *App) introduce(dao *daoHalf, fos *fosHalf) {
	if len(a.config.ServiceTokens) == 0 {
		return
	}
	if dao != nil {
		switch {
		case a.config.DAO.FounderyOSURL != "":
			dao.courier.Teller = a.tellOver(a.config.DAO.FounderyOSURL, leaving.EndPath, dao.peerWatch)
		case fos != nil:
			dao.courier.Teller = leaving.InProcess{Hear: fos.leaving.End}
		}
	}
	if fos != nil {
		switch {
		case a.config.FOS.OracleBridgeURL != "":
			fos.courier.Teller = a.tellOver(a.config.FOS.OracleBridgeURL, leaving.EndedPath, fos.peerWatch)
		case dao != nil:
			fos.courier.Teller = leaving.InProcess{Hear: dao.leaving.Ended, Targets: a.config.DAO.ServiceTokenTargets}
		}
	}
}

func (a *App) tellOver(baseURL, path string, watch peer.Watch) *leaving.Peer {
	other := leaving.NewPeer(baseURL, path, a.config.ServiceTokens[0])
	other.Watch = watch
	a.closers = append(a.closers, func() error { other.CloseIdle(); return nil })
	return other
}

// jitter is [leaving.CourierConfig]'s.
func (a *App) jitter(d time.Duration) time.Duration {
	var chance [1]byte
	_, _ = io.ReadFull(a.options.Random, chance[:]) // without it all wait alike
	return d - d/2*time.Duration(chance[0])/256
}

// pause is [leaving.CourierConfig]'s.
func pause(ctx context.Context, d time.Duration, wake <-chan struct{}) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-wake:
	case <-ctx.Done():
	}
}
