package fosapi_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/hello-world-co-op/handoff/internal/testkit"
)

// The attack on every unsafe endpoint: another site makes the person's browser send
// the request, here to sign them in as somebody else or out.
func TestRequestsThatAnotherSiteMakesABrowserSendAreRefused(t *testing.T) {
	t.Parallel()
	s := testkit.Start(t, testkit.Options{})
	staging := s.Process(t, map[string]string{"ENVIRONMENT": "staging", "SHUTDOWN_DELAY": "0s"})
	with, front := header("X-Requested-With", "test"), header("Origin", "https://"+testkit.Target)
	for name, story := range map[string]struct {
		fosURL  string
		headers []testkit.Header
		code    string // "" lets the request pass
	}{
		"no X-Requested-With":             {s.FOSURL, nil, "csrf_failed"},
		"an empty X-Requested-With":       {s.FOSURL, []testkit.Header{front}, "csrf_failed"},
		"no Origin, as from a program":    {s.FOSURL, []testkit.Header{with}, ""},
		"the front end's Origin":          {s.FOSURL, []testkit.Header{with, front}, ""},
		"from the same site":              {s.FOSURL, []testkit.Header{with, header("Sec-Fetch-Site", "same-site")}, ""},
		"cross-site without an Origin":    {s.FOSURL, []testkit.Header{with, header("Sec-Fetch-Site", "cross-site")}, "origin_not_allowed"},
		"a foreign Origin":                {s.FOSURL, []testkit.Header{with, header("Origin", "https://evil.test")}, "origin_not_allowed"},
		"the front end over plain HTTP":   {s.FOSURL, []testkit.Header{with, header("Origin", "http://"+testkit.Target)}, "origin_not_allowed"},
		"a name that begins like it":      {s.FOSURL, []testkit.Header{with, header("Origin", "https://"+testkit.Target+".evil.test")}, "origin_not_allowed"},
		"null":                            {s.FOSURL, []testkit.Header{with, header("Origin", "null")}, "origin_not_allowed"},
		"two Origins, one of them good":   {s.FOSURL, []testkit.Header{with, front, header("Origin", "https://evil.test")}, "origin_not_allowed"},
		"the DAO half's front end":        {s.FOSURL, []testkit.Header{with, header("Origin", "https://think-tank.test")}, "origin_not_allowed"},
		"our own page in development":     {s.FOSURL, []testkit.Header{with, header("Origin", s.FOSURL)}, ""},
		"the page of the other half":      {s.FOSURL, []testkit.Header{with, header("Origin", s.DAOURL)}, "origin_not_allowed"},
		"our own page in staging":         {staging.FOSURL, []testkit.Header{with, header("Origin", staging.FOSURL)}, "origin_not_allowed"},
		"the front end's in staging":      {staging.FOSURL, []testkit.Header{with, front}, ""},
		"a rebound name in development":   {s.FOSURL, []testkit.Header{with, header("Origin", "http://rebound.test:"+portOf(s.FOSURL))}, "origin_not_allowed"},
		"an Origin with a path":           {s.FOSURL, []testkit.Header{with, header("Origin", "https://"+testkit.Target+"/")}, "origin_not_allowed"},
		"a good Origin, said cross-site":  {s.FOSURL, []testkit.Header{with, front, header("Sec-Fetch-Site", "cross-site")}, ""},
		"an empty Origin":                 {s.FOSURL, []testkit.Header{with, header("Origin", " ")}, "origin_not_allowed"},
		"neither header, from evil":       {s.FOSURL, []testkit.Header{header("Origin", "https://evil.test")}, "origin_not_allowed"},
		"cross-site and no custom header": {s.FOSURL, []testkit.Header{header("Sec-Fetch-Site", "cross-site")}, "origin_not_allowed"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := s.Browser(t)
			arrival := b.Post(story.fosURL+"/api/v1/auth/cross-domain-login", map[string]any{"token": strings.Repeat("0f", 32)}, story.headers...)
			leaving := b.Post(story.fosURL+"/api/v1/auth/logout", nil, story.headers...)
			if story.code == "" {
				wantInvalid(t, arrival, "invalid", "")
				if leaving.Status != http.StatusNoContent {
					t.Errorf("logout: %d %s", leaving.Status, leaving.Raw)
				}
				return
			}
			wantProblem(t, arrival, http.StatusForbidden, story.code)
			wantProblem(t, leaving, http.StatusForbidden, story.code)
		})
	}
}

func portOf(url string) string { return url[strings.LastIndex(url, ":")+1:] }

// Reading is no change, so that Fetch Metadata does not stop it; but who the person
// is, no foreign page is told.
func TestWhoIsSignedInIsNotToldToAForeignOrigin(t *testing.T) {
	t.Parallel()
	s := testkit.Start(t, testkit.Options{})
	ada := s.SignIn(t, s.Member(t, "ada@example.org"))
	arrived(t, ada.Arrive(ada.MintToken()))
	me := s.FOSURL + "/api/v1/auth/me"
	wantProblem(t, ada.Get(me, header("Origin", "https://evil.test")), http.StatusForbidden, "origin_not_allowed")
	good := ada.Get(me, header("Origin", "https://"+testkit.Target))
	if good.Status != http.StatusOK || good.Header.Get("Access-Control-Allow-Origin") != "https://"+testkit.Target ||
		good.Header.Get("Access-Control-Allow-Credentials") != "true" {
		t.Errorf("for the front end: %d %v", good.Status, good.Header)
	}
}

// The protocol's order: disabled, then the guards against other sites, then the
// body, then the stores.
func TestChecksComeInTheProtocolsOrder(t *testing.T) {
	t.Parallel()
	s := testkit.Start(t, testkit.Options{}).Linked(t, nil)
	disabled := s.Process(t, map[string]string{"CROSS_DOMAIN_SERVICE_TOKEN": ""})
	s.FOSPostgres.Cut()
	s.DAOPostgres.Cut()
	s.RedisLink.Cut()
	evil, with := header("Origin", "https://evil.test"), header("X-Requested-With", "test")
	text := header("Content-Type", "text/plain")
	login := "/api/v1/auth/cross-domain-login"
	b := s.Browser(t)
	wantProblem(t, b.Post(disabled.FOSURL+login, "no JSON", evil, text), http.StatusServiceUnavailable, "exchange_disabled")
	wantProblem(t, b.Post(s.FOSURL+login, "no JSON", evil, text), http.StatusForbidden, "origin_not_allowed")
	wantProblem(t, b.Post(s.FOSURL+login, "no JSON", text), http.StatusForbidden, "csrf_failed")
	wantProblem(t, b.Post(s.FOSURL+login, "no JSON", with, text), http.StatusUnsupportedMediaType, "unsupported_media_type")
	wantProblem(t, b.Post(s.FOSURL+login, "no JSON", with), http.StatusBadRequest, "invalid_request")
	wantProblem(t, arriveAt(b, s.FOSURL, strings.Repeat("0f", 32)), http.StatusServiceUnavailable, "dependency_unavailable")
}
