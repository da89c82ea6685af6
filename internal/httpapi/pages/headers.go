package pages

import (
	"net/http"
	"strings"
)

// policy is the content security policy of every answer of the two sites
// (CSP Level 3; OWASP ASVS 5.0, 3.4.3). Each directive is beside what it stops.
var policy = strings.Join([]string{
	"default-src 'none'",     // whatever is not named below
	"script-src 'self'",      // injected or inline script
	"style-src 'self'",       // injected style that reads form fields by selector
	"img-src 'self'",         // an image address as a way to carry data out
	"connect-src 'self'",     // a script that sends the token to another origin
	"form-action 'self'",     // an injected form around the password field
	"base-uri 'none'",        // an injected <base> that moves the relative links
	"frame-ancestors 'none'", // clickjacking of "Open in FounderyOS" and "Sign out"
	"require-trusted-types-for 'script'",
	"trusted-types 'none'", // with the line above: no string ever becomes markup
}, "; ")

// protect sets the headers that every answer carries, the refusals included.
// Documents and refusals are stored nowhere; an asset relaxes that for itself.
func protect(h http.Header) {
	h.Set("Content-Security-Policy", policy)
	// The address of the landing page may hold a token: no request that the page
	// makes, to whomever, may quote it.
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	// No other origin may load these files into a page of its own.
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
}
