package daoapi_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/hello-world-co-op/handoff/internal/testkit"
)

// A request that is wrong in several ways hears of the first: 503 exchange_disabled,
// then the bearer, or the session, csrf value and Origin, then 415, 413 and 400,
// then what the stores say. Each row mends one fault and meets the next.
func TestOrder_exchange(t *testing.T) {
	t.Parallel()
	s := testkit.Start(t, testkit.Options{}).Linked(t, nil)
	disabled := s.Process(t, map[string]string{"CROSS_DOMAIN_SERVICE_TOKEN": ""})
	token := s.SignIn(t, s.Member(t, "ada@example.org")).MintToken()
	s.DAOPostgres.Cut()
	s.RedisLink.Cut()
	var (
		evil    = header("Origin", "https://evil.test")
		text    = header("Content-Type", "text/plain")
		badKey  = key("short")
		large   = `{"token":1,` + strings.Repeat(" ", 8192)
		broken  = `{"token":1,`
		bad     = `{"token":"x"}`
		good    = `{"token":"` + token + `"}`
		goodKey = key(firstKey)
	)
	for _, row := range []struct {
		url, body string
		headers   []testkit.Header
		status    int
		code      string
	}{
		{disabled.DAOURL, large, []testkit.Header{evil, text, badKey}, 503, "exchange_disabled"},
		{s.DAOURL, large, []testkit.Header{evil, text, badKey}, 401, "invalid_service_token"},
		{s.DAOURL, large, []testkit.Header{bearer, evil, text, badKey}, 403, "origin_not_allowed"},
		{s.DAOURL, large, []testkit.Header{bearer, text, badKey}, 415, "unsupported_media_type"},
		{s.DAOURL, large, []testkit.Header{bearer, badKey}, 413, "body_too_large"},
		{s.DAOURL, broken, []testkit.Header{bearer, badKey}, 400, "invalid_request"},
		{s.DAOURL, bad, []testkit.Header{bearer, badKey}, 400, "invalid_request"},
		{s.DAOURL, bad, []testkit.Header{bearer, goodKey}, 400, "token_malformed"},
		{s.DAOURL, good, []testkit.Header{bearer, goodKey}, 503, "dependency_unavailable"},
	} {
		answer := s.Browser(t).Post(row.url+exchangePath, row.body, row.headers...)
		wantProblem(t, answer, row.status, row.code, "exchange")
	}
}

func TestOrder_mint(t *testing.T) {
	t.Parallel()
	s := testkit.Start(t, testkit.Options{}).Linked(t, nil)
	ada := s.SignIn(t, s.Member(t, "ada@example.org"))
	s.DAOPostgres.Cut()
	s.RedisLink.Cut()
	var (
		evil     = header("Origin", "https://evil.test")
		text     = header("Content-Type", "text/plain")
		csrf     = header("X-CSRF-Token", ada.CSRF)
		large    = `{"entry_product":1,` + strings.Repeat(" ", 8192)
		broken   = `{"entry_product":1,`
		unknown  = `{"entry_product":"casino"}`
		good     = `{"entry_product":"dao"}`
		stranger = s.Browser(t)
	)
	for _, row := range []struct {
		browser *testkit.Browser
		body    string
		headers []testkit.Header
		status  int
		code    string
	}{
		{stranger, large, []testkit.Header{evil, text}, 403, "origin_not_allowed"},
		{stranger, large, []testkit.Header{text}, 401, "session_required"},
		{ada, large, []testkit.Header{text}, 403, "csrf_failed"},
		{ada, large, []testkit.Header{csrf, text}, 415, "unsupported_media_type"},
		{ada, large, []testkit.Header{csrf}, 413, "body_too_large"},
		{ada, broken, []testkit.Header{csrf}, 400, "invalid_request"},
		{ada, unknown, []testkit.Header{csrf}, 400, "invalid_request"},
		{ada, good, []testkit.Header{csrf}, 503, "dependency_unavailable"},
	} {
		wantProblem(t, row.browser.Post(s.DAOURL+mintPath, row.body, row.headers...), row.status, row.code, "mint")
	}
}

