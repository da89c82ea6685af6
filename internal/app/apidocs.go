package app

import (
	"github.com/hello-world-co-op/handoff/internal/httpapi"
	"github.com/hello-world-co-op/handoff/internal/httpapi/apidoc"
)

// daoDocs serve the description of the DAO half's interface, where that is switched on.
func (a *App) daoDocs() []httpapi.Route {
	return a.apiDocs(apidoc.Config{
		Description: apidoc.DAO(), Folders: []string{""}, Pages: []string{"docs"}, Name: "openapi.json",
	})
}

// fosDocs are the FOS half's, also where a gateway that knows "/api/v1" only leads to.
func (a *App) fosDocs() []httpapi.Route {
	return a.apiDocs(apidoc.Config{
		Description: apidoc.FOS(), Folders: []string{"", "/api/v1"}, Pages: []string{"docs", "redoc"}, Name: "openapi.json",
	})
}

func (a *App) apiDocs(c apidoc.Config) []httpapi.Route {
	if !a.config.APIDocsEnabled {
		return nil
	}
	viewer := apidoc.New(c)
	return pageRoutes(viewer, viewer.Paths()...)
}
