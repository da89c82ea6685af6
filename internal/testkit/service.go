package testkit

import (
	"bytes"
	"context"
	"log/slog"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/redis/go-redis/v9"

	"github.com/hello-world-co-op/handoff/internal/app"
	"github.com/hello-world-co-op/handoff/internal/audit"
	"github.com/hello-world-co-op/handoff/internal/config"
	"github.com/hello-world-co-op/handoff/internal/datastore"
	"github.com/hello-world-co-op/handoff/internal/member"
	"github.com/hello-world-co-op/handoff/internal/privacy"
	"github.com/hello-world-co-op/handoff/internal/seed"
)

// The secrets of every service under test. Two processes share the service token
// and nothing else that matters (I14).
const (
	ServiceToken = "3f1c9a5be07d4826b1f09c7a6e52d8430c9be1f7a2648d5073ce91ab64f20d8e"
	JWTKey       = "a-signing-key-for-tests-7f3b9d1c5e2a8064-of-some-length"
	SealingKey   = "5d0e6f1a92c37b48e1d4f60a9b8c2735d6e4f10a29b8c7d3e5f6a1b2c3d4e5f6"
	PseudonymKey = "9c1e7a3f5b2d8460c7e9a1f3b5d70246e8ca0f1b3d5e7298a4c6e0f2b4d68a1c"
	// Target is the one domain that tokens are good for.
	Target = "founderyos.test"
	// OtherTarget is a second domain that the DAO half mints for.
	OtherTarget = "elsewhere.test"
)

// Options are what a test wants different. The zero value is one process with
// both halves, exchanging in process.
type Options struct {
	// OverHTTP runs each half in a process of its own, as far as an App is one, and
	// they speak with each other over HTTP.
	OverHTTP bool
	// Env adds to, or with "" takes from, the environment of every process.
	Env map[string]string
	// DAOURL is where the FOS half exchanges with OverHTTP; "" is the DAO half.
	DAOURL string
	// FOSOnly starts no DAO half; it needs DAOURL.
	FOSOnly bool
}

// Service is the service under test, with its stores.
type Service struct {
	DAOURL, FOSURL string
	AuthzURL       string // of the listener for gateways, with AUTHZ_ADDR
	Clock          *Clock
	DAO, FOS       *pgxpool.Pool
	Redis          redis.UniversalClient
	Log            *Log
	// ToFOS is the DAO half's way to the FOS half, with OverHTTP.
	ToFOS   *Link
	Started []*app.App
	// Environ is what the processes were started with.
	Environ map[string]string
}

// Start runs the service on ports of its own until the test ends.
func Start(t testing.TB, o Options) *Service {
	t.Helper()
	redisURL := RedisURL(t)
	daoURL, fosURL := DatabaseURL(t, datastore.DAO), DatabaseURL(t, datastore.FOS)
	s := &Service{
		Clock: NewClock(), DAO: Pool(t, daoURL), FOS: Pool(t, fosURL), Redis: redisClient(t, redisURL), Log: &Log{},
		Environ: map[string]string{
			"ENVIRONMENT": "development", "DAO_ADDR": "127.0.0.1:0", "FOS_ADDR": "127.0.0.1:0", "METRICS_ENABLED": "false",
			"DAO_DATABASE_URL": daoURL.Reveal(), "DATABASE_URL": fosURL.Reveal(), "REDIS_URL": redisURL.Reveal(),
			"CROSS_DOMAIN_SERVICE_TOKEN": ServiceToken, "JWT_SECRET_KEY": JWTKey,
			"HANDOFF_SEALING_KEYS": SealingKey, "AUDIT_PSEUDONYM_KEYS": PseudonymKey,
			"HANDOFF_TARGETS":              Target + "=https://" + Target + "/cross-domain," + OtherTarget + "=https://" + OtherTarget + "/land",
			"CROSS_DOMAIN_EXPECTED_TARGET": Target,
			"DAO_CORS_ORIGINS":             "https://think-tank.test", "DAO_START_URLS": "think-tank=https://think-tank.test/open?from=fos",
			"FRONTEND_URL": "https://" + Target,
			"LOG_FORMAT":   "json",
		},
	}
	// Out of the way of every test that is not about them: a test is one address, and a
	// crowd of its own.
	s.Environ["MAX_REQUESTS_IN_FLIGHT"] = "1000"
	for _, limit := range []string{"LOGIN", "LOGIN_ADDRESS", "LOGIN_ACCOUNT", "MINT", "ARRIVAL", "EXCHANGE_FAILURES"} {
		s.Environ["RATE_LIMIT_"+limit+"_PER_MINUTE"] = "100000"
	}
	for name, value := range o.Env {
		s.Environ[name] = value
	}
	switch {
	case o.FOSOnly:
		s.run(t, map[string]string{"HANDOFF_HALVES": "fos", "ORACLE_BRIDGE_URL": o.DAOURL})
	case o.OverHTTP:
		s.ToFOS = NewLink(t, "")
		s.run(t, map[string]string{"HANDOFF_HALVES": "dao", "FOUNDERYOS_API_URL": "http://" + s.ToFOS.Addr()})
		bridge := o.DAOURL
		if bridge == "" {
			bridge = s.DAOURL
		}
		s.run(t, map[string]string{"HANDOFF_HALVES": "fos", "ORACLE_BRIDGE_URL": bridge})
		s.ToFOS.Point(strings.TrimPrefix(s.FOSURL, "http://"))
	default:
		s.run(t, nil)
	}
	return s
}