// What is refused before the stores are asked has touched none of them: every
// request here is answered as it should be with both of them cut off.
func TestHostileBodies_touchNoStore(t *testing.T) {
	t.Parallel()
	s := testkit.Start(t, testkit.Options{}).Linked(t, nil)
	ada := s.SignIn(t, s.Member(t, "ada@example.org"))
	token := ada.MintToken()
	before := stored(t, s.Service)
	s.DAOPostgres.Cut()
	s.RedisLink.Cut()
	csrf := header("X-CSRF-Token", ada.CSRF)
	for name, body := range map[string]string{
		"a key twice": `{"token":"` + token + `","token":"` + token + `"}`, "an unknown field": `{"token":"` + token + `","admin":true}`,
		"another case": `{"Token":"` + token + `"}`, "trailing data": `{"token":"` + token + `"}{}`, "null": "null", "a list": `["` + token + `"]`,
		"deep nesting": `{"token":` + strings.Repeat("[", 8000), "not UTF-8": "{\"token\":\"\xff\"}", "a byte order mark": "\ufeff{\"token\":\"" + token + `"}`,
		"a number": "1", "nothing": " ", "a form": "token=" + token, "a wrong type": `{"token":["` + token + `"]}`, "HTML": "<script>",
	} {
		wantProblem(t, ada.Post(s.DAOURL+exchangePath, body, bearer), http.StatusBadRequest, "invalid_request", "exchange")
		wantProblem(t, ada.Post(s.DAOURL+mintPath, strings.ReplaceAll(body, "token", "entry_product"), csrf), http.StatusBadRequest, "invalid_request", "mint")
		if strings.Contains(s.Log.String(), token) {
			t.Fatalf("I6: %s: the token is in the log", name)
		}
	}
	for _, h := range []testkit.Header{header("Content-Encoding", "gzip"), header("Content-Type", "application/x-www-form-urlencoded"), header("Content-Type", "text/plain")} {
		body := `{"token":"` + token + `"}`
		wantProblem(t, ada.Post(s.DAOURL+exchangePath, body, bearer, h), http.StatusUnsupportedMediaType, "unsupported_media_type", "exchange")
	}
	for _, k := range []string{strings.Repeat("k", 15), strings.Repeat("k", 129), firstKey + " x"} {
		answer := present(ada, s.DAOURL, token, nil, key(k))
		wantProblem(t, answer, http.StatusBadRequest, "invalid_request", "exchange")
		if !strings.Contains(answer.Raw, `"field":"Idempotency-Key"`) {
			t.Errorf("key of %d: %s", len(k), answer.Raw)
		}
	}
	wantProblem(t, ada.Do(http.MethodPut, s.DAOURL+exchangePath, nil, bearer), http.StatusMethodNotAllowed, "method_not_allowed", "")
	wantProblem(t, ada.Get(s.DAOURL+"/api/staging_token"), http.StatusNotFound, "not_found", "")
	wantProblem(t, ada.Post(s.DAOURL+exchangePath, nil, bearer, header("X-Large", strings.Repeat("v", 17<<10))), 431, "headers_too_large", "")
	if stored(t, s.Service) != before {
		t.Error("a store was touched")
	}
}

// I13 and the logout: an endpoint without fields takes no body, or an empty object.
func TestLogout_takesNoBodyOrNothingInIt(t *testing.T) {
	t.Parallel()
	s := testkit.Start(t, testkit.Options{})
	ada := s.SignIn(t, s.Member(t, "ada@example.org"))
	csrf := header("X-CSRF-Token", ada.CSRF)
	for body, code := range map[string]string{`{"everywhere":true}`: "invalid_request", "null": "invalid_request", strings.Repeat(" ", 9000): "body_too_large"} {
		if answer := ada.Post(s.DAOURL+logoutPath, body, csrf); answer.Code() != code {
			t.Errorf("%.20q: %d %s", body, answer.Status, answer.Code())
		}
	}
	wantOK(t, ada.Post(s.DAOURL+logoutPath, `{}`, csrf))
}
