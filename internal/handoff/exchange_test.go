package handoff_test

import (
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	"net/url"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/redis/go-redis/v9"

	"github.com/hello-world-co-op/handoff/internal/handoff"
	"github.com/hello-world-co-op/handoff/internal/member"
	"github.com/hello-world-co-op/handoff/internal/outage"
	"github.com/hello-world-co-op/handoff/internal/privacy"
	"github.com/hello-world-co-op/handoff/internal/testkit"
	"github.com/hello-world-co-op/handoff/internal/token"
)

// bench is mint and exchange on real stores, with a clock, and with a ledger that
// a test can put something in front of.
type bench struct {
	ledger
	clock    *testkit.Clock
	redis    redis.UniversalClient
	carrier  *token.Carrier
	minter   *handoff.Minter
	exchange *handoff.Exchange
}

// troubled is the ledger with trouble of a test's making.
type troubled struct {
	*handoff.DAOStore
	redeem func(ctx context.Context, r handoff.Redemption) (bool, error)
	burn   func(ctx context.Context, r handoff.Redemption) (bool, error)
	mint   func()
}

func (l *troubled) Burn(ctx context.Context, r handoff.Redemption) (bool, error) {
	if l.burn != nil {
		return l.burn(ctx, r)
	}
	return l.DAOStore.Burn(ctx, r)
}

func (l *troubled) Redeem(ctx context.Context, r handoff.Redemption) (bool, error) {
	if l.redeem != nil {
		return l.redeem(ctx, r)
	}
	return l.DAOStore.Redeem(ctx, r)
}

func (l *troubled) Mint(ctx context.Context, row handoff.MintRow) (member.Session, member.Member, error) {
	if l.mint != nil {
		l.mint()
	}
	return l.DAOStore.Mint(ctx, row)
}

