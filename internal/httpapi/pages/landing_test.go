package pages_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/hello-world-co-op/handoff/internal/httpapi/pages"
)

// posts sends a form to the landing page, as another site's page would.
func posts(t *testing.T, form, media string) *http.Response {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/cross-domain?token="+strings.Repeat("e", 64), strings.NewReader(form))
	if media != "" {
		r.Header.Set("Content-Type", media)
	}
	r.Header.Set("Origin", "null")
	r.AddCookie(&http.Cookie{Name: "access_token", Value: "somebody"})
	w := httptest.NewRecorder()
	pages.FounderyOS(config()).ServeHTTP(w, r)
	return w.Result()
}

const aForm = "application/x-www-form-urlencoded"

// A token that a form posts is in the page once, where its first script takes it, and in
// no header; nothing else of the page differs, and no cookie is set.
func TestTheLandingPageTakesAPostedToken(t *testing.T) {
	t.Parallel()
	plain := get(t, pages.FounderyOS(config()), "/cross-domain")
	for _, media := range []string{aForm, aForm + "; charset=UTF-8"} {
		answer := posts(t, url.Values{"token": {aToken}}.Encode(), media)
		document := bodyOf(t, answer)
		if want := strings.Replace(plain, `data-state="working"`, `data-state="working" data-token="`+aToken+`"`, 1); answer.StatusCode != http.StatusOK || document != want {
			t.Errorf("%d %s", answer.StatusCode, document)
		}
		if strings.Count(document, aToken) != 1 || len(answer.Cookies()) != 0 || answer.Header.Get("Cache-Control") != "no-store" ||
			answer.Header.Get("Content-Security-Policy") == "" {
			t.Errorf("headers %v", answer.Header)
		}
		for name, values := range answer.Header {
			if strings.Contains(strings.Join(values, " "), aToken) {
				t.Errorf("header %s repeats the token", name)
			}
		}
	}
}

// The attack is to write into the document through the form. What is not a token is told
// in the page's own words: that the link is incomplete.
func TestTheLandingPageTakesNothingElse(t *testing.T) {
	t.Parallel()
	for name, form := range map[string]string{
		"markup":          url.Values{"token": {`"><script>alert(1)</script>`}}.Encode(),
		"a token and so":  url.Values{"token": {aToken + `" onload="x`}}.Encode(),
		"a line more":     url.Values{"token": {aToken + "\n"}}.Encode(),
		"capitals":        url.Values{"token": {strings.ToUpper(aToken)}}.Encode(),
		"two":             url.Values{"token": {aToken, aToken}}.Encode(),
		"another field":   url.Values{"token": {aToken}, "evil": {"1"}}.Encode(),
		"another name":    url.Values{"evil": {aToken}}.Encode(),
		"nothing":         "",
		"no form":         "%zz=%",
		"more than a KiB": "token=" + aToken + "&x=" + strings.Repeat("y", 2<<10),
	} {
		answer := posts(t, form, aForm)
		document := bodyOf(t, answer)
		if answer.StatusCode != http.StatusOK || !strings.Contains(document, `data-token=""`) || strings.Contains(document, "alert(1)") ||
			strings.Contains(document, "onload") || strings.Contains(document, aToken) {
			t.Errorf("%s: %d %s", name, answer.StatusCode, document)
		}
	}
	for _, media := range []string{"", "application/json", "text/plain", "multipart/form-data; boundary=x", ";"} {
		if answer := posts(t, url.Values{"token": {aToken}}.Encode(), media); answer.StatusCode != http.StatusUnsupportedMediaType {
			t.Errorf("%q: %d", media, answer.StatusCode)
		}
	}
	if answer := request(t, pages.ThinkTank(config()), http.MethodPost, "/"); answer.StatusCode != http.StatusMethodNotAllowed {
		t.Errorf("think-tank takes a form: %d", answer.StatusCode)
	}
}
