package config

import (
	"net"
	"net/netip"
	"regexp"
	"strconv"
	"strings"

	"golang.org/x/net/publicsuffix"
)

var (
	label  = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$`)
	number = regexp.MustCompile(`^([0-9]+|0x[0-9a-f]*)$`)
)

// isHostname reports whether s is a host name in lower case (RFC 1123, 2.1). A
// last label that looks like a number is refused: URL parsers read such names as
// IPv4 addresses, and not all of them the same one (WHATWG URL, 3.5).
func isHostname(s string) bool {
	if len(s) > 253 {
		return false
	}
	labels := strings.Split(s, ".")
	for _, one := range labels {
		if !label.MatchString(one) {
			return false
		}
	}
	return !number.MatchString(labels[len(labels)-1])
}

func isIP(s string) bool {
	addr, err := netip.ParseAddr(s)
	return err == nil && addr.Zone() == ""
}

// isLoopback reports whether host can only be this machine (RFC 6761, 6.3 for
// the names).
func isLoopback(host string) bool {
	if addr, err := netip.ParseAddr(host); err == nil {
		return addr.Unmap().IsLoopback()
	}
	return host == "localhost" || strings.HasSuffix(host, ".localhost")
}

// sharedSpace is what carriers and overlay networks hand out (RFC 6598); like the
// private blocks it is not routed on the internet.
var sharedSpace = netip.MustParsePrefix("100.64.0.0/10")

// isInternal reports whether host is evidently not reached over the internet: this
// machine, a private or link-local address, or a name that no public DNS has
// (a single label; Kubernetes' service.namespace.svc; RFC 6762's .local; .internal).
func isInternal(host string) bool {
	if addr, err := netip.ParseAddr(host); err == nil {
		addr = addr.Unmap()
		return addr.IsLoopback() || addr.IsPrivate() || addr.IsLinkLocalUnicast() || sharedSpace.Contains(addr)
	}
	if isLoopback(host) || !strings.Contains(host, ".") || strings.Contains(host+".", ".svc.") {
		return true
	}
	return strings.HasSuffix(host, ".local") || strings.HasSuffix(host, ".internal")
}

// addressProblem says what is wrong with a host:port to listen on, or "". Port 0
// lets the system choose.
func addressProblem(s string) string {
	host, port, err := net.SplitHostPort(s)
	if err != nil {
		return "is not host:port"
	}
	if _, err := strconv.ParseUint(port, 10, 16); err != nil {
		return "has no port from 0 to 65535"
	}
	if host != "" && !isIP(host) && !isHostname(strings.ToLower(host)) {
		return "has a host that is neither a name nor an address"
	}
	return ""
}

// address checks a host:port and returns it as it is.
func (l *loader) address(variable, value string) string {
	if problem := addressProblem(value); problem != "" {
		l.faults.add(variable, problem)
	}
	return value
}

// sameListener reports whether two addresses cannot both be listened on.
func sameListener(a, b string) bool {
	hostA, portA, errA := net.SplitHostPort(a)
	hostB, portB, errB := net.SplitHostPort(b)
	if errA != nil || errB != nil || portA != portB || portA == "0" {
		return false
	}
	return hostA == hostB || isWildcard(hostA) || isWildcard(hostB)
}

func isWildcard(host string) bool {
	addr, err := netip.ParseAddr(host)
	return host == "" || err == nil && addr.IsUnspecified()
}

// cookieDomainProblem says what is wrong with a Domain attribute, or "". Browsers
// drop a cookie whose Domain is a public suffix (RFC 6265, 5.3 step 5), and then
// nobody could sign in.
func cookieDomainProblem(domain string) string {
	if isIP(domain) || !isHostname(domain) {
		return "is not a bare host name in lower case (no scheme, port, leading dot or address)"
	}
	if !strings.Contains(domain, ".") {
		return "is a single label, which browsers refuse"
	}
	if suffix, _ := publicsuffix.PublicSuffix(domain); suffix == domain {
		return "is a public suffix, under which strangers have sites"
	}
	return ""
}

// The shortest prefixes that anybody has reason to trust whole: 10.0.0.0/8 and
// fc00::/7, the largest private blocks. What is shorter (0.0.0.0/0, or its two
// halves) would let a stranger choose the address that limits and audit rows see
// (invariant I15).
const (
	shortestPrefix4 = 8
	shortestPrefix6 = 7
)

// proxies reads a list of addresses and prefixes.
func (l *loader) proxies(variable, list string) []netip.Prefix {
	var prefixes []netip.Prefix
	for i, item := range l.distinct(variable, list) {
		prefix, problem := parsePrefix(item)
		if problem != "" {
			l.faults.addItem(variable, i, problem)
			continue
		}
		prefixes = append(prefixes, prefix)
	}
	return prefixes
}

func parsePrefix(item string) (prefix netip.Prefix, problem string) {
	const neither = "is neither an address nor a prefix"
	if addr, err := netip.ParseAddr(item); err == nil {
		if addr.Zone() != "" {
			return netip.Prefix{}, "has a zone"
		}
		addr = addr.Unmap()
		prefix = netip.PrefixFrom(addr, addr.BitLen())
	} else if prefix, err = netip.ParsePrefix(item); err != nil {
		return netip.Prefix{}, neither
	}
	// ::ffff:0:0/96 is all of IPv4 in disguise.
	if addr := prefix.Addr(); addr.Is4In6() {
		if prefix.Bits() < 96 {
			return netip.Prefix{}, neither
		}
		prefix = netip.PrefixFrom(addr.Unmap(), prefix.Bits()-96)
	}
	shortest := shortestPrefix6
	if prefix.Addr().Is4() {
		shortest = shortestPrefix4
	}
	switch {
	case prefix.Addr().IsUnspecified() || prefix.Bits() < shortest:
		return netip.Prefix{}, "trusts far too many addresses: anybody could then name any address as their own"
	case prefix != prefix.Masked():
		// 10.1.2.3/8 was probably meant as one host and would trust 16 million.
		return netip.Prefix{}, "has address bits beyond its length"
	}
	return prefix, ""
}