func newBench(t testing.TB) (*bench, *troubled) {
	t.Helper()
	b := &bench{ledger: newLedger(t), clock: testkit.NewClock(), redis: testkit.Redis(t)}
	b.carrier = token.NewCarrier(b.redis)
	sealer, err := token.NewSealer([]privacy.Key{testkit.Key(t, testkit.SealingKey)}, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	trouble := &troubled{DAOStore: b.DAOStore}
	targets := []handoff.Target{}
	for _, domain := range []string{testkit.Target, testkit.OtherTarget} {
		targets = append(targets, handoff.Target{Domain: domain, LandingURL: &url.URL{Scheme: "https", Host: domain, Path: "/land"}})
	}
	b.minter = handoff.NewMinter(handoff.MinterConfig{
		Targets: targets, EntryProducts: []string{"think-tank"}, Limit: perMinute(t, 30),
		Ledger: trouble, Carrier: b.carrier, Sealer: sealer, Now: b.clock.Now, Random: rand.Reader,
	})
	b.exchange = handoff.NewExchange(handoff.ExchangeConfig{
		Ledger: trouble, Carrier: b.carrier, Sealer: sealer, Now: b.clock.Now, Random: rand.Reader, Log: slog.New(slog.DiscardHandler),
	})
	t.Cleanup(b.exchange.Wait)
	return b, trouble
}

func (b *bench) ask() handoff.MintRequest {
	return handoff.MintRequest{Cookie: b.cookie, SessionID: b.session.ID, EntryProduct: "think-tank"}
}

// carrierKey is where Redis has the claims of a token.
func carrierKey(tok token.Token) string {
	digest := tok.Digest()
	return "dao:handoff:" + string(digest[:])
}

func (b *bench) mintedToken(t testing.TB, change ...func(*handoff.MintRequest)) handoff.Minted {
	t.Helper()
	request := b.ask()
	for _, alter := range change {
		alter(&request)
	}
	minted, err := b.minter.Mint(inTime(t), request)
	if err != nil {
		t.Fatal(err)
	}
	return minted
}

func presented(tok token.Token, key string) handoff.ExchangeRequest {
	return handoff.ExchangeRequest{Token: tok, Target: testkit.Target, IdempotencyKey: key, Caller: handoff.Caller{KeyID: "0a1b2c3d"}}
}

var byText = cmp.Comparer(func(a, b privacy.Email) bool { return a.Reveal() == b.Reveal() })

const ownKey = "the caller's own key"

// I1, I8: the COMMIT took effect and its answer was lost. The attempt in the row
// says that it was us, and the person is not sent back.
func TestI1_aLostCommitAnswerIsResolvedByTheAttempt(t *testing.T) {
	t.Parallel()
	b, trouble := newBench(t)
	trouble.redeem = func(ctx context.Context, r handoff.Redemption) (bool, error) {
		if won, err := b.Redeem(ctx, r); !won || err != nil {
			t.Errorf("won %v, %v", won, err)
		}
		return false, outage.New("postgres", errors.New("connection reset"))
	}
	for _, key := range []string{ownKey, ""} {
		minted := b.mintedToken(t)
		claims, err := b.exchange.Exchange(inTime(t), presented(minted.Token, key))
		if err != nil || claims.HandoffID != minted.HandoffID {
			t.Errorf("key %q: %v, %v", key, claims.HandoffID, err)
		}
	}
}

// I1: the COMMIT did not take effect, or somebody else was first: no claims.
func TestI1_aLostAnswerIsNobodysWinUnlessTheRowSaysSo(t *testing.T) {
	t.Parallel()
	b, trouble := newBench(t)
	lost := outage.New("postgres", errors.New("connection reset"))
	for name, before := range map[string]func(tok token.Token){
		"not committed": func(token.Token) {},
		"somebody else was first": func(tok token.Token) {
			if won, err := b.Redeem(inTime(t), redemption(t, tok, "somebody else's key")); !won || err != nil {
				t.Fatal(won, err)
			}
		},
	} {
		minted := b.mintedToken(t)
		before(minted.Token)
		trouble.redeem = func(context.Context, handoff.Redemption) (bool, error) { return false, lost }
		claims, err := b.exchange.Exchange(inTime(t), presented(minted.Token, ownKey))
		var down *outage.Error
		var journey *handoff.JourneyError
		if !errors.As(err, &down) || !errors.As(err, &journey) || journey.HandoffID != minted.HandoffID {
			t.Errorf("%s: %v", name, err)
		}
		if diff := cmp.Diff(token.Claims{}, claims, byText); diff != "" {
			t.Errorf("%s: claims come with the error", name)
		}
	}
	trouble.redeem = nil
}

// I7, I8: the same key is good for the same exchange only. The attack is a repeat
// for another target, or without the verifier, by somebody who saw the key.
func TestI8_theSameKeyDoesNotRepeatAnotherExchange(t *testing.T) {
	t.Parallel()
	b, _ := newBench(t)
	verifier, challenge := binding("ada's tab")
	minted := b.mintedToken(t, func(r *handoff.MintRequest) { r.Challenge = challenge })
	bound := presented(minted.Token, ownKey)
	bound.Verifier = privacy.NewSecret(verifier)
	first, err := b.exchange.Exchange(inTime(t), bound)
	if err != nil {
		t.Fatal(err)
	}
	if again, err := b.exchange.Exchange(inTime(t), bound); err != nil || cmp.Diff(first, again, byText) != "" {
		t.Errorf("the same exchange: %v, %s", err, cmp.Diff(first, again, byText))
	}
	for name, alter := range map[string]func(*handoff.ExchangeRequest){
		"for another target":                    func(r *handoff.ExchangeRequest) { r.Target = testkit.OtherTarget },
		"by a caller restricted to another one": func(r *handoff.ExchangeRequest) { r.Caller.Targets = []string{testkit.OtherTarget} },
		"without the verifier":                  func(r *handoff.ExchangeRequest) { r.Verifier = privacy.Secret{} },
		"with another verifier":                 func(r *handoff.ExchangeRequest) { r.Verifier = privacy.NewSecret(challenge) },
		"under another key":                     func(r *handoff.ExchangeRequest) { r.IdempotencyKey = "another caller's key" },
		"without a key":                         func(r *handoff.ExchangeRequest) { r.IdempotencyKey = "" },
	} {
		altered := bound
		alter(&altered)
		claims, err := b.exchange.Exchange(inTime(t), altered)
		if !errors.Is(err, token.ErrUsed) || claims.UserID != uuid.Nil {
			t.Errorf("%s: %v, claims of %v", name, err, claims.UserID)
		}
	}
	events := testkit.Events(t, b.db)
	if n := len(slices.DeleteFunc(events, func(e string) bool { return e != "handoff.replayed failure token_used" })); n != 6 {
		t.Errorf("%d of 6 are recorded as a replay: %v", n, testkit.Events(t, b.db))
	}
}

// A verifier that does not fit leaves the token good: it was not validly
// presented (I1).
func TestI1_anUnboundPresentationConsumesNothing(t *testing.T) {
	t.Parallel()
	b, _ := newBench(t)
	verifier, challenge := binding("ada's tab")
	minted := b.mintedToken(t, func(r *handoff.MintRequest) { r.Challenge = challenge })
	request := presented(minted.Token, "")
	if _, err := b.exchange.Exchange(inTime(t), request); !errors.Is(err, token.ErrBinding) {
		t.Errorf("without a verifier: %v", err)
	}
	request.Verifier = privacy.NewSecret(verifier)
	if claims, err := b.exchange.Exchange(inTime(t), request); err != nil || claims.HandoffID != minted.HandoffID {
		t.Errorf("with the right one: %v", err)
	}
}

// I8: what the row knows of a token that Redis has forgotten is in the record of
// the replay: who, for which target, on which journey.
func TestI8_aReplayADayLaterIsRecordedInFull(t *testing.T) {
	t.Parallel()
	b, _ := newBench(t)
	minted := b.mintedToken(t)
	if _, err := b.exchange.Exchange(inTime(t), presented(minted.Token, ownKey)); err != nil {
		t.Fatal(err)
	}
	b.exchange.Wait()
	if err := b.carrier.Drop(t.Context(), minted.Token.Digest()); err != nil {
		t.Fatal(err)
	}
	b.clock.Advance(24 * time.Hour)
	if _, err := b.exchange.Exchange(inTime(t), presented(minted.Token, ownKey)); !errors.Is(err, token.ErrUsed) {
		t.Error(err)
	}
	if n := testkit.Count(t, b.db, `SELECT count(*) FROM audit_log WHERE event = 'handoff.replayed' AND actor_id = $1
		AND handoff_id = $2 AND entry_product = 'think-tank' AND target_domain = $3`, b.ada, minted.HandoffID, testkit.Target); n != 1 {
		t.Errorf("%d complete records of the replay", n)
	}
}

// I7, I8: the same for a burning whose answer was lost.
func TestI7_aLostBurningIsResolvedByTheAttempt(t *testing.T) {
	t.Parallel()
	b, trouble := newBench(t)
	trouble.burn = func(ctx context.Context, r handoff.Redemption) (bool, error) {
		if won, err := b.Burn(ctx, r); !won || err != nil {
			t.Errorf("won %v, %v", won, err)
		}
		return false, outage.New("postgres", errors.New("connection reset"))
	}
	request := presented(b.mintedToken(t).Token, ownKey)
	request.Target = testkit.OtherTarget
	if _, err := b.exchange.Exchange(inTime(t), request); !errors.Is(err, token.ErrWrongTarget) {
		t.Errorf("%v", err)
	}
}

// I8: who has no key cannot ask again. What nobody can tell them is counted; what is
// certain is not.
func TestI8_onlyWhatNobodyKnowsIsUnresolved(t *testing.T) {
	t.Parallel()
	b, trouble := newBench(t)
	lost := outage.New("postgres", errors.New("connection reset"))
	unreached, refused := outage.Unasked("postgres", context.DeadlineExceeded), outage.Postgres(&pgconn.PgError{SeverityUnlocalized: "ERROR", Code: "40P01"})
	leaving := outage.Postgres(&pgconn.PgError{SeverityUnlocalized: "FATAL", Code: "57P01"})
	fails := func(err error) {
		trouble.redeem = func(context.Context, handoff.Redemption) (bool, error) { return false, err }
	}
	for _, row := range []struct {
		name string
		err  error
		key  string
		want uint64
	}{
		{"the caller can ask again", lost, ownKey, 0},
		{"Postgres was not reached", unreached, "", 0},
		{"Postgres refused", refused, "", 0},
		{"nobody knows", lost, "", 1},
		{"Postgres left in the middle", leaving, "", 2},
	} {
		fails(row.err)
		if _, err := b.exchange.Exchange(inTime(t), presented(b.mintedToken(t).Token, row.key)); err == nil {
			t.Errorf("%s: exchanged", row.name)
		}
		if n := b.exchange.Unresolved(); n != row.want {
			t.Errorf("%s: %d unresolved", row.name, n)
		}
	}
}

// One connection that is dead takes the gate's time, and not the time to ask on
// another one what became of it.
func TestI8_thereIsTimeLeftToAsk(t *testing.T) {
	t.Parallel()
	b, trouble := newBench(t)
	trouble.redeem = func(ctx context.Context, r handoff.Redemption) (bool, error) {
		if won, err := b.Redeem(ctx, r); !won || err != nil {
			t.Errorf("won %v, %v", won, err)
		}
		<-ctx.Done() // the answer never comes
		return false, outage.Postgres(ctx.Err())
	}
	ctx, cancel := context.WithTimeout(t.Context(), 1500*time.Millisecond)
	defer cancel()
	minted := b.mintedToken(t)
	if claims, err := b.exchange.Exchange(ctx, presented(minted.Token, "")); err != nil || claims.HandoffID != minted.HandoffID {
		t.Errorf("%v, %v", claims.HandoffID, err)
	}
}
