package handoff_test

import (
	"context"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/hello-world-co-op/handoff/internal/outage"
	"github.com/hello-world-co-op/handoff/internal/testkit"
)

func mustID(text string) uuid.UUID { return uuid.MustParse(text) }

// The attack: whoever can make the peer redirect would be sent token and bearer.
func TestARedirectIsNotFollowedWithTheBearer(t *testing.T) {
	t.Parallel()
	var visits atomic.Int64
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { visits.Add(1) }))
	t.Cleanup(elsewhere.Close)
	for _, status := range []int{301, 302, 303, 307, 308} {
		begun := time.Now()
		_, err := foreign(t, func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, elsewhere.URL, status)
		}).Exchange(t.Context(), shown(t))
		wantOutage(t, shown(t), err, begun)
	}
	if visits.Load() != 0 {
		t.Errorf("%d requests went elsewhere", visits.Load())
	}
}

func TestAPeersTroubleIsAnOutageAndNotThePersonsFault(t *testing.T) {
	t.Parallel()
	problem := func(code string) string { return `{"code":"` + code + `","detail":"for ada@example.org"}` }
	for name, answer := range map[string]struct {
		status int
		media  string
		body   string
	}{
		"401":                         {401, "application/problem+json", problem("invalid_service_token")},
		"403":                         {403, "application/json", problem("origin_not_allowed")},
		"404 of a wrong address":      {404, "text/html", "<h1>ada@example.org was not found</h1>"},
		"429":                         {429, "application/problem+json", problem("rate_limited")},
		"500":                         {500, "application/problem+json", problem("internal")},
		"503":                         {503, "application/problem+json", problem("dependency_unavailable")},
		"503 of a gateway":            {503, "text/html", "<h1>Try later</h1>"},
		"a refusal with a wrong 500":  {500, "application/problem+json", problem("token_used")},
		"400 of another kind":         {400, "application/problem+json", problem("invalid_request")},
		"400 without a problem":       {400, "text/plain", "no"},
		"a refusal as a page":         {400, "text/html", problem("token_used")},
		"a success without a body":    {200, "application/json", ""},
		"204":                         {204, "", ""},
		"202":                         {202, "application/json", "{}"},
		"null":                        {200, "application/json", "null"},
		"a list":                      {200, "application/json", "[]"},
		"half an answer":              {200, "application/json", `{"user_id":"6f1f6b0a-5c35-4f0e-9d0f-1c1a3b5d7e90","email":"ada@example.org`},
		"the wrong types":             {200, "application/json", `{"user_id":7,"email":["ada@example.org"]}`},
		"one name twice":              {200, "application/json", `{"email":"ada@example.org","email":"eve@example.org"}`},
		"not UTF-8":                   {200, "application/json", "{\"email\":\"ada@example.org\xff\"}"},
		"a page":                      {200, "text/html", "<html>ada@example.org</html>"},
		"a good answer for some page": {200, "text/html", goodAnswer},
		"a good answer of no type":    {200, "", goodAnswer},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			begun := time.Now()
			_, err := foreign(t, func(w http.ResponseWriter, _ *http.Request) {
				w.Header()["Content-Type"] = []string{answer.media}
				w.WriteHeader(answer.status)
				_, _ = io.WriteString(w, answer.body)
			}).Exchange(t.Context(), shown(t))
			wantOutage(t, shown(t), err, begun)
			// Who was told that the other half had not come to it can come again.
			if sure := outage.TookNoEffect(err); sure != (name == "503") {
				t.Errorf("certain that nothing happened: %v", sure)
			}
		})
	}
}

// I8: whether a token was redeemed is in doubt once a request with it may have been
// heard, whatever is said to the next.
func TestI8_whatMayHaveBeenHeardStaysInDoubt(t *testing.T) {
	t.Parallel()
	busy := says(http.StatusServiceUnavailable, map[string]any{"code": "dependency_unavailable"})
	var asked atomic.Int64
	_, err := foreign(t, func(w http.ResponseWriter, r *http.Request) {
		if asked.Add(1) == 1 {
			panic(http.ErrAbortHandler)
		}
		busy(w, r)
	}).Exchange(t.Context(), shown(t))
	if err == nil || outage.TookNoEffect(err) || asked.Load() != 2 {
		t.Errorf("asked %d times: %v, certain that nothing happened: %v", asked.Load(), err, outage.TookNoEffect(err))
	}
}

const goodAnswer = `{"user_id":"6f1f6b0a-5c35-4f0e-9d0f-1c1a3b5d7e90","email":"ada@example.org","display_name":null,` +
	`"ic_principal":null,"roles":[],"entry_product":"dao","target_domain":"founderyos.test",` +
	`"issued_at":1795262400000,"expires_at":1795262460000}`

