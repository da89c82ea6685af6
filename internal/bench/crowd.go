package bench

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"golang.org/x/sync/errgroup"

	"github.com/hello-world-co-op/handoff/internal/member"
	"github.com/hello-world-co-op/handoff/internal/session"
	"github.com/hello-world-co-op/handoff/internal/token"
	"github.com/hello-world-co-op/handoff/password"
)

// Size is what a service has gathered.
type Size struct {
	// People are members who are signed in at both halves, and linked.
	People int
	// Audit are the rows of each half's audit_log, of the last 400 days.
	Audit int
	// Past are hand-offs of the last month, redeemed.
	Past int
	// Live are tokens that nobody has redeemed yet, in the ledger and in Redis.
	Live int
}

// crowd is what was made by SQL, and how it is known again: everybody's ids, cookies and
// tokens are hashes of a salt and their number, which Postgres and we compute alike.
type crowd struct {
	Size
	salt  string
	begun time.Time // when they signed in
}

func (c crowd) hash(of string, n int) [sha256.Size]byte {
	return sha256.Sum256(fmt.Appendf(nil, "%s %s %d", c.salt, of, n))
}

func (c crowd) id(of string, n int) uuid.UUID {
	hash := c.hash(of, n)
	return uuid.UUID(hash[:16])
}

// token is the nth live token.
func (c crowd) token(n int) (token.Token, error) {
	hash := c.hash("token", n)
	return token.New(bytes.NewReader(hash[:]))
}

// person is the nth of the people.
func (c crowd) person(n int, csrf *member.CSRF) (person, error) {
	hash := c.hash("cookie", n)
	cookie, err := member.ParseCookie(base64.RawURLEncoding.EncodeToString(hash[:]))
	if err != nil {
		return person{}, err
	}
	p := person{
		member: c.id("member", n), user: c.id("user", n), email: fmt.Sprintf("crowd-%d@example.org", n), name: fmt.Sprintf("Ada Lovelace the %dth", n),
		session: c.id("session", n), cookie: cookie, authenticated: c.begun, arrived: c.id("arrived", n),
	}
	p.csrf, err = csrf.Make(p.session)
	return p, err
}

// claimed is who the nth live token is of, as far as its claims say: with a principal of the
// Internet Computer, which makes them longer.
func (c crowd) claimed(n int) person {
	principal := "k2t6j-2nvnp-4zjm3-25dtz-6xhaa-c7boj-5gayf-oj3xs-i43lp-teztq-6ae"
	return person{
		member: c.id("member", n), email: fmt.Sprintf("crowd-%d@example.org", n), name: fmt.Sprintf("Ada Lovelace the %dth", n),
		principal: &principal, authenticated: c.begun,
	}
}

// args are what the statements that make a crowd refer to.
func (c crowd) args() pgx.NamedArgs {
	return pgx.NamedArgs{
		"salt": c.salt, "begun": c.begun, "begun_ms": c.begun.UnixMilli(), "ends": c.begun.Add(member.AbsoluteTTL), "live_ends": c.begun.Add(outstanding),
		"people": c.People, "audit": c.Audit, "past": c.Past, "live": c.Live, "product": product, "target": target, "key": floorKeyID,
	}
}

// standing signs the pairs of the sessions that some of the crowd have at the FOS half.
func (w *world) standing(people []person) ([]session.Pair, error) {
	pairs := make([]session.Pair, len(people))
	for i, p := range people {
		var err error
		pairs[i], err = w.signer.Pair(session.Session{
			ID: p.arrived, UserID: p.user, Generation: 1, AuthTime: p.authenticated, AMR: []string{"pwd"}, ExpiresAt: w.signer.SessionExpiry(p.authenticated),
		}, "member")
		if err != nil {
			return nil, err
		}
	}
	return pairs, nil
}

// stride leads from one of the people to the next who comes, all over the tables. It is a
// prime, and divides none of the sizes: all come once before anybody comes again.
const stride = 7919

// acting is how many of a crowd the requests are of, small or large: the same number, or the
// same person would come sooner again where there are few, and find what is theirs still warm.
const acting = 10_000

// gather makes a crowd, and has some of it act, whoever comes.
func (w *world) gather(ctx context.Context, of Size) error {
	c := crowd{Size: of, salt: random(8), begun: now()}
	hash, err := password.Hash(w.password)
	if err != nil {
		return fmt.Errorf("bench: %w", err)
	}
	args := c.args()
	args["hash"] = hash
	halves, ctx := errgroup.WithContext(ctx)
	halves.Go(func() error { return pour(ctx, w.dao, append(slices.Clone(daoCrowd), daoLive...), args) })
	halves.Go(func() error { return pour(ctx, w.fos, fosCrowd, args) })
	halves.Go(func() error { return w.carryLive(ctx, c) })
	if err := halves.Wait(); err != nil {
		return err
	}
	w.people = nil
	for i := range min(of.People, acting) {
		p, err := c.person(1+i*stride%of.People, w.csrf)
		if err != nil {
			return err
		}
		w.people = append(w.people, p)
	}
	w.crowd = c
	return nil
}

// outstanding is how long the crowd's tokens are good: for longer than it takes to measure.
// They are as large as ones that are good for a minute.
const outstanding = 3 * time.Hour

// pour fills one database, its indexes made afterwards: one by one that would take hours.
func pour(ctx context.Context, pool *pgxpool.Pool, statements []string, args pgx.NamedArgs) error {
	conn, err := pool.Acquire(ctx)
	if err != nil {
		return fmt.Errorf("bench: %w", err)
	}
	// Not back into the pool: with these settings it is of no use to anybody else.
	defer func() { _ = conn.Hijack().Close(context.WithoutCancel(ctx)) }()
	indexes, err := takeIndexes(ctx, conn.Conn())
	if err != nil {
		return fmt.Errorf("bench: %w", err)
	}
	for _, sql := range slices.Concat(aside, statements, indexes, []string{"VACUUM (ANALYSE)", "CHECKPOINT"}) {
		if _, err := conn.Exec(ctx, sql, args); err != nil {
			return fmt.Errorf("bench: %s: %w", sql, err)
		}
	}
	return nil
}

// takeIndexes drops the indexes that hold no constraint, and returns what makes them again.
func takeIndexes(ctx context.Context, conn *pgx.Conn) ([]string, error) {
	rows, err := conn.Query(ctx, `
		SELECT i.indexrelid::regclass::text, pg_get_indexdef(i.indexrelid) FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
		WHERE c.relnamespace = 'public'::regnamespace AND NOT EXISTS (SELECT FROM pg_constraint k WHERE k.conindid = i.indexrelid)`)
	if err != nil {
		return nil, err
	}
	var name, definition string
	var names, definitions []string
	if _, err := pgx.ForEachRow(rows, []any{&name, &definition}, func() error {
		names, definitions = append(names, name), append(definitions, definition)
		return nil
	}); err != nil {
		return nil, err
	}
	for _, name := range names {
		if _, err := conn.Exec(ctx, "DROP INDEX "+name); err != nil {
			return nil, err
		}
	}
	return definitions, nil
}

// carryLive carries the claims of the crowd's live tokens.
func (w *world) carryLive(ctx context.Context, c crowd) error {
	sealed, err := w.sealLive(c)
	if err != nil {
		return err
	}
	return w.carryUntil(ctx, sealed, c.begun.Add(outstanding))
}
