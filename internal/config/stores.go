package config

import (
	"net"
	"net/url"
	"strings"

	"github.com/hello-world-co-op/handoff/internal/privacy"
)

// postgresURL checks the URL of a database and returns it trimmed. An empty one
// is the caller's to judge.
func (l *loader) postgresURL(variable string, secret privacy.Secret) privacy.Secret {
	raw := strings.TrimSpace(secret.Reveal())
	if raw == "" {
		return privacy.Secret{}
	}
	u, problem := connectionURL(raw)
	if problem == "" {
		problem = postgresProblem(u)
	}
	if problem != "" {
		l.faults.add(variable, problem)
		return privacy.Secret{}
	}
	l.connectionPassword(variable, u)
	return privacy.NewSecret(raw)
}

func postgresProblem(u *url.URL) string {
	switch scheme, driver, _ := strings.Cut(u.Scheme, "+"); {
	case driver != "" && (scheme == "postgresql" || scheme == "postgres"):
		return "has SQLAlchemy's driver suffix in its scheme; leave it out"
	case u.Scheme != "postgres" && u.Scheme != "postgresql":
		return "is not a postgres or postgresql URL"
	}
	at := databaseOf(u)
	switch {
	case at.host == "":
		return "names no host"
	case at.name == "":
		// The driver would take the user's name for it, and migrate that.
		return "names no database"
	default:
		return ""
	}
}

// database is where a URL leads. Query parameters win, as in libpq.
type database struct{ host, port, name string }

func databaseOf(u *url.URL) database {
	q := u.Query()
	at := database{u.Hostname(), u.Port(), strings.Trim(u.Path, "/")}
	for key, part := range map[string]*string{"host": &at.host, "port": &at.port, "dbname": &at.name} {
		if q.Get(key) != "" {
			*part = q.Get(key)
		}
	}
	if at.port == "" {
		at.port = "5432"
	}
	at.host = strings.ToLower(at.host)
	return at
}

// databaseAt is databaseOf for a URL that was checked; false when there is none.
func databaseAt(secret privacy.Secret) (at database, tls bool, ok bool) {
	u, problem := parseURL(secret.Reveal())
	if secret.IsEmpty() || problem != "" {
		return database{}, false, false
	}
	switch u.Query().Get("sslmode") {
	case "require", "verify-ca", "verify-full":
		tls = true
	}
	return databaseOf(u), tls, true
}

// withCredentials puts DATABASE_USER and DATABASE_PASSWORD into the URL, where
// they win over what it says in any place.
func (l *loader) withCredentials(dsn privacy.Secret, user string, pass privacy.Secret) privacy.Secret {
	if dsn.IsEmpty() || user == "" && pass.IsEmpty() {
		return dsn
	}
	u, problem := parseURL(dsn.Reveal())
	if problem != "" {
		return dsn // cannot be: postgresURL has parsed it
	}
	q := u.Query()
	if user == "" {
		user = u.User.Username()
		if q.Has("user") {
			user = q.Get("user")
		}
	}
	password := pass.Reveal()
	if pass.IsEmpty() {
		password, _ = u.User.Password()
		if q.Has("password") {
			password = q.Get("password")
		}
	}
	if user == "" {
		l.faults.add("DATABASE_PASSWORD", "has no user to belong to in DATABASE_USER or DATABASE_URL")
	}
	if q.Has("user") || q.Has("password") {
		q.Del("user")
		q.Del("password")
		u.RawQuery = q.Encode()
	}
	u.User = url.User(user)
	if password != "" {
		u.User = url.UserPassword(user, password)
	}
	return privacy.NewSecret(u.String())
}

// redisURL checks one of go-redis' URL forms and returns it trimmed. The options
// behind the "?" are for go-redis to judge.
func (l *loader) redisURL(variable string, secret privacy.Secret) privacy.Secret {
	raw := strings.TrimSpace(secret.Reveal())
	if raw == "" {
		return privacy.Secret{}
	}
	u, problem := connectionURL(raw)
	if problem == "" {
		problem = redisProblem(u)
	}
	if problem != "" {
		l.faults.add(variable, problem)
		return privacy.Secret{}
	}
	l.connectionPassword(variable, u)
	return privacy.NewSecret(raw)
}

func redisProblem(u *url.URL) string {
	q := u.Query()
	several := q.Has("master_name") || q.Has("addr")
	switch u.Scheme {
	case "unix":
		if strings.Trim(u.Path, "/") == "" {
			return "names no socket"
		}
		if several {
			return "is a socket, which Sentinel and Cluster cannot use"
		}
		return ""
	case "redis", "rediss":
	default:
		return "is not a redis, rediss or unix URL"
	}
	if u.Hostname() == "" {
		// go-redis would take localhost for it.
		return "names no host"
	}
	if strings.Trim(strings.Trim(u.Path, "/"), "0123456789") != "" {
		return "has a path that is not a database number"
	}
	for _, addr := range q["addr"] {
		if host, port, err := net.SplitHostPort(addr); err != nil || host == "" || port == "" {
			return "has an addr parameter that is not host:port"
		}
	}
	return ""
}

// connectionURL parses the URL of a store.
func connectionURL(raw string) (u *url.URL, problem string) {
	u, problem = parseURL(raw)
	if problem != "" {
		return nil, problem
	}
	switch {
	case u.Opaque != "" || u.Scheme == "":
		return nil, "is not a URL of the form scheme://user:password@host"
	case u.Fragment != "" || strings.Contains(raw, "#"):
		return nil, "has a # in it (in a password it is written %23)"
	case strings.Count(authority(raw), "@") > 1:
		// Here net/url and the drivers disagree on where the host begins.
		return nil, "has an @ in its user or password (it is written %40)"
	case malformedQuery(u):
		return nil, "has a malformed query"
	}
	return u, ""
}

func authority(raw string) string {
	_, rest, _ := strings.Cut(raw, "://")
	if end := strings.IndexAny(rest, "/?#"); end >= 0 {
		rest = rest[:end]
	}
	return rest
}

func malformedQuery(u *url.URL) bool {
	_, err := url.ParseQuery(u.RawQuery)
	return err != nil
}

// connectionPassword remembers the passwords in a URL for the check that no key
// doubles as one.
func (l *loader) connectionPassword(variable string, u *url.URL) {
	inUser, _ := u.User.Password()
	l.reuse.connection(variable, privacy.NewSecret(inUser))
	l.reuse.connection(variable, privacy.NewSecret(u.Query().Get("password")))
}
