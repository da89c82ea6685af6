package e2e_test

import (
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	"maps"
	"net"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/hello-world-co-op/handoff/internal/app"
	"github.com/hello-world-co-op/handoff/internal/audit"
	"github.com/hello-world-co-op/handoff/internal/config"
	"github.com/hello-world-co-op/handoff/internal/datastore"
	"github.com/hello-world-co-op/handoff/internal/member"
	"github.com/hello-world-co-op/handoff/internal/privacy"
	"github.com/hello-world-co-op/handoff/internal/seed"
	"github.com/hello-world-co-op/handoff/internal/signin"
	"github.com/hello-world-co-op/handoff/internal/testkit"
	"github.com/hello-world-co-op/handoff/password"
)

// The people of the stories.
const (
	adaEmail  = "ada@example.org"
	adaName   = "Ada Lovelace"
	bobEmail  = "bob@example.org"
	bobName   = "Bob Cratchit"
	joanEmail = "joan@example.org"
	joanName  = "Joan Clarke"
)

// names are the loopback host names that a story's two sites go by.
type names struct{ thinkTank, founderyOS string }

var usualNames = names{"think-tank.localhost", "founderyos.localhost"}

// sites is the real service, both halves, for one story.
type sites struct {
	thinkTank, founderyOS string // their origins
	dao, fos              *pgxpool.Pool
	log                   *testkit.Log
	passed                atomic.Int64 // nanoseconds that the story let pass
	members               map[string]uuid.UUID
}

// open starts both halves on ports and stores of their own until the test ends.
func open(t *testing.T, called names) *sites {
	t.Helper()
	return openWith(t, called, nil)
}

// openWith is open with some variables set.
func openWith(t *testing.T, called names, more map[string]string) *sites {
	t.Helper()
	daoURL, fosURL := testkit.DatabaseURL(t, datastore.DAO), testkit.DatabaseURL(t, datastore.FOS)
	s := &sites{dao: testkit.Pool(t, daoURL), fos: testkit.Pool(t, fosURL), log: &testkit.Log{}, members: map[string]uuid.UUID{}}
	environ := map[string]string{
		"ENVIRONMENT": "development", "METRICS_ENABLED": "false", "LOG_FORMAT": "json", "LOG_LEVEL": "debug",
		"DAO_DATABASE_URL": daoURL.Reveal(), "DATABASE_URL": fosURL.Reveal(), "REDIS_URL": testkit.RedisURL(t).Reveal(),
		"CROSS_DOMAIN_SERVICE_TOKEN": testkit.ServiceToken, "JWT_SECRET_KEY": testkit.JWTKey,
		"HANDOFF_SEALING_KEYS": testkit.SealingKey, "AUDIT_PSEUDONYM_KEYS": testkit.PseudonymKey,
		"CROSS_DOMAIN_EXPECTED_TARGET": usualNames.founderyOS,
	}
	maps.Copy(environ, more)
	s.seed(t, adaEmail, adaName)
	s.seed(t, bobEmail, bobName)
	s.seed(t, joanEmail, joanName)
	s.run(t, s.listen(t, environ, called))
	t.Cleanup(func() { s.keepsSecrets(t) })
	return s
}

// listen builds the service on two free ports. Its addresses are in its own
// configuration, so the ports are chosen first; a lost race for one is run again.
func (s *sites) listen(t *testing.T, environ map[string]string, called names) *app.App {
	t.Helper()
	others := environ["DAO_CORS_ORIGINS"]
	for range 5 {
		daoPort, fosPort := freePort(t), freePort(t)
		s.thinkTank, s.founderyOS = origin(called.thinkTank, daoPort), origin(called.founderyOS, fosPort)
		environ["DAO_ADDR"], environ["FOS_ADDR"] = net.JoinHostPort("127.0.0.1", daoPort), net.JoinHostPort("127.0.0.1", fosPort)
		// The allowed origins stay the usual names: the others have to do without.
		environ["DAO_CORS_ORIGINS"], environ["FRONTEND_URL"] = origin(usualNames.thinkTank, daoPort), origin(usualNames.founderyOS, fosPort)
		if others != "" {
			environ["DAO_CORS_ORIGINS"] += "," + others
		}
		environ["DAO_START_URLS"] = "think-tank=" + s.thinkTank + "/"
		environ["HANDOFF_TARGETS"] = usualNames.founderyOS + "=" + s.founderyOS + "/cross-domain"
		a, err := s.build(environ)
		if err == nil {
			return a
		}
		if !errors.Is(err, syscall.EADDRINUSE) {
			t.Fatal(err)
		}
	}
	t.Fatal("no free port in five tries")
	return nil
}

