package fosapi_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hello-world-co-op/handoff/internal/member"
	"github.com/hello-world-co-op/handoff/internal/testkit"
)

func nameless(a *member.Account) { a.DisplayName = nil }

// setCookies are the answer's Set-Cookie headers with the values taken out.
func setCookies(answer testkit.Answer) []string {
	var list []string
	for _, c := range answer.Header.Values("Set-Cookie") {
		name, rest, _ := strings.Cut(c, "=")
		value, attributes, _ := strings.Cut(rest, "; ")
		if value != "" {
			value = "…"
		}
		list = append(list, name+"="+value+"; "+attributes)
	}
	return list
}

func wantSetCookies(t testing.TB, answer testkit.Answer, want ...string) {
	t.Helper()
	if diff := cmp.Diff(want, setCookies(answer)); diff != "" {
		t.Errorf("cookies (-want +got):\n%s", diff)
	}
}

func TestCookiesOverPlainHTTPInDevelopment(t *testing.T) {
	t.Parallel()
	eachWay(t, func(t *testing.T, s *testkit.Service) {
		ada := s.SignIn(t, s.Member(t, "ada@example.org"))
		wantSetCookies(t, arrived(t, ada.Arrive(ada.MintToken())),
			"access_token=…; Path=/; Expires=Sat, 28 Nov 2026 12:00:00 GMT; HttpOnly; SameSite=Lax",
			"refresh_token=…; Path=/api/v1/auth; Expires=Sat, 28 Nov 2026 12:00:00 GMT; HttpOnly; SameSite=Lax")
		wantSetCookies(t, ada.Post(s.FOSURL+"/api/v1/auth/logout", nil, header("X-Requested-With", "test")),
			"access_token=; Path=/; Expires=Thu, 01 Jan 1970 00:00:01 GMT; Max-Age=0; HttpOnly; SameSite=Lax",
			"refresh_token=; Path=/api/v1/auth; Expires=Thu, 01 Jan 1970 00:00:01 GMT; Max-Age=0; HttpOnly; SameSite=Lax")
	})
}

// Behind a gateway that strips /fos, over HTTPS. The prefixes keep a sibling
// subdomain from planting a cookie; one without them counts for nothing here.
func TestCookiesOverHTTPSBehindAGateway(t *testing.T) {
	t.Parallel()
	s := testkit.Start(t, testkit.Options{})
	secure := s.Process(t, fosOnly(s.DAOURL, map[string]string{"COOKIE_SECURE": "true", "FOS_PUBLIC_PREFIX": "/fos"}))
	ada := s.SignIn(t, s.Member(t, "ada@example.org"))
	answer := arrived(t, arriveAt(s.Browser(t), secure.FOSURL, ada.MintToken()))
	wantSetCookies(t, answer,
		"__Host-access_token=…; Path=/; Expires=Sat, 28 Nov 2026 12:00:00 GMT; HttpOnly; Secure; SameSite=Lax",
		"__Secure-refresh_token=…; Path=/fos/api/v1/auth; Expires=Sat, 28 Nov 2026 12:00:00 GMT; HttpOnly; Secure; SameSite=Lax")

	access := answer.Cookie("__Host-access_token").Value
	if me := meAt(t, secure, access); me.Code() != "session_required" {
		t.Errorf("under the name without a prefix: %d %s", me.Status, me.Raw)
	}
	b := s.Browser(t)
	own := header("Cookie", "__Host-access_token="+access)
	if me := b.Get(secure.FOSURL+"/api/v1/auth/me", own); me.Status != http.StatusOK {
		t.Errorf("under its name: %d %s", me.Status, me.Raw)
	}
	wantSetCookies(t, b.Post(secure.FOSURL+"/api/v1/auth/logout", nil, header("X-Requested-With", "test"), own),
		"__Host-access_token=; Path=/; Expires=Thu, 01 Jan 1970 00:00:01 GMT; Max-Age=0; HttpOnly; Secure; SameSite=Lax",
		"__Secure-refresh_token=; Path=/fos/api/v1/auth; Expires=Thu, 01 Jan 1970 00:00:01 GMT; Max-Age=0; HttpOnly; Secure; SameSite=Lax")
}
