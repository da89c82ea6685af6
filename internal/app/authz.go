package app

import (
	"context"

	"github.com/hello-world-co-op/handoff/internal/config"
	"github.com/hello-world-co-op/handoff/internal/health"
	"github.com/hello-world-co-op/handoff/internal/httpapi"
	"github.com/hello-world-co-op/handoff/internal/httpapi/fosapi"
)

// listenAuthz opens the listener that gateways ask, where one is configured. fos is the
// half that it speaks for; postgres is all that it needs.
//
// It has places of its own: it is asked for every request to every service, and a crowd
// over there must not keep people from signing in here, nor these shut out the services.
// There is no limit by address, which would be the gateway's, and nothing to guess: the
// bearers have 32 random characters or are signed.
func (a *App) listenAuthz(ctx context.Context, fos fosapi.Config, used func(context.Context, string), postgres health.Check) error {
	addr := a.config.FOS.AuthzAddr
	if addr == "" {
		return nil
	}
	checks := health.New(map[string]health.Check{"postgres": postgres})
	edge := a.edge("authz", a.config.FOS.AllowedOrigins, checks)
	edge.Admission, edge.Gateways = a.admission.Apart(), true
	fos.Edge = edge
	routes := fosapi.AuthzRoutes(fosapi.AuthzConfig{Config: fos, Services: services(a.config.FOS.Services), Used: used})
	return a.listen(ctx, listening{"authz", addr, httpapi.New(edge, routes), checks, edge.Connections})
}

func services(configured []config.Service) []httpapi.Service {
	list := make([]httpapi.Service, 0, len(configured))
	for _, s := range configured {
		list = append(list, httpapi.Service{Name: s.Name, Digest: s.Digest})
	}
	return list
}

// serviceIDs are the ids of all bearers, the services' after the other half's.
func (a *App) serviceIDs() []string {
	ids := secretIDs(a.config.ServiceTokens)
	for _, s := range services(a.config.FOS.Services) {
		ids = append(ids, s.KeyID())
	}
	return ids
}
