package handoff

import (
	"io"
	"net/url"

	"github.com/hello-world-co-op/handoff/internal/token"
)

// Starter is the use case "begin a journey here": the browser gets a verifier of its
// own, and the DAO half's front end is told its challenge, which it hands to mint. The
// token that comes back is good in this browser only.
//
// The attack that this closes is login CSRF: a stranger mints a token for their own
// account and makes somebody else's browser open the link, who then works, and pays, in
// the stranger's account. (The idea is PKCE's, RFC 7636, for a journey without a client.)
type Starter struct {
	// URLs are the DAO half's front ends by entry product.
	URLs map[string]*url.URL
	// Target is the domain that the token shall be good for.
	Target string
	Random io.Reader
}

// StartRequest asks for a journey. Held is the verifier that the browser has from an
// earlier start, if any: a second tab must not spoil the first one's journey.
type StartRequest struct {
	EntryProduct string
	ReturnPath   *string
	Held         token.Verifier
}

// Started is where the browser goes, and what it takes along in a cookie.
type Started struct {
	Location string
	Verifier token.Verifier
}

// Start returns the way to the front end. Its error is a [*FieldError], or that of the
// random source.
func (s *Starter) Start(request StartRequest) (Started, error) {
	front, known := s.URLs[request.EntryProduct]
	if !known {
		return Started{}, &FieldError{"entry_product", "is none that a journey can begin with"}
	}
	if request.ReturnPath != nil && !ValidReturnPath(*request.ReturnPath) {
		return Started{}, &FieldError{"return_path", "must be a path on the target site, beginning with one slash"}
	}
	verifier := request.Held
	if verifier.IsNone() {
		fresh, err := token.NewVerifier(s.Random)
		if err != nil {
			return Started{}, err
		}
		verifier = fresh
	}
	location := *front
	query := location.Query()
	query.Set("entry_product", request.EntryProduct)
	query.Set("target_domain", s.Target)
	query.Set("challenge", verifier.Challenge())
	if request.ReturnPath != nil {
		query.Set("return_path", *request.ReturnPath)
	}
	location.RawQuery = query.Encode()
	return Started{Location: location.String(), Verifier: verifier}, nil
}
