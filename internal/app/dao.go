package app

import (
	"context"
	"net/http"

	"github.com/labstack/echo/v4"

	"github.com/hello-world-co-op/handoff/internal/config"
	"github.com/hello-world-co-op/handoff/internal/datastore"
	"github.com/hello-world-co-op/handoff/internal/handoff"
	"github.com/hello-world-co-op/handoff/internal/health"
	"github.com/hello-world-co-op/handoff/internal/httpapi"
	"github.com/hello-world-co-op/handoff/internal/httpapi/daoapi"
	"github.com/hello-world-co-op/handoff/internal/httpapi/pages"
	"github.com/hello-world-co-op/handoff/internal/leaving"
	"github.com/hello-world-co-op/handoff/internal/member"
	"github.com/hello-world-co-op/handoff/internal/peer"
	"github.com/hello-world-co-op/handoff/internal/signin"
	"github.com/hello-world-co-op/handoff/internal/token"
)

// daoHalf is what the FOS half of the same process may use of this one: its
// exchange, and that it can be told what has ended, and nothing else (I14).
type daoHalf struct {
	exchange *handoff.Exchange
	uses     *handoff.TokenUse
	leaving  *leaving.DAO
	courier  *leaving.Courier
	// peerWatch sees what is told to the other half.
	peerWatch peer.Watch
}

func (a *App) buildDAO(ctx context.Context) (*daoHalf, error) {
	c, o, figures := a.config.DAO, a.options, a.newFigures(datastore.DAO)
	pool, err := a.openPostgres(ctx, datastore.DAO, c.DatabaseURL, figures.watch("postgres"))
	if err != nil {
		return nil, err
	}
	redis, redisCheck, err := a.openRedis(c.RedisURL, figures.watch("redis"))
	if err != nil {
		return nil, err
	}
	a.poolFigures(datastore.DAO, pool, redis)
	sealer, err := token.NewSealer(c.SealingKeys, o.Random)
	if err != nil {
		return nil, err
	}
	csrf, err := member.NewCSRF(c.SealingKeys, o.Random)
	if err != nil {
		return nil, err
	}
	rotation, err := member.NewRotation(c.SealingKeys, o.Random)
	if err != nil {
		return nil, err
	}
	limits, err := a.newLimits("dao", redis, c.SealingKeys)
	if err != nil {
		return nil, err
	}
	checks := health.New(map[string]health.Check{"postgres": a.postgresCheck(pool), "redis": redisCheck})
	store, carrier := handoff.NewDAOStore(pool), token.NewCarrier(redis)
	accounts := signin.NewDAOStore(pool)
	store.Book, accounts.Book = figures.book, figures.book
	a.queueFigures(datastore.DAO, figures, store, accounts)
	exchange := a.newExchange(handoff.ExchangeConfig{
		Ledger: store, Carrier: carrier, Sealer: sealer, Now: o.Now, Random: o.Random, Log: o.Log, Progress: figures.progress,
	})
	minter, err := a.newMinter(limits, handoff.MinterConfig{Ledger: store, Carrier: carrier, Sealer: sealer, Progress: figures.progress})
	if err != nil {
		return nil, err
	}
	uses := a.tokenUse(store)
	half, err := a.newDAOHalf(ctx, pool, figures)
	if err != nil {
		return nil, err
	}
	half.exchange, half.uses = exchange, uses
	edge := a.edge("dao", c.AllowedOrigins, checks)
	routes := daoapi.Routes(daoapi.Config{
		Edge: edge, Sessions: a.daoSessions(accounts, rotation),
		Logins: limits.logins, Bearers: a.bearers(edge, limits, uses), Leaving: half.leaving, Left: half.courier.Nudge,
		Minter: minter, Exchange: exchange, CSRF: csrf, ServiceTokenTargets: c.ServiceTokenTargets,
		CookieDomain: c.CookieDomain, CookieSecure: a.config.CookieSecure,
		Details: a.withTokenUse(uses, a.details(datastore.DAO, pool, map[string][]string{
			"service_token": secretIDs(a.config.ServiceTokens), "sealing": keyIDs(c.SealingKeys),
			"pseudonym": keyIDs(a.config.PseudonymKeys),
		})),
	})
	routes = append(routes, a.thinkTank()...)
	routes = append(routes, a.daoDocs()...)
	return half, a.listen(ctx, listening{"dao", c.Addr, httpapi.New(edge, routes), checks, edge.Connections})
}