// Replica runs one more process with both halves on the same stores and clock,
// and returns the URLs of its halves.
func (s *Service) Replica(t testing.TB) (daoURL, fosURL string) {
	t.Helper()
	other := *s
	other.run(t, nil)
	return other.DAOURL, other.FOSURL
}

func (s *Service) run(t testing.TB, extra map[string]string) {
	t.Helper()
	environ := []string{}
	for name, value := range s.Environ {
		environ = append(environ, name+"="+value)
	}
	for name, value := range extra {
		environ = append(environ, name+"="+value)
	}
	c, err := config.Load(environ)
	if err != nil {
		t.Fatal(err)
	}
	log := slog.New(slog.NewJSONHandler(s.Log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	a, err := app.New(context.Background(), c, app.Options{
		Version: "test", Now: s.Clock.Now, Log: log,
		LimiterTimeout: time.Second, // a busy machine is no outage
	})
	if err != nil {
		t.Fatal(err)
	}
	s.Started = append(s.Started, a)
	// Asked for before Run, which forgets its listeners when it leaves.
	if addr := a.Addr("dao"); addr != "" {
		s.DAOURL = "http://" + addr
	}
	if addr := a.Addr("fos"); addr != "" {
		s.FOSURL = "http://" + addr
	}
	if addr := a.Addr("authz"); addr != "" {
		s.AuthzURL = "http://" + addr
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- a.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		select {
		case err := <-ended:
			if err != nil {
				t.Errorf("the service did not leave in order: %v", err)
			}
		case <-time.After(10 * time.Second):
			t.Error("the service did not leave")
		}
	})
	at := listens(map[string]string{"dao": s.DAOURL, "fos": s.FOSURL, unpublished: s.AuthzURL})
	t.Cleanup(at.forget) // before the ports are free for others
}

// Password is every test member's password.
const Password = "correct horse battery staple"

// Member is an active, verified member with that email; change may alter it
// before it is written.
func (s *Service) Member(t testing.TB, email string, change ...func(*member.Account)) member.Member {
	t.Helper()
	name := "Ada Lovelace"
	account := member.Account{Member: member.Member{
		Email: Email(t, email), EmailVerified: true, DisplayName: &name, Roles: []string{"member"}, Status: member.Active,
	}}
	for _, alter := range change {
		alter(&account)
	}
	seeded, err := seed.New(s.DAO, s.DAO.Config().ConnConfig.Database, s.Clock.Now()).Member(context.Background(), account)
	if err != nil {
		t.Fatal(err)
	}
	account.ID = seeded.ID
	return account.Member
}

// SignIn begins a DAO session for the member without a password and returns a
// browser that has its cookie and a CSRF value.
func (s *Service) SignIn(t testing.TB, who member.Member) *Browser {
	t.Helper()
	cookie, err := member.NewCookie(randomReader)
	if err != nil {
		t.Fatal(err)
	}
	session := member.NewSession(uuid.Must(uuid.NewV7()), who.ID, s.Clock.Now())
	Exec(t, s.DAO, `
		INSERT INTO sessions (id, member_id, digest, auth_time, amr, created_at, idle_expires_at, expires_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`, session.ID, session.MemberID, cookie.Digest(), session.AuthTime, session.AMR,
		session.CreatedAt, session.IdleExpiresAt, session.ExpiresAt)
	if err := audit.Append(context.Background(), s.DAO, audit.Record{
		At: session.CreatedAt, Event: audit.SessionCreated, Outcome: audit.Success, Reason: audit.ByPassword,
		Actor: who.ID, Origin: audit.Origin{RequestID: "testkit"},
	}); err != nil {
		t.Fatal(err)
	}
	b := s.Browser(t)
	b.SetCookie(s.DAOURL, "dao_session", cookie.Reveal())
	b.FetchCSRF()
	return b
}

// Email parses an address that is known to be one.
func Email(t testing.TB, text string) privacy.Email {
	t.Helper()
	email, err := privacy.ParseEmail(text)
	if err != nil {
		t.Fatal(err)
	}
	return email
}

// Log keeps what the service logs. It is safe for concurrent use.
type Log struct {
	mu   sync.Mutex
	text bytes.Buffer
}

// Write implements io.Writer.
func (l *Log) Write(line []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(line)
}

// String is all that was logged so far.
func (l *Log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// Lines are the log lines that contain part.
func (l *Log) Lines(part string) []string {
	var lines []string
	for line := range strings.Lines(l.String()) {
		if strings.Contains(line, part) {
			lines = append(lines, line)
		}
	}
	return lines
}

func mustParse(text string) *url.URL {
	parsed, err := url.Parse(text)
	if err != nil {
		panic(err)
	}
	return parsed
}
