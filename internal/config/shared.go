package config

import (
	"fmt"
	"log/slog"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/hello-world-co-op/handoff/internal/privacy"
)

// shared resolves what both halves read. It returns REDIS_URL, checked by the
// half that uses it.
func (l *loader) shared(c *Config) (redis privacy.Secret) {
	raw := parse[rawShared](l)
	l.environment = l.environmentOf(raw.Environment)
	development := l.environment == Development

	c.Environment = l.environment
	c.Halves = l.halves(raw.Halves)
	c.PseudonymKeys = l.keyList("AUDIT_PSEUDONYM_KEYS", raw.PseudonymKeys)
	c.ServiceTokens = l.serviceTokens(raw)
	c.CookieSecure = orElse(raw.CookieSecure, !development)
	if !c.CookieSecure && c.Environment == Production {
		// Without Secure one plain-HTTP request gives the session to the network.
		l.faults.add("COOKIE_SECURE", "must not be false in production")
	}
	c.TrustedProxies = l.proxies("TRUSTED_PROXIES", raw.TrustedProxies)
	c.Log = l.log(raw)
	c.MetricsEnabled = raw.MetricsEnabled
	c.APIDocsEnabled = raw.APIDocsEnabled
	c.MetricsAddr = l.address("METRICS_ADDR", raw.MetricsAddr)
	l.traces(c, raw)
	l.shutdown(c, raw)
	l.capacity(c, raw)
	c.Security = l.security(raw)
	c.RateLimits.LoginFailed = l.perMinute("RATE_LIMIT_LOGIN_PER_MINUTE", raw.LoginPerMinute)
	c.RateLimits.LoginAddress = l.perMinute("RATE_LIMIT_LOGIN_ADDRESS_PER_MINUTE", raw.LoginAddressPerMinute)
	c.RateLimits.LoginAccount = l.perMinute("RATE_LIMIT_LOGIN_ACCOUNT_PER_MINUTE", raw.LoginAccountPerMinute)
	c.RateLimits.ExchangeFailures = l.perMinute("RATE_LIMIT_EXCHANGE_FAILURES_PER_MINUTE", raw.ExchangeFailures)
	return raw.RedisURL
}

func (l *loader) traces(c *Config, raw rawShared) {
	c.TraceShare = raw.TraceShare
	if !(raw.TraceShare >= 0 && raw.TraceShare <= 1) { // nor NaN
		l.faults.add("OTEL_TRACES_SAMPLER_ARG", "is not between 0 and 1")
	}
	if raw.TraceEndpoint == "" {
		return
	}
	u, problem := webURL(raw.TraceEndpoint)
	switch {
	case problem != "":
		l.faults.add("OTEL_EXPORTER_OTLP_ENDPOINT", problem)
	case u.RawQuery != "" || u.ForceQuery:
		l.faults.add("OTEL_EXPORTER_OTLP_ENDPOINT", "has a query")
	default:
		c.TraceEndpoint = strings.TrimSuffix(u.String(), "/")
	}
}

// perMinute is the number of one limit. There is no word for "off": a limit that a
// typing error switches off is missed when it is needed, and 100000 a minute is
// what nobody reaches by hand.
func (l *loader) perMinute(variable string, number int) int {
	within(&l.faults, variable, number, [2]int{1, 100_000})
	return number
}

// environmentOf takes an unknown word for production, so that the other faults
// are found by the strictest rules.
func (l *loader) environmentOf(word string) Environment {
	switch e := Environment(strings.ToLower(word)); e {
	case Development, Staging, Production:
		return e
	default:
		l.faults.add("ENVIRONMENT", "is none of development, staging, production; the rest is judged as for production")
		return Production
	}
}

func (l *loader) halves(list string) Halves {
	var halves Halves
	for i, item := range l.distinct("HANDOFF_HALVES", strings.ToLower(list)) {
		switch item {
		case "dao":
			halves.DAO = true
		case "fos":
			halves.FOS = true
		default:
			l.faults.addItem("HANDOFF_HALVES", i, "is neither dao nor fos")
		}
	}
	if !halves.DAO && !halves.FOS {
		if !l.faults.has("HANDOFF_HALVES") {
			l.faults.add("HANDOFF_HALVES", "names no half")
		}
		return Halves{DAO: true, FOS: true}
	}
	return halves
}

// bearer is what a header can carry without quoting: visible ASCII.
var bearer = regexp.MustCompile(`^[!-~]*$`)

