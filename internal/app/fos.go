package app

import (
	"context"

	"github.com/hello-world-co-op/handoff/internal/config"
	"github.com/hello-world-co-op/handoff/internal/datastore"
	"github.com/hello-world-co-op/handoff/internal/handoff"
	"github.com/hello-world-co-op/handoff/internal/health"
	"github.com/hello-world-co-op/handoff/internal/httpapi"
	"github.com/hello-world-co-op/handoff/internal/httpapi/fosapi"
	"github.com/hello-world-co-op/handoff/internal/httpapi/pages"
	"github.com/hello-world-co-op/handoff/internal/leaving"
	"github.com/hello-world-co-op/handoff/internal/peer"
	"github.com/hello-world-co-op/handoff/internal/privacy"
	"github.com/hello-world-co-op/handoff/internal/session"
	"github.com/hello-world-co-op/handoff/internal/signin"
	"github.com/hello-world-co-op/handoff/internal/token"
	"github.com/hello-world-co-op/handoff/internal/user"
)

// fosHalf is what the DAO half of the same process may use of this one: that it can be
// told what has ended, and nothing else (I14).
type fosHalf struct {
	leaving *leaving.FOS
	courier *leaving.Courier
	// peerWatch sees what is told to the other half.
	peerWatch peer.Watch
}

func (a *App) buildFOS(ctx context.Context, dao *daoHalf) (*fosHalf, error) {
	c, o, figures := a.config.FOS, a.options, a.newFigures(datastore.FOS)
	pool, err := a.openPostgres(ctx, datastore.FOS, c.DatabaseURL, figures.watch("postgres"))
	if err != nil {
		return nil, err
	}
	redis, redisCheck, err := a.openRedis(c.RedisURL, figures.watch("redis"))
	if err != nil {
		return nil, err
	}
	a.poolFigures(datastore.FOS, pool, redis)
	signer, err := a.newSigner(c.JWT)
	if err != nil {
		return nil, err
	}
	limits, err := a.newLimits("fos", redis, jwtKeys(c.JWT))
	if err != nil {
		return nil, err
	}
	accounts, store := signin.NewFOSStore(pool), handoff.NewFOSStore(pool)
	accounts.Book, store.Book = figures.book, figures.book
	a.queueFigures(datastore.FOS, figures, store, accounts)
	sessions := signin.NewFOS(signin.FOSConfig{
		Store: accounts, Passwords: user.Passwords{Log: o.Log, Hasher: a.hasher}, Signer: signer,
		ElevatedRoles: c.ElevatedRoles == config.ElevatedRolesAllow, Anchored: a.config.CookieSecure,
		Now: o.Now, Random: o.Random, Log: o.Log,
	})
	a.wait = append(a.wait, sessions.Wait)
	checks := health.New(map[string]health.Check{"postgres": a.postgresCheck(pool), "redis": redisCheck})
	edge := a.edge("fos", c.AllowedOrigins, checks)
	sealer, err := token.NewSealer(jwtKeys(c.JWT), o.Random)
	if err != nil {
		return nil, err
	}
	login := handoff.NewLogin(handoff.LoginConfig{
		Exchanger: a.exchanger(dao, figures), Store: store, Signer: signer, Target: c.ExpectedTarget,
		Parking: token.NewParking(redis), Sealer: sealer, Unbound: handoff.Unbound(c.Unbound),
		ElevatedRoles: c.ElevatedRoles == config.ElevatedRolesAllow, Now: o.Now, Random: o.Random, Log: o.Log, Progress: figures.progress,
	})
	a.wait = append(a.wait, login.Wait)
	a.metrics.Unresolved("fos", login.Unresolved)
	uses := a.tokenUse(store)
	half, err := a.newFOSHalf(ctx, pool, figures)
	if err != nil {
		return nil, err
	}
	api := fosapi.Config{
		Edge: edge, Login: login,
		Starter:  &handoff.Starter{URLs: c.StartURLs, Target: c.ExpectedTarget, Random: o.Random},
		Sessions: sessions, Logins: limits.logins, Limiter: limits.limiter, ArrivalLimit: limits.Arrival, Arrivals: a.arrivals(),
		Bearers: a.bearers(edge, limits, uses), Leaving: half.leaving, Left: half.courier.Nudge,
		CookieSecure: a.config.CookieSecure, PublicPrefix: c.PublicPrefix,
		Details: a.withTokenUse(uses, a.details(datastore.FOS, pool, map[string][]string{
			"service_token": a.serviceIDs(), "pseudonym": keyIDs(a.config.PseudonymKeys),
			"jwt": secretIDs(append([]privacy.Secret{c.JWT.Key}, c.JWT.Previous...)),
		})),
	}
	if err := a.listenFOS(ctx, api); err != nil {
		return nil, err
	}
	return half, a.listenAuthz(ctx, api, uses.Note, a.postgresCheck(pool))
}

func (a *App) listenFOS(ctx context.Context, api fosapi.Config) error {
	routes := fosapi.Routes(api)
	routes = append(append(routes, a.founderyOS()...), a.fosDocs()...)
	return a.listen(ctx, listening{"fos", a.config.FOS.Addr, httpapi.New(api.Edge, routes), api.Edge.Health, api.Edge.Connections})
}

// founderyOS are the pages for people: development only.
func (a *App) founderyOS() []httpapi.Route {
	if a.config.Environment != config.Development {
		return nil
	}
	site := pages.FounderyOS(a.pages())
	return append(pageRoutes(site, "/", "/cross-domain", "/assets/*"), landingRoute(site))
}

// exchanger is the seam between the halves: over HTTP where the other half's
// address is configured, else in this process.
func (a *App) exchanger(dao *daoHalf, figures figures) handoff.Exchanger {
	c := a.config.FOS
	switch {
	case len(a.config.ServiceTokens) == 0:
		return handoff.Disabled{}
	case c.OracleBridgeURL != "":
		peer := handoff.NewPeer(handoff.PeerConfig{
			BaseURL: c.OracleBridgeURL, ServiceToken: a.config.ServiceTokens[0], AssumeEmailVerified: c.PeerVerifiesEmail,
			Watch: figures.peerWatch(),
		})
		a.closers = append(a.closers, func() error { peer.CloseIdle(); return nil })
		return peer
	}
	return handoff.InProcess{Exchanging: dao.exchange, Uses: dao.uses, Caller: handoff.Caller{
		KeyID: a.config.ServiceTokens[0].KeyID(), Targets: a.config.DAO.ServiceTokenTargets,
	}}
}

// arrivals are the places of those who wait for the DAO half where that is another
// process. In the same one they share its fate, and its places.
func (a *App) arrivals() *httpapi.Admission {
	if a.config.FOS.OracleBridgeURL == "" {
		return nil
	}
	return a.admission.Apart()
}

func (a *App) newSigner(c config.JWT) (*session.Signer, error) {
	return session.NewSigner(session.Config{
		Key: c.Key, Previous: c.Previous, Issuer: c.Issuer, Audience: c.Audience,
		AccessTTL: c.AccessTTL, RefreshTTL: c.RefreshTTL, Now: a.options.Now, Random: a.options.Random,
	})
}

// jwtKeys are the signing keys in the form from which subkeys are derived.
func jwtKeys(c config.JWT) []privacy.Key {
	var keys []privacy.Key
	for _, secret := range append([]privacy.Secret{c.Key}, c.Previous...) {
		if key, err := privacy.NewKey([]byte(secret.Reveal())); err == nil { // config refuses shorter ones
			keys = append(keys, key)
		}
	}
	return keys
}
