package client_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hello-world-co-op/handoff/client"
	"github.com/hello-world-co-op/handoff/internal/testkit"
)

// strange is an exchanger whose peer is whatever answers.
func strange(t *testing.T, answers http.HandlerFunc) *client.Exchanger {
	t.Helper()
	server := httptest.NewServer(answers)
	t.Cleanup(server.Close)
	return client.NewExchanger(server.URL+"/", testkit.Target, client.NewSecret(testkit.ServiceToken), client.Options{
		Transport: closing(t), Wait: func(context.Context, time.Duration) error { return nil },
	})
}

func says(status int, mediaType, text string, headers ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", mediaType)
		for _, header := range headers {
			name, value, _ := strings.Cut(header, ": ")
			w.Header().Set(name, value)
		}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, text)
	}
}

// Whatever may stand where the address points, a page for people or a proxy's, is not
// taken for the service, and the service token follows no redirect.
func TestWhatIsNotTheServiceIsNoAnswer(t *testing.T) {
	t.Parallel()
	var elsewhere atomic.Int64
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { elsewhere.Add(1) }))
	t.Cleanup(other.Close)
	for name, answers := range map[string]http.HandlerFunc{
		"a front end":       says(http.StatusOK, "text/html", "<!doctype html>"),
		"nothing":           says(http.StatusOK, "application/json", ""),
		"half an answer":    says(http.StatusOK, "application/json", `{"user_id":"6f1f`),
		"a proxy":           says(http.StatusBadGateway, "text/html", "Bad Gateway"),
		"an error of JSON":  says(http.StatusBadRequest, "application/json", `{"code":"token_used"}`),
		"no content":        says(http.StatusNoContent, "application/json", ""),
		"somewhere else":    says(http.StatusTemporaryRedirect, "text/plain", "", "Location: "+other.URL),
		"a problem of none": says(http.StatusBadRequest, "application/problem+json", `{}`),
		"without end":       says(http.StatusOK, "application/json", `{"user_id":"`+strings.Repeat("x", 1<<20)+`"}`),
	} {
		if claims, err := strange(t, answers).Exchange(t.Context(), client.Exchange{}); !errors.Is(err, client.NoAnswer) || claims.UserID != "" {
			t.Errorf("%s: %v", name, err)
		}
	}
	if elsewhere.Load() != 0 {
		t.Error("a redirect was followed")
	}
}

// I7: a token for somebody else's site signs nobody in here, also where an older service
// did not look.
func TestI7_anAnswerForAnotherTargetIsRefused(t *testing.T) {
	t.Parallel()
	e := strange(t, says(http.StatusOK, "application/json", fmt.Sprintf(`{"user_id":"6f1f6b0a-5c35-4f0e-9d0f-1c1a3b5d7e90","target_domain":%q,"more":[1]}`, testkit.OtherTarget)))
	if claims, err := e.Exchange(t.Context(), client.Exchange{}); !errors.Is(err, client.TokenWrongTarget) || claims.UserID != "" {
		t.Errorf("%+v %v", claims, err)
	}
}

// An outage is waited for as long as the service says.
func TestWhoIsToldToWaitDoes(t *testing.T) {
	t.Parallel()
	var asked atomic.Int64
	var waited []time.Duration
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if asked.Add(1) == 1 {
			says(http.StatusServiceUnavailable, "application/problem+json", `{"code":"dependency_unavailable","request_id":"1"}`, "Retry-After: 2")(w, r)
			return
		}
		w.WriteHeader(http.StatusNoContent)
	}))
	t.Cleanup(server.Close)
	e := client.NewExchanger(server.URL, testkit.Target, client.NewSecret(testkit.ServiceToken), client.Options{
		Transport: closing(t), Wait: func(_ context.Context, d time.Duration) error { waited = append(waited, d); return nil },
	})
	if err := e.Ended(t.Context(), "019aa6d0-7b4c-7d5e-8f60-123456789abc"); err != nil || asked.Load() != 2 || len(waited) != 1 || waited[0] != 2*time.Second {
		t.Errorf("%v after %d, waited %v", err, asked.Load(), waited)
	}
}
