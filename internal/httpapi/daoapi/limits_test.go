package daoapi_test

import (
	"context"
	"fmt"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/hello-world-co-op/handoff/internal/testkit"
)

// limited is the environment of a service with these limits, behind a proxy that
// is the test itself: the test says which address a request comes from.
func limited(numbers map[string]int) map[string]string {
	env := map[string]string{"TRUSTED_PROXIES": "127.0.0.1"}
	for name, n := range numbers {
		env["RATE_LIMIT_"+name+"_PER_MINUTE"] = strconv.Itoa(n)
	}
	return env
}

func from(address string) testkit.Header { return header("X-Forwarded-For", address) }

// wantLimited demands a 429 of the limit with this name: so many a minute.
func wantLimited(t testing.TB, answer testkit.Answer, name string, perMinute int, stage string) {
	t.Helper()
	wantProblem(t, answer, http.StatusTooManyRequests, "rate_limited", stage)
	after, err := strconv.Atoi(answer.Header.Get("Retry-After"))
	if err != nil || after < 1 || after > 60 {
		t.Errorf("Retry-After %q", answer.Header.Get("Retry-After"))
	}
	for of, want := range map[string]string{
		"RateLimit": fmt.Sprintf("%q;r=0;t=%d", name, after), "RateLimit-Policy": fmt.Sprintf("%q;q=%d;w=60", name, perMinute),
	} {
		if got := answer.Header.Get(of); got != want {
			t.Errorf("%s: %s, want %s", of, got, want)
		}
	}
}

// counters are the keys of the rate limits.
func counters(t testing.TB, s *testkit.Service) []string {
	t.Helper()
	keys, err := s.Redis.Keys(context.Background(), "dao:rate:*").Result()
	if err != nil {
		t.Fatal(err)
	}
	return keys
}

// The numbers of section 2, where nobody configured others. How many pass is told
// by a clock that goes on, Redis' own: one more for each interval that the test took.
func TestLimits_theNumbersOfTheProtocol(t *testing.T) {
	t.Parallel()
	s := testkit.Start(t, testkit.Options{Env: map[string]string{
		"RATE_LIMIT_LOGIN_PER_MINUTE": "", "RATE_LIMIT_MINT_PER_MINUTE": "", "RATE_LIMIT_EXCHANGE_FAILURES_PER_MINUTE": "",
	}})
	ada, peer := s.SignIn(t, s.Member(t, "ada@example.org")), s.Browser(t)
	for _, c := range []struct {
		name, stage string
		perMinute   int
		ask         func() testkit.Answer
		until       string
	}{
		{"login-failed", "", 5, func() testkit.Answer { return guess(peer, s, "ada@example.org") }, "invalid_credentials"},
		{"mint", "mint", 30, func() testkit.Answer { return ada.Mint(nil) }, ""},
		{"exchange-failures", "exchange", 60, func() testkit.Answer {
			return peer.Post(s.DAOURL+exchangePath, map[string]any{"token": "x"}, header("Authorization", "Bearer wrong"))
		}, "invalid_service_token"},
	} {
		begun, passed, answer := time.Now(), 0, c.ask()
		for ; answer.Status != http.StatusTooManyRequests && passed < 1000; answer = c.ask() {
			if answer.Code() != c.until {
				t.Fatalf("%s: try %d is %d %s", c.name, passed+1, answer.Status, answer.Raw)
			}
			passed++
		}
		wantLimited(t, answer, c.name, c.perMinute, c.stage)
		more := int(time.Since(begun)/(time.Minute/time.Duration(c.perMinute))) + 1
		if passed < c.perMinute || passed > c.perMinute+more {
			t.Errorf("%s: %d passed, want %d and at most %d more", c.name, passed, c.perMinute, more)
		}
	}
}

// I5, I6: what the limits keep names nobody, and is gone after a minute.
func TestI6_theCountersNameNobody(t *testing.T) {
	t.Parallel()
	s := testkit.Start(t, testkit.Options{Env: limited(map[string]int{
		"LOGIN": 5, "LOGIN_ADDRESS": 5, "LOGIN_ACCOUNT": 5, "MINT": 5, "EXCHANGE_FAILURES": 5,
	})})
	ada, b := s.SignIn(t, s.Member(t, "ada@example.org")), s.Browser(t)
	wantProblem(t, guess(b, s, "ada@example.org", from("203.0.113.7")), http.StatusUnauthorized, "invalid_credentials", "")
	wantOK(t, ada.Mint(nil, from("203.0.113.7")))
	b.Post(s.DAOURL+exchangePath, nil, header("Authorization", "Bearer wrong"), from("203.0.113.7"))
	keys := counters(t, s)
	if len(keys) != 4 { // address, failed, account; bearer. A session's mints are counted in its row
		t.Errorf("counters %v", keys)
	}
	name := regexp.MustCompile(`^dao:rate:[a-z-]+:[0-9a-f]{32}$`)
	for _, k := range keys {
		value := s.Redis.Get(t.Context(), k).Val()
		ttl := s.Redis.PTTL(t.Context(), k).Val()
		if !name.MatchString(k) || ttl <= 0 || ttl > time.Minute+time.Second || strings.Trim(value, "0123456789.") != "" {
			t.Errorf("%s holds %q for %v", k, value, ttl)
		}
	}
}
