package e2e_test

import (
	"net"
	"net/http"
	"net/url"
	"testing"
)

// scanner is a program that looks at a link without running its page.
type scanner struct{ method, header, value string }

func scan(t *testing.T, link string, as scanner) {
	t.Helper()
	target, err := url.Parse(link)
	if err != nil {
		t.Fatal(err)
	}
	// Programs may not resolve *.localhost; the name goes in the Host header.
	host := target.Host
	target.Host = net.JoinHostPort("127.0.0.1", target.Port())
	request, err := http.NewRequestWithContext(t.Context(), as.method, target.String(), http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	request.Host = host
	request.Header.Set(as.header, as.value)
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	if err := answer.Body.Close(); err != nil {
		t.Error(err)
	}
	if answer.StatusCode != http.StatusOK {
		t.Errorf("%s with %s: %s was answered %d", as.method, as.header, as.value, answer.StatusCode)
	}
}