// newMinter makes the use case: on are its stores and who hears of it, to which comes what is configured.
func (a *App) newMinter(limits limits, on handoff.MinterConfig) (*handoff.Minter, error) {
	mints, err := limits.limiter.Rows(limits.Mint)
	if err != nil {
		return nil, err
	}
	on.Targets, on.EntryProducts, on.Limit = targets(a.config.DAO.Targets), a.config.DAO.EntryProducts, mints
	on.Now, on.Random = a.options.Now, a.options.Random
	return handoff.NewMinter(on), nil
}

func (a *App) daoSessions(accounts *signin.DAOStore, rotation *member.Rotation) *signin.DAO {
	return signin.NewDAO(signin.DAOConfig{
		Store: accounts, Now: a.options.Now, Random: a.options.Random, Rotation: rotation,
		Passwords: member.Passwords{Log: a.options.Log, Hasher: a.hasher},
	})
}

// thinkTank are the pages for people: development only.
func (a *App) thinkTank() []httpapi.Route {
	if a.config.Environment != config.Development {
		return nil
	}
	return pageRoutes(pages.ThinkTank(a.pages()), "/", "/assets/*")
}

func (a *App) newExchange(config handoff.ExchangeConfig) *handoff.Exchange {
	exchange := handoff.NewExchange(config)
	a.metrics.Resurrected(exchange.Resurrected)
	a.metrics.Unresolved("dao", exchange.Unresolved)
	a.wait = append(a.wait, exchange.Wait)
	return exchange
}

// bearers lets the other half in.
func (a *App) bearers(edge httpapi.Config, limits limits, uses *handoff.TokenUse) httpapi.Bearers {
	return httpapi.Bearers{
		Edge: edge, Accepted: a.config.ServiceTokens, Limiter: limits.limiter, Limit: limits.ExchangeFailures, Used: uses.Note,
	}
}

func targets(configured []config.Target) []handoff.Target {
	list := make([]handoff.Target, 0, len(configured))
	for _, t := range configured {
		list = append(list, handoff.Target{Domain: t.Domain, LandingURL: t.LandingURL})
	}
	return list
}

// pages says where the two demonstration pages find each other.
func (a *App) pages() pages.Config {
	links := pages.Config{ThinkTankURL: "http://think-tank.localhost:8787", FounderyOSURL: "http://founderyos.localhost:8000"}
	if a.config.FOS.FrontendURL != "" {
		links.FounderyOSURL = a.config.FOS.FrontendURL
	}
	if origins := a.config.DAO.AllowedOrigins; len(origins) > 0 {
		links.ThinkTankURL = origins[0]
	}
	if a.config.FOS.StartURLs["think-tank"] != nil {
		links.StartURL = "api/v1/auth/cross-domain/start?entry_product=think-tank"
	}
	return links
}

// pageRoutes serves pages. Long answers to slow readers must hold nobody's place.
func pageRoutes(handler http.Handler, paths ...string) []httpapi.Route {
	return []httpapi.Route{{Method: http.MethodGet, Paths: paths, Page: true, Handle: echo.WrapHandler(handler)}}
}

// landingRoute takes the forms of other sites: whoever minted chose form_post.
func landingRoute(handler http.Handler) httpapi.Route {
	return httpapi.Route{Method: http.MethodPost, Paths: []string{"/cross-domain"}, Always: true, Handle: echo.WrapHandler(handler)}
}
