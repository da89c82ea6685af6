package config_test

import (
	"strings"
	"testing"

	"github.com/hello-world-co-op/handoff/internal/config"
)

// A limit is a number of tries from 1 to 100000. Nothing switches it off.
func TestRateLimitsAreNumbersAndNeverOff(t *testing.T) {
	limits := 0
	for _, v := range config.Variables() {
		if !strings.HasPrefix(v.Name, "RATE_LIMIT_") {
			continue
		}
		limits++
		for _, number := range []string{"1", "100000", " 7 ", ""} {
			mustLoad(t, development().with(environ{v.Name: number}))
		}
		for _, number := range []string{"0", "-1", "100001"} {
			wantFault(t, development().with(environ{v.Name: number}), v.Name, "outside 1 to 100000")
		}
		for _, word := range []string{"off", "5/minute", "1e3", "2.5", "0x10", "99999999999999999999"} {
			wantFault(t, development().with(environ{v.Name: word}), v.Name, "whole number")
		}
	}
	if limits != 6 {
		t.Errorf("%d limits, the protocol and its login rule name 6", limits)
	}
}

// I14: each half has its own limits; those of login and of wrong bearers are rules that both keep.
func TestI14_rateLimitsBelongToTheirHalf(t *testing.T) {
	dao := mustLoad(t, development().with(environ{"HANDOFF_HALVES": "dao", "RATE_LIMIT_ARRIVAL_PER_MINUTE": "off"}))
	if want := (config.RateLimits{LoginFailed: 5, LoginAddress: 30, LoginAccount: 20, Mint: 30, ExchangeFailures: 60}); dao.RateLimits != want {
		t.Errorf("DAO half alone: %+v", dao.RateLimits)
	}
	fos := mustLoad(t, development().with(environ{
		"HANDOFF_HALVES": "fos", "ORACLE_BRIDGE_URL": "https://dao.example.org",
		"RATE_LIMIT_MINT_PER_MINUTE": "off",
	}))
	if want := (config.RateLimits{LoginFailed: 5, LoginAddress: 30, LoginAccount: 20, ExchangeFailures: 60, Arrival: 30}); fos.RateLimits != want {
		t.Errorf("FOS half alone: %+v", fos.RateLimits)
	}
}
