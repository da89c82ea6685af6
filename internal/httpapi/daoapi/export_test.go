package daoapi

import "github.com/hello-world-co-op/handoff/internal/handoff"

// Bodies are the structs that this half takes and gives, by the name of the published
// schema that describes each.
var Bodies = map[string]any{
	"MintRequest": mintBody{}, "Minted": mintAnswer{}, "ExchangeRequest": handoff.ExchangeBody{}, "Claims": handoff.ClaimsBody{},
	"Login": loginAnswer{}, "Session": sessionAnswer{}, "Nobody": nobodyAnswer{}, "CSRF": csrfAnswer{}, "Refreshed": refreshAnswer{},
	"LoggedOut": logoutAnswer{}, "Handoffs": handoffsAnswer{}, "Handoff": listedHandoff{},
}
