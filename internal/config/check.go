package config

import (
	"errors"
	"fmt"
	"io"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"
)

// Report is what an environment comes to, in a form that may be shown: to an
// operator, in a ticket, in the log of a pipeline.
type Report struct {
	Settings []Setting // every variable, in the order of [Variables]
	Warnings []string  // none while there are faults: they would be about a Config that is none
	Faults   []*Fault
}

// Setting is one variable as [Load] sees it.
type Setting struct {
	Name   string
	Value  string // what counts, or in parentheses why it is not shown
	Source string // "environment", "file" or "default"; "" where the variable is not read
}

// The words that stand for values. A value in parentheses is never a value's text.
const (
	valueSet      = "(set)"
	valueUnset    = "(unset)"
	valueNotRead  = "(not read: its half does not run here)"
	valueFaulty   = "(not shown: it has a fault)"
	valueWithheld = "(not shown: it might be a secret)"
	valueNone     = "(none)"
)

// Check resolves environ as [Load] does and says what came of it. It shows no
// secret: of a variable that holds one it says whether it is set; and of any other it
// shows nothing that is a secret elsewhere, that looks like one or that is refused,
// since people paste tokens into the wrong variable.
func Check(environ []string) Report {
	c, l := resolve(environ)
	var r Report
	for _, one := range l.faults.list {
		var fault *Fault
		if errors.As(one, &fault) {
			r.Faults = append(r.Faults, fault)
		}
	}
	if len(r.Faults) == 0 {
		r.Warnings = c.Warnings()
	}
	look := checker{c: c, l: l, secrets: l.secretParts(), otherwise: c.dependentDefaults()}
	for _, v := range variables() {
		r.Settings = append(r.Settings, look.setting(v))
	}
	return r
}

// checker is what the settings of one report are made from.
type checker struct {
	c         *Config
	l         *loader
	secrets   []string
	otherwise map[string]string // defaults that were decided by something
}

func (k checker) setting(v Variable) Setting {
	s := Setting{Name: v.Name, Source: "default"}
	given, set := k.l.env[v.Name]
	switch {
	case v.Secret && strings.TrimSpace(k.l.env[v.Name+fileSuffix]) != "":
		s.Source = "file"
	case given != "" || set && v.Name == "JWT_AUDIENCE":
		s.Source = "environment"
	}
	switch {
	case v.Half == HalfDAO && !k.c.Halves.DAO, v.Half == HalfFOS && !k.c.Halves.FOS:
		s.Value, s.Source = valueNotRead, ""
	case v.Secret && s.Source == "default":
		s.Value = valueUnset
	case v.Secret:
		s.Value = valueSet
	case k.l.faults.has(v.Name):
		s.Value = valueFaulty
	case s.Source == "default":
		s.Value = k.defaultOf(v)
	default:
		s.Value = k.shown(given)
	}
	return s
}

// defaultOf is what counts where nothing is set: the value, where it is known, else
// the words for it.
func (k checker) defaultOf(v Variable) string {
	if value, decided := k.otherwise[v.Name]; decided {
		return value
	}
	switch {
	case v.Default == "":
		return valueNone
	case v.inWords:
		return "(" + v.Default + ")"
	default:
		return v.Default
	}
}

var (
	// unbroken is text that is long enough for a key or a token, and has nothing in it
	// that words, addresses and lists have.
	unbroken = regexp.MustCompile(`[A-Za-z0-9+/_=]{32,}`)
	// hyphened may be either: the URL alphabet of base64 has a "-" (RFC 4648, 5), and so have
	// the names of hosts.
	hyphened = regexp.MustCompile(`[A-Za-z0-9_-]{32,}`)
	// credentials are those of a URL: a whole one that was put into the variable of its user,
	// say.
	credentials = regexp.MustCompile(`//[^/\s]*@|:[^/\s@]+@`)
)

// looksSecret reports whether a value that stands nowhere else might be a secret.
func looksSecret(value string) bool {
	if unbroken.MatchString(value) || credentials.MatchString(value) {
		return true
	}
	return slices.ContainsFunc(hyphened.FindAllString(value, -1), func(run string) bool {
		return strings.ContainsAny(run, "0123456789") && run != strings.ToLower(run) && run != strings.ToUpper(run)
	})
}

// shown is a value, unless it might be a secret. Line breaks and what terminals obey
// are escaped: a value could otherwise write lines of a report that are not its own.
func (k checker) shown(value string) string {
	if value == "" {
		return valueNone
	}
	for _, secret := range k.secrets {
		if strings.Contains(value, secret) {
			return valueWithheld
		}
	}
	if looksSecret(value) {
		return valueWithheld
	}
	quoted := strconv.QuoteToASCII(value)
	return quoted[1 : len(quoted)-1]
}

// shortestSecret is below what a password should have; anything shorter would be
// found in half of all words.
const shortestSecret = 6

// secretParts are the texts that must not be shown: every item of every secret, and
// the passwords of URLs.
func (l *loader) secretParts() []string {
	var parts []string
	for _, v := range variables() {
		if !v.Secret {
			continue
		}
		whole := strings.TrimSpace(l.env[v.Name])
		items := append(split(whole), whole)
		if u, problem := parseURL(whole); problem == "" {
			items = append(items, passwordsOf(whole, u)...)
		}
		for _, item := range items {
			if len(item) >= shortestSecret {
				parts = append(parts, item)
			}
		}
	}
	return parts
}

// userInfo is the password of a URL as it is written there.
var userInfo = regexp.MustCompile(`//[^/?#:]*:([^/?#]*)@`)

// passwordsOf are those of a URL: its user's, as it is and as the text of the URL has it, and
// those of its options (password, sentinel_password).
func passwordsOf(text string, u *url.URL) []string {
	password, _ := u.User.Password()
	found := []string{password}
	if escaped := userInfo.FindStringSubmatch(text); escaped != nil {
		found = append(found, escaped[1])
	}
	for name, values := range u.Query() {
		if strings.HasSuffix(name, "password") {
			found = append(found, values...)
		}
	}
	return found
}

// dependentDefaults are the values of defaults that ENVIRONMENT decides.
func (c *Config) dependentDefaults() map[string]string {
	format := "text"
	if c.Log.JSON {
		format = "json"
	}
	hsts := valueNone
	if c.Security.HSTS != "" {
		hsts = strconv.FormatInt(int64(c.Security.HSTSMaxAge/time.Second), 10)
	}
	return map[string]string{
		"COOKIE_SECURE":         strconv.FormatBool(c.CookieSecure),
		"LOG_FORMAT":            format,
		"SHUTDOWN_DELAY":        c.ShutdownDelay.String(),
		"SHUTDOWN_TIMEOUT":      c.ShutdownTimeout.String(),
		"SECURITY_HSTS_MAX_AGE": hsts,
	}
}

// Write prints the report: the settings as a table, then the warnings, then the
// faults, each on a line that begins with its word.
func (r Report) Write(w io.Writer) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(table, "VARIABLE\tVALUE\tSOURCE") // errors of a tabwriter come with Flush
	for _, s := range r.Settings {
		_, _ = fmt.Fprintf(table, "%s\t%s\t%s\n", s.Name, s.Value, s.Source)
	}
	err := table.Flush()
	for _, warning := range r.Warnings {
		_, e := fmt.Fprintln(w, "warning:", warning)
		err = errors.Join(err, e)
	}
	for _, fault := range r.Faults {
		_, e := fmt.Fprintln(w, "fault:", fault)
		err = errors.Join(err, e)
	}
	if err != nil {
		return fmt.Errorf("write report: %w", err)
	}
	return nil
}