// serviceTokens returns the current token and the previous one. The previous
// without the current one is a half-done rotation; it counts as none, since a
// token that nobody sends any more must not keep the exchange open (I3, I12).
func (l *loader) serviceTokens(raw rawShared) []privacy.Secret {
	const current, previous = "CROSS_DOMAIN_SERVICE_TOKEN", "CROSS_DOMAIN_SERVICE_TOKEN_PREVIOUS"
	if raw.ServiceToken.IsEmpty() {
		if !raw.ServiceTokenPrevious.IsEmpty() && !l.faults.has(current) {
			l.faults.add(previous, "is set without "+current+", so that it counts as none")
		}
		return nil
	}
	tokens := []privacy.Secret{l.serviceToken(current, raw.ServiceToken)}
	if !raw.ServiceTokenPrevious.IsEmpty() {
		tokens = append(tokens, l.serviceToken(previous, raw.ServiceTokenPrevious))
	}
	return tokens
}

func (l *loader) serviceToken(variable string, token privacy.Secret) privacy.Secret {
	if !bearer.MatchString(token.Reveal()) {
		// Most often a line break that came with echo into a secret store.
		l.faults.add(variable, "has white space or another character that no header can carry")
	}
	l.textKey(variable, token)
	return token
}

func (l *loader) log(raw rawShared) Log {
	levels := map[string]slog.Level{
		"DEBUG": slog.LevelDebug, "INFO": slog.LevelInfo, "ERROR": slog.LevelError, "CRITICAL": slog.LevelError,
		"WARN": slog.LevelWarn, "WARNING": slog.LevelWarn,
	}
	level, known := levels[strings.ToUpper(raw.LogLevel)]
	if !known {
		l.faults.add("LOG_LEVEL", "is none of debug, info, warn, error")
	}
	format := strings.ToLower(raw.LogFormat)
	if format == "" {
		return Log{Level: level, JSON: l.environment != Development}
	}
	l.oneOf("LOG_FORMAT", format, "json", "text")
	return Log{Level: level, JSON: format == "json"}
}

func (l *loader) capacity(c *Config, raw rawShared) {
	c.MaxRequests, c.MaxConnections = raw.MaxRequests, raw.MaxConnections
	within(&l.faults, "MAX_REQUESTS_IN_FLIGHT", c.MaxRequests, [2]int{8, 100_000})
	if c.MaxConnections != 0 { // fewer, and requests that are worked on would be in each other's way
		within(&l.faults, "MAX_CONNECTIONS", c.MaxConnections, [2]int{c.MaxRequests + 1, 100_000})
	}
}

func (l *loader) shutdown(c *Config, raw rawShared) {
	delay, timeout := 5*time.Second, 10*time.Second
	if c.Environment == Development {
		delay, timeout = 0, 4*time.Second
	}
	c.ShutdownDelay = orElse(raw.ShutdownDelay, delay)
	c.ShutdownTimeout = orElse(raw.ShutdownTimeout, timeout)
	within(&l.faults, "SHUTDOWN_DELAY", c.ShutdownDelay, [2]time.Duration{0, 5 * time.Minute})
	within(&l.faults, "SHUTDOWN_TIMEOUT", c.ShutdownTimeout, [2]time.Duration{time.Second, 5 * time.Minute})
}

// oneLine is visible ASCII and spaces: a line break in a header value would start
// another header.
var oneLine = regexp.MustCompile(`^[ -~]*$`)

func (l *loader) visible(variable, value string) {
	if !oneLine.MatchString(value) {
		l.faults.add(variable, "has a character outside visible ASCII")
	}
}

// referrerPolicies are the words of W3C Referrer Policy, 3. An unknown one is
// ignored by browsers, which would then send more than was meant.
var referrerPolicies = []string{
	"no-referrer", "no-referrer-when-downgrade", "same-origin", "origin", "strict-origin",
	"origin-when-cross-origin", "strict-origin-when-cross-origin", "unsafe-url",
}

func (l *loader) security(raw rawShared) Security {
	s := Security{
		FrameOptions:   strings.ToUpper(raw.FrameOptions),
		CSP:            raw.CSP,
		ReferrerPolicy: strings.ToLower(raw.ReferrerPolicy),
	}
	l.oneOf("SECURITY_FRAME_OPTIONS", s.FrameOptions, "DENY", "SAMEORIGIN")
	l.visible("SECURITY_CSP", s.CSP)
	if !slices.Contains(referrerPolicies, s.ReferrerPolicy) {
		l.faults.add("SECURITY_REFERRER_POLICY", "is not a word of the Referrer-Policy header")
	}
	if raw.HSTSMaxAge == nil && l.environment == Development {
		return s
	}
	const year, tenYears = 365 * 86400, 3650 * 86400
	seconds := orElse(raw.HSTSMaxAge, year)
	within(&l.faults, "SECURITY_HSTS_MAX_AGE", seconds, [2]int{0, tenYears})
	s.HSTSMaxAge = time.Duration(seconds) * time.Second
	s.HSTS = fmt.Sprintf("max-age=%d", seconds)
	if raw.HSTSIncludeSubdomains {
		s.HSTS += "; includeSubDomains"
	}
	return s
}
