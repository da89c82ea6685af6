package handoff_test

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"log/slog"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/hello-world-co-op/handoff/internal/datastore"
	"github.com/hello-world-co-op/handoff/internal/handoff"
	"github.com/hello-world-co-op/handoff/internal/member"
	"github.com/hello-world-co-op/handoff/internal/privacy"
	"github.com/hello-world-co-op/handoff/internal/testkit"
	"github.com/hello-world-co-op/handoff/internal/token"
)

// The conformance suite of [handoff.Exchanger]: what the FOS half may rely on,
// whichever way it reaches the DAO half. Every story is told twice.

// seam is the way between the halves, with the DAO half behind it.
type seam struct {
	handoff.Exchanger
	*testkit.Linked
}

// eachSeam tells a story in process and over HTTP, each with stores of its own.
func eachSeam(t *testing.T, story func(t *testing.T, s seam)) {
	t.Helper()
	for name, exchanger := range map[string]func(testing.TB, *testkit.Linked) handoff.Exchanger{
		"in process": inProcess, "over HTTP": overHTTP,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			linked := testkit.Start(t, testkit.Options{}).Linked(t, nil)
			t.Cleanup(func() {
				if t.Failed() {
					t.Log(linked.Log.Lines(`"level":"ERROR"`))
				}
			})
			story(t, seam{exchanger(t, linked), linked})
		})
	}
}

func overHTTP(t testing.TB, s *testkit.Linked) handoff.Exchanger { return peerOf(t, s.DAOURL) }

// peerOf is the FOS half's client of a DAO half somewhere.
func peerOf(t testing.TB, daoURL string, change ...func(*handoff.PeerConfig)) *handoff.Peer {
	t.Helper()
	config := handoff.PeerConfig{BaseURL: daoURL, ServiceToken: privacy.NewSecret(testkit.ServiceToken)}
	for _, alter := range change {
		alter(&config)
	}
	peer := handoff.NewPeer(config)
	t.Cleanup(peer.CloseIdle)
	return peer
}

// inProcess builds the exchange as package app does, on the same linked stores.
func inProcess(t testing.TB, s *testkit.Linked) handoff.Exchanger {
	t.Helper()
	sealer, err := token.NewSealer([]privacy.Key{testkit.Key(t, testkit.SealingKey)}, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	redis, err := datastore.OpenRedis(privacy.NewSecret(s.Environ["REDIS_URL"]), nil)
	if err != nil {
		t.Fatal(err)
	}
	store := handoff.NewDAOStore(testkit.Pool(t, privacy.NewSecret(s.Environ["DAO_DATABASE_URL"])))
	log := slog.New(slog.NewJSONHandler(s.Log, nil))
	exchange := handoff.NewExchange(handoff.ExchangeConfig{
		Ledger: store, Carrier: token.NewCarrier(redis), Sealer: sealer, Now: s.Clock.Now, Random: rand.Reader, Log: log,
	})
	uses := handoff.NewTokenUse(handoff.TokenUseConfig{Store: store, Now: s.Clock.Now, Log: log})
	t.Cleanup(func() {
		exchange.Wait()
		uses.Wait()
		if err := redis.Close(); err != nil {
			t.Error(err)
		}
	})
	return handoff.InProcess{
		Exchanging: exchange, Uses: uses,
		Caller: handoff.Caller{KeyID: privacy.NewSecret(testkit.ServiceToken).KeyID()},
	}
}

// show presents a token as the login does: within the request's deadline.
func (s seam) show(t testing.TB, p handoff.Presentation) (token.Claims, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2900*time.Millisecond)
	defer cancel()
	return s.Exchange(ctx, p)
}

// minted is a live token as the FOS half gets to see it.
type minted struct {
	handoff.Presentation
	handoffID uuid.UUID
}

// mint signs who in at the DAO half and hands them off. fields are those of the
// mint request.
func (s seam) mint(t testing.TB, who member.Member, fields map[string]any) minted {
	t.Helper()
	answer := s.SignIn(t, who).Mint(fields)
	tok, err := token.Parse(answer.Text("token"))
	if err != nil {
		t.Fatalf("mint: %d %s", answer.Status, answer.Raw)
	}
	return minted{
		handoff.Presentation{Token: tok, Target: testkit.Target}, uuid.MustParse(answer.Text("handoff_id")),
	}
}