// I13: a peer cannot make this half read without end, in body or headers.
func TestI13_hugeAnswersAreNotReadToTheirEnd(t *testing.T) {
	t.Parallel()
	var sent atomic.Int64
	begun := time.Now()
	_, err := foreign(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		block := strings.Repeat(" ", 64<<10)
		for range 4096 {
			n, err := io.WriteString(w, block)
			sent.Add(int64(n))
			if err != nil {
				return
			}
		}
	}).Exchange(t.Context(), shown(t))
	wantOutage(t, shown(t), err, begun)
	if sent.Load() > 64<<20 {
		t.Errorf("the peer got rid of %d bytes", sent.Load())
	}

	begun = time.Now()
	_, err = foreign(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Padding", strings.Repeat("a", 256<<10))
		says(http.StatusOK, goodAnswer)(w, r)
	}).Exchange(t.Context(), shown(t))
	wantOutage(t, shown(t), err, begun)
}

func TestASlowPeerIsGivenUpInTime(t *testing.T) {
	t.Parallel()
	for name, handle := range map[string]http.HandlerFunc{
		"says nothing": func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() },
		"says one byte and no more": func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			_, _ = io.WriteString(w, "{")
			_ = http.NewResponseController(w).Flush()
			<-r.Context().Done()
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			peer := foreign(t, func(w http.ResponseWriter, r *http.Request) {
				_, _ = io.Copy(io.Discard, r.Body) // then net/http notices when the client leaves
				handle(w, r)
			})
			begun := time.Now()
			_, err := peer.Exchange(t.Context(), shown(t))
			wantOutage(t, shown(t), err, begun)

			ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
			defer cancel()
			begun = time.Now()
			_, err = peer.Exchange(ctx, shown(t))
			wantOutage(t, shown(t), err, begun)
			if took := time.Since(begun); took > time.Second {
				t.Errorf("outlived the caller's deadline: %v", took)
			}
		})
	}
}

// I6: net/http quotes what it cannot read. A peer, or what sits in its place, that
// sends our own words back must not get them into our log.
func TestI6_aPeerThatEchoesPutsNothingIntoAnError(t *testing.T) {
	t.Parallel()
	p := shown(t)
	secrets := p.Token.Reveal() + " ada@example.org " + testkit.ServiceToken
	for name, answer := range map[string]string{
		"no HTTP at all":      secrets + "\r\n\r\n",
		"as the status":       "HTTP/1.1 " + secrets + "\r\n\r\n",
		"as the version":      "HTTP/" + secrets + " 200 OK\r\n\r\n",
		"as a broken header":  "HTTP/1.1 200 OK\r\n" + secrets + "\r\n\r\n",
		"as the length":       "HTTP/1.1 200 OK\r\nContent-Length: " + secrets + "\r\n\r\n",
		"as the encoding":     "HTTP/1.1 200 OK\r\nTransfer-Encoding: " + secrets + "\r\n\r\n",
		"as the media type":   "HTTP/1.1 200 OK\r\nContent-Type: " + secrets + "\r\nContent-Length: 2\r\n\r\n{}",
		"as the problem code": "HTTP/1.1 400 No\r\nContent-Type: application/json\r\n\r\n{\"code\":\"" + secrets + "\"}",
		"as the redirect":     "HTTP/1.1 302 Found\r\nLocation: https://" + secrets + "\r\nContent-Length: 0\r\n\r\n",
		"as a chunk":          "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n" + secrets + "\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			begun := time.Now()
			_, err := peerOf(t, "http://"+rawServer(t, answer)).Exchange(t.Context(), p)
			wantOutage(t, p, err, begun)
		})
	}
}

// rawServer says answer to everybody who connects, as it is.
func rawServer(t testing.TB, answer string) (addr string) {
	t.Helper()
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			_, _ = conn.Read(make([]byte, 4096))
			_, _ = io.WriteString(conn, answer)
			_ = conn.Close()
		}
	}()
	return listener.Addr().String()
}

// What an operator has to mend is in the log all the same.
func TestAPeerThatCannotBeReachedIsExplained(t *testing.T) {
	t.Parallel()
	secure := httptest.NewTLSServer(http.NotFoundHandler())
	plain := httptest.NewServer(http.NotFoundHandler())
	closed := httptest.NewServer(http.NotFoundHandler())
	closed.Close()
	secure.Config.ErrorLog = log.New(io.Discard, "", 0)
	t.Cleanup(secure.Close)
	t.Cleanup(plain.Close)
	for url, words := range map[string]string{
		closed.URL: "connection refused", secure.URL: "certificate signed by unknown authority",
		"https" + strings.TrimPrefix(plain.URL, "http"): "server gave HTTP response to HTTPS client",
	} {
		begun := time.Now()
		_, err := peerOf(t, url).Exchange(t.Context(), shown(t))
		wantOutage(t, shown(t), err, begun)
		if !strings.Contains(err.Error(), words) || !outage.TookNoEffect(err) {
			t.Errorf("%s: %v does not say %q, or that it was not heard", url, err, words)
		}
	}
}
