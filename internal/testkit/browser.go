package testkit

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"io"
	"net/http"
	"net/http/cookiejar"
	"testing"
)

var randomReader = rand.Reader

// Browser is a person's browser: a cookie jar and the CSRF value its page read.
// It is safe for concurrent use once FetchCSRF has returned.
type Browser struct {
	t       testing.TB
	service *Service
	client  *http.Client
	CSRF    string
}

// Browser opens a browser without any cookie.
func (s *Service) Browser(t testing.TB) *Browser {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	transport := &http.Transport{MaxIdleConnsPerHost: 64}
	t.Cleanup(transport.CloseIdleConnections)
	return &Browser{t: t, service: s, client: &http.Client{
		Jar: clockedJar{jar, s.Clock}, Transport: transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// Through sends what comes over transport, which knows a gateway's certificate.
func (b *Browser) Through(transport http.RoundTripper) { b.client.Transport = transport }

// SetCookie plants a cookie.
func (b *Browser) SetCookie(siteURL, name, value string) {
	b.client.Jar.SetCookies(mustParse(siteURL), []*http.Cookie{{Name: name, Value: value, Path: "/"}})
}

// Cookie returns the value of a cookie that the browser would send to url.
func (b *Browser) Cookie(url, name string) string {
	for _, c := range b.client.Jar.Cookies(mustParse(url)) {
		if c.Name == name {
			return c.Value
		}
	}
	return ""
}

// Answer is what came back.
type Answer struct {
	Status  int
	Header  http.Header
	Body    map[string]any
	Raw     string
	Cookies []*http.Cookie
}

// Code is the problem's code, "" when the answer is none.
func (a Answer) Code() string { return a.Text("code") }

// Text is a member of the body that is a string, else "".
func (a Answer) Text(name string) string {
	text, _ := a.Body[name].(string)
	return text
}

// Cookie returns the cookie that the answer sets, nil if it does not.
func (a Answer) Cookie(name string) *http.Cookie {
	for _, c := range a.Cookies {
		if c.Name == name {
			return c
		}
	}
	return nil
}

// Header is one header of a request: name and value.
type Header struct{ Name, Value string }

// Get asks with GET.
func (b *Browser) Get(url string, headers ...Header) Answer {
	return b.Do(http.MethodGet, url, nil, headers...)
}

// Post sends body: a string as it is, anything else as JSON, nil as no body.
// Content-Type is application/json unless a header says otherwise.
func (b *Browser) Post(url string, body any, headers ...Header) Answer {
	return b.Do(http.MethodPost, url, body, headers...)
}

// Do sends one request. A header with an empty value is left out.
func (b *Browser) Do(method, url string, body any, headers ...Header) Answer {
	b.t.Helper()
	answer, err := b.Try(context.Background(), method, url, body, headers...)
	if err != nil {
		b.t.Error(err)
	}
	return answer
}

// Try is Do for requests that may get no answer. Whatever is answered has to be as
// published.
func (b *Browser) Try(ctx context.Context, method, url string, body any, headers ...Header) (Answer, error) {
	sent, err := textOf(body)
	if err != nil {
		return Answer{}, err
	}
	var reader io.Reader
	if body != nil {
		reader = bytes.NewReader(sent)
	}
	request, err := http.NewRequestWithContext(ctx, method, url, reader)
	if err != nil {
		return Answer{}, err
	}
	if body != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	for _, h := range headers {
		if h.Value == "" {
			request.Header.Del(h.Name)
			continue
		}
		request.Header.Add(h.Name, h.Value)
		if h.Name == "Content-Type" {
			request.Header.Set(h.Name, h.Value)
		}
	}
	response, err := b.client.Do(request)
	if err != nil {
		return Answer{}, err
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		return Answer{}, err
	}
	answer := Answer{Status: response.StatusCode, Header: response.Header, Raw: string(text), Cookies: response.Cookies()}
	_ = json.Unmarshal(text, &answer.Body) // an answer that is no object has no members
	if err := asPublished(request, sent, answer); err != nil {
		b.t.Error(err)
	}
	return answer, nil
}

func textOf(body any) ([]byte, error) {
	switch body := body.(type) {
	case nil:
		return nil, nil
	case string:
		return []byte(body), nil
	}
	return json.Marshal(body)
}

// FetchCSRF reads the CSRF value as a page would.
func (b *Browser) FetchCSRF() {
	b.t.Helper()
	answer := b.Get(b.service.DAOURL + "/api/auth/csrf-token")
	b.CSRF = answer.Text("csrf_token")
	if b.CSRF == "" {
		b.t.Fatalf("no csrf token: %d %s", answer.Status, answer.Raw)
	}
}

// Mint asks for a token; fields add to or replace {"entry_product": "think-tank"}.
func (b *Browser) Mint(fields map[string]any, headers ...Header) Answer {
	b.t.Helper()
	body := map[string]any{"entry_product": "think-tank"}
	for name, value := range fields {
		body[name] = value
	}
	return b.Post(b.service.DAOURL+"/api/staging_token/mint", body, append([]Header{{"X-CSRF-Token", b.CSRF}}, headers...)...)
}

// MintToken is Mint for tests that are about what comes after.
func (b *Browser) MintToken() string {
	b.t.Helper()
	answer := b.Mint(nil)
	if answer.Status != http.StatusOK {
		b.t.Fatalf("mint: %d %s", answer.Status, answer.Raw)
	}
	return answer.Text("token")
}

// Exchange presents a token to the DAO half as the other half does.
func (b *Browser) Exchange(token string, headers ...Header) Answer {
	b.t.Helper()
	return b.Post(b.service.DAOURL+"/api/staging_token/exchange", map[string]any{"token": token, "target_domain": Target},
		append([]Header{{"Authorization", "Bearer " + ServiceToken}}, headers...)...)
}

// Arrive presents a token to the FOS half as the landing page does.
func (b *Browser) Arrive(token string, headers ...Header) Answer {
	b.t.Helper()
	return b.Post(b.service.FOSURL+"/api/v1/auth/cross-domain-login", map[string]any{"token": token},
		append([]Header{{"X-Requested-With", "test"}}, headers...)...)
}

// Me asks the FOS half who is signed in.
func (b *Browser) Me() Answer {
	b.t.Helper()
	return b.Get(b.service.FOSURL + "/api/v1/auth/me")
}