// under is the presentation with an Idempotency-Key.
func (m minted) under(key string) handoff.Presentation {
	p := m.Presentation
	p.IdempotencyKey = key
	return p
}

const (
	firstKey  = "first-attempt-0123456789"
	secondKey = "second-attempt-123456789"
)

// claimed are the claims with what cannot be printed made comparable.
var claimed = cmp.Comparer(func(a, b privacy.Email) bool { return a.Reveal() == b.Reveal() })

func TestBothSeamsGiveTheSameClaims(t *testing.T) {
	t.Parallel()
	eachSeam(t, func(t *testing.T, s seam) {
		principal := "2vxsx-fae"
		ada := s.Member(t, "Ada.Lovelace@example.org", func(a *member.Account) {
			a.Principal, a.Roles = &principal, []string{"member", "steward"}
		})
		came := s.Clock.Now()
		m := s.mint(t, ada, map[string]any{"entry_product": "lighthouse", "return_path": "/work?tab=2#top"})
		s.Clock.Advance(20 * time.Second)

		got, err := s.show(t, m.Presentation)
		if err != nil {
			t.Fatal(err)
		}
		path := "/work?tab=2#top"
		want := token.Claims{
			HandoffID: m.handoffID, UserID: ada.ID, Email: ada.Email, EmailVerified: true,
			DisplayName: ada.DisplayName, Principal: &principal, Roles: []string{"member", "steward"},
			EntryProduct: "lighthouse", Target: testkit.Target, ReturnPath: &path,
			AuthTime: came, AMR: []string{"pwd"}, IssuedAt: came, ExpiresAt: came.Add(60 * time.Second),
		}
		if diff := cmp.Diff(want, got, claimed); diff != "" {
			t.Errorf("claims (-want +got):\n%s", diff)
		}
	})
}

func TestBothSeamsGiveNothingForWhatAMemberDoesNotHave(t *testing.T) {
	t.Parallel()
	eachSeam(t, func(t *testing.T, s seam) {
		bare := s.Member(t, "bare@example.org", func(a *member.Account) { a.DisplayName, a.Roles = nil, []string{} })
		m := s.mint(t, bare, nil)

		got, err := s.show(t, m.Presentation)
		if err != nil {
			t.Fatal(err)
		}
		want := token.Claims{
			HandoffID: m.handoffID, UserID: bare.ID, Email: bare.Email, EmailVerified: true, Roles: []string{},
			EntryProduct: "think-tank", Target: testkit.Target, AuthTime: s.Clock.Now(), AMR: []string{"pwd"},
			IssuedAt: s.Clock.Now(), ExpiresAt: s.Clock.Now().Add(60 * time.Second),
		}
		if diff := cmp.Diff(want, got, claimed); diff != "" {
			t.Errorf("claims (-want +got):\n%s", diff)
		}
	})
}

// I14: what the wire does not carry does not pass in process either.
func TestI14_aBoundTokensChallengeStaysOnTheDAOHalf(t *testing.T) {
	t.Parallel()
	eachSeam(t, func(t *testing.T, s seam) {
		verifier, challenge := binding("the browser's own secret")
		m := s.mint(t, s.Member(t, "ada@example.org"), map[string]any{"challenge": challenge})
		m.Verifier = privacy.NewSecret(verifier)

		got, err := s.show(t, m.Presentation)
		if err != nil {
			t.Fatal(err)
		}
		if got.Challenge != "" {
			t.Error("the challenge came along")
		}
	})
}

// binding is a verifier and its S256 challenge (RFC 7636, 4.2).
func binding(seed string) (verifier, challenge string) {
	first := sha256.Sum256([]byte(seed))
	verifier = base64.RawURLEncoding.EncodeToString(first[:])
	second := sha256.Sum256([]byte(verifier))
	return verifier, base64.RawURLEncoding.EncodeToString(second[:])
}
