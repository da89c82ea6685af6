package daoapi_test

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"github.com/redis/go-redis/v9"

	"github.com/hello-world-co-op/handoff/internal/health"
	"github.com/hello-world-co-op/handoff/internal/httpapi"
	"github.com/hello-world-co-op/handoff/internal/httpapi/daoapi"
	"github.com/hello-world-co-op/handoff/internal/metrics"
	"github.com/hello-world-co-op/handoff/internal/privacy"
	"github.com/hello-world-co-op/handoff/internal/ratelimit"
	"github.com/hello-world-co-op/handoff/internal/testkit"
)

// away is a Redis that nobody reaches: the limit of wrong bearers does not count here.
type away struct{ ratelimit.Redis }

func (away) EvalSha(ctx context.Context, _ string, _ []string, _ ...any) *redis.Cmd {
	cmd := redis.NewCmd(ctx)
	cmd.SetErr(errors.New("connection refused"))
	return cmd
}

const olderToken = "the service token before, which is accepted as well"

var bearerHeader = regexp.MustCompile(`\A(?i:bearer) (?:` + testkit.ServiceToken + `|` + olderToken + `)\z`)

// FuzzBearer (I12): what passes is one header, the scheme in any case, one space and a
// token to the byte. Nothing panics, an empty token least of all passes, and the answer
// repeats nothing.
func FuzzBearer(f *testing.F) {
	for _, seed := range []string{
		"", "Bearer", "Bearer ", "Bearer  " + testkit.ServiceToken, "Bearer " + testkit.ServiceToken, "bEARER " + olderToken, "Bearer " + testkit.ServiceToken + " ", "Bearer\t" + testkit.ServiceToken,
		"Basic " + testkit.ServiceToken, testkit.ServiceToken, "Bearer " + testkit.ServiceToken[1:], "Bearer " + testkit.ServiceToken + "\x00", "\x00", "Bearer " + strings.ToUpper(testkit.ServiceToken), "Bearer " + testkit.ServiceToken + ",Bearer x",
	} {
		f.Add(seed, "", false)
		f.Add(seed, "Bearer "+testkit.ServiceToken, true)
	}
	limiter, err := ratelimit.New(ratelimit.Config{Redis: away{}, Prefix: "dao:", Key: testkit.Key(f, testkit.SealingKey), Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		f.Fatal(err)
	}
	edge := httpapi.Config{
		Half: "dao", Pseudonyms: privacy.NewPseudonymizer(testkit.Key(f, testkit.PseudonymKey)), Health: health.New(nil), Metrics: metrics.New("test"),
		Log: slog.New(slog.DiscardHandler), Now: testkit.NewClock().Now, Admission: httpapi.NewAdmission(64), Connections: httpapi.NewConnections(64),
	}
	handler := httpapi.New(edge, daoapi.Routes(daoapi.Config{
		Edge: edge,
		Bearers: httpapi.Bearers{
			Edge: edge, Accepted: []privacy.Secret{privacy.NewSecret(testkit.ServiceToken), privacy.NewSecret(olderToken)}, Limiter: limiter,
			Limit: ratelimit.Limit{Name: "bearer", PerMinute: 60, OnOutage: ratelimit.Open}, Used: func(context.Context, string) {},
		},
		Details: func(context.Context) (httpapi.Details, error) { return httpapi.Details{}, nil },
	}))
	f.Fuzz(func(t *testing.T, first, second string, two bool) {
		request := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/health/detailed", nil)
		request.Header["Authorization"] = []string{first}
		if two {
			request.Header["Authorization"] = []string{first, second}
		}
		if len(first)+len(second) > 8<<10 {
			return // another test's: the headers are bounded
		}
		answer := httptest.NewRecorder()
		handler.ServeHTTP(answer, request)
		want := http.StatusUnauthorized
		if !two && bearerHeader.MatchString(first) {
			want = http.StatusOK
		}
		if answer.Code != want || len(first) > 40 && strings.Contains(answer.Body.String(), first) {
			t.Fatalf("%q, %q (two: %v): %d %s", first, second, two, answer.Code, answer.Body)
		}
	})
}
