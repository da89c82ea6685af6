package app

import (
	"encoding/json"
	"fmt"

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

// apiDocs are c's, and the list of error codes beside the description.
func (a *App) apiDocs(c apidoc.Config) []httpapi.Route {
	if !a.config.APIDocsEnabled {
		return nil
	}
	codes, err := json.Marshal(map[string]any{"codes": httpapi.Codes()})
	if err != nil {
		panic(fmt.Sprintf("app: %v", err)) // of the build: the codes are the program's own
	}
	c.Errors = codes
	viewer := apidoc.New(c)
	return pageRoutes(viewer, viewer.Paths()...)
}