func (s *sites) build(environ map[string]string) (*app.App, error) {
	list := []string{}
	for name, value := range environ {
		list = append(list, name+"="+value)
	}
	c, err := config.Load(list)
	if err != nil {
		return nil, err
	}
	log := slog.New(slog.NewJSONHandler(s.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	return app.New(context.Background(), c, app.Options{Version: "e2e", Now: s.now, Log: log})
}

func (s *sites) run(t *testing.T, a *app.App) {
	t.Helper()
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
}

// now is the wall clock, since browsers judge cookies by it, plus what the story
// let pass.
func (s *sites) now() time.Time {
	return time.Now().Add(time.Duration(s.passed.Load())).UTC().Truncate(time.Millisecond)
}

// pass lets time go by for the service.
func (s *sites) pass(d time.Duration) { s.passed.Add(int64(d)) }

// count asks the FOS half's database for a number.
func (s *sites) count(t *testing.T, pool *pgxpool.Pool, sql string) int {
	t.Helper()
	return testkit.Count(t, pool, sql)
}

// adaPassword is hashed once: at 64 MiB and three passes it is the dearest thing
// here. It is long enough not to stand in a log by chance.
const adaPassword = "a difference engine of brass"

var adaHash = sync.OnceValues(func() (string, error) { return password.Hash(adaPassword) })

func (s *sites) seed(t *testing.T, email, name string) {
	t.Helper()
	hash, err := adaHash()
	if err != nil {
		t.Fatal(err)
	}
	account := member.Account{PasswordHash: privacy.NewSecret(hash), Member: member.Member{
		Email: testkit.Email(t, email), EmailVerified: true, DisplayName: &name,
		Roles: []string{"member"}, Status: member.Active,
	}}
	seeder := seed.New(s.dao, s.dao.Config().ConnConfig.Database, s.now())
	seeded, err := seeder.Member(t.Context(), account)
	if err != nil {
		t.Fatal(err)
	}
	s.members[email] = seeded.ID
}

// session begins a DAO session of a member's, as a login does, and returns its cookie.
func (s *sites) session(t *testing.T, email string) member.Cookie {
	t.Helper()
	cookie, err := member.NewCookie(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	session := member.NewSession(uuid.Must(uuid.NewV7()), s.members[email], s.now())
	store := signin.NewDAOStore(s.dao)
	account, err := store.FindAccount(t.Context(), testkit.Email(t, email))
	if err != nil {
		t.Fatal(err)
	}
	if err := store.Begin(t.Context(), account, session, cookie, audit.Origin{}); err != nil {
		t.Fatal(err)
	}
	return cookie
}

// keepsSecrets holds I6 over whatever the story did.
func (s *sites) keepsSecrets(t *testing.T) {
	t.Helper()
	said := s.log.String()
	if !t.Failed() && !strings.Contains(said, `"route":"/cross-domain"`) && !strings.Contains(said, `"route":"/"`) {
		t.Error("the log says nothing of this story: what follows would prove nothing")
	}
	for _, secret := range []string{adaEmail, url.QueryEscape(adaEmail), bobEmail, joanEmail, adaPassword, "token=", "127.0.0.1:"} {
		if strings.Contains(said, secret) && !onlyInListening(said, secret) {
			t.Errorf("the log quotes %q", secret)
		}
	}
}

// onlyInListening: where the service itself listens is no secret.
func onlyInListening(said, text string) bool {
	for line := range strings.Lines(said) {
		if strings.Contains(line, text) && !strings.Contains(line, `"msg":"listening"`) {
			return false
		}
	}
	return true
}

func freePort(t *testing.T) string {
	t.Helper()
	socket, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_, port, err := net.SplitHostPort(socket.Addr().String())
	if err := errors.Join(err, socket.Close()); err != nil {
		t.Fatal(err)
	}
	return port
}

func origin(host, port string) string { return "http://" + net.JoinHostPort(host, port) }
