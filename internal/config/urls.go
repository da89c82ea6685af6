package config

import (
	"errors"
	"net"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
)

// parseURL is url.Parse with an error that quotes nothing. Not only *url.Error
// quotes the URL: the errors in it quote the part that was wrong, and for a
// password with an unescaped "/" or "%" that part is the password.
func parseURL(raw string) (u *url.URL, problem string) {
	u, err := url.Parse(raw)
	if err == nil {
		return u, ""
	}
	var escape url.EscapeError
	var host url.InvalidHostError
	switch {
	case errors.As(err, &escape):
		return nil, "has a broken percent escape (special characters in a password are written %XX)"
	case errors.As(err, &host):
		return nil, "has a character in its host that cannot be there"
	default:
		return nil, "is not a URL (special characters in a password are written %XX)"
	}
}

// webURL reads an absolute http or https URL without user and fragment, its host
// in lower case.
func webURL(raw string) (u *url.URL, problem string) {
	u, problem = parseURL(raw)
	if problem != "" {
		return nil, problem
	}
	host := strings.ToLower(u.Hostname())
	switch {
	case u.Scheme != "http" && u.Scheme != "https", u.Opaque != "":
		return nil, "is not an http or https URL"
	case !isHostname(host) && !isIP(host):
		return nil, "has a host that is neither a name nor an address"
	case !validPort(u):
		return nil, "has no port from 1 to 65535"
	case u.User != nil:
		return nil, "has a user or password in it"
	case u.Fragment != "" || strings.Contains(raw, "#"):
		return nil, "has a fragment"
	}
	u.Host = strings.ToLower(u.Host)
	return u, ""
}

func validPort(u *url.URL) bool {
	if u.Port() == "" {
		return !strings.HasSuffix(u.Host, ":")
	}
	port, err := strconv.ParseUint(u.Port(), 10, 16)
	return err == nil && port > 0
}

// originOf serialises the origin of u as browsers send it (RFC 6454, 6.2): lower
// case, no default port.
func originOf(u *url.URL) string {
	host, port := u.Hostname(), u.Port()
	if port == map[string]string{"http": "80", "https": "443"}[u.Scheme] {
		port = ""
	}
	if addr, err := netip.ParseAddr(host); err == nil {
		host = addr.String()
	}
	if port != "" {
		return u.Scheme + "://" + net.JoinHostPort(host, port)
	}
	if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	return u.Scheme + "://" + host
}

// origins reads a list of origins that may call with cookies.
func (l *loader) origins(variable, list string) []string {
	var origins []string
	for i, item := range l.distinct(variable, list) {
		if problem := l.originProblem(item); problem != "" {
			l.faults.addItem(variable, i, problem)
			continue
		}
		origins = append(origins, item)
	}
	return origins
}

func (l *loader) originProblem(item string) string {
	// Credentials are allowed, so every origin let in acts as the person. A
	// wildcard lets in everybody, "null" every sandboxed frame, and a pattern
	// every forgotten subdomain.
	if strings.Contains(item, "*") {
		return "is a wildcard, which is refused because credentials are allowed"
	}
	if item == "null" {
		return "is null, which any sandboxed frame can send"
	}
	u, problem := webURL(item)
	if problem != "" {
		return problem
	}
	if originOf(u) != item {
		return "is not scheme://host[:port] in lower case, without path and without the scheme's own port"
	}
	return l.plainHTTPProblem(u)
}

// plainHTTPProblem refuses plain HTTP in front of people. Whoever sits on the
// network changes the page and has the session. Staging takes it for loopback
// only, where a front end under development is.
func (l *loader) plainHTTPProblem(u *url.URL) string {
	if u.Scheme == "https" || l.environment == Development {
		return ""
	}
	if l.environment == Staging && isLoopback(u.Hostname()) {
		return ""
	}
	return "is plain HTTP, which " + string(l.environment) + " refuses"
}
