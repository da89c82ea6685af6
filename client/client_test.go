package client_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hello-world-co-op/handoff/client"
	"github.com/hello-world-co-op/handoff/internal/httpapi"
	"github.com/hello-world-co-op/handoff/internal/testkit"
)

// ada is a member with a session, and a server that people arrive at; through is how the
// latter's requests go.
func ada(t *testing.T, through http.RoundTripper, more ...client.Options) (*testkit.Service, *client.Member, *client.Exchanger) {
	t.Helper()
	s := testkit.Start(t, testkit.Options{})
	b := s.SignIn(t, s.Member(t, "ada@example.org"))
	cookie := client.Cookie{Name: "dao_session", Value: client.NewSecret(b.Cookie(s.DAOURL, "dao_session"))}
	options := client.Options{Transport: through, Wait: func(ctx context.Context, _ time.Duration) error { return ctx.Err() }}
	if len(more) > 0 {
		options.Wait = more[0].Wait
	}
	return s, client.NewMember(s.DAOURL, cookie, client.Options{Transport: closing(t)}),
		client.NewExchanger(s.DAOURL, testkit.Target, client.NewSecret(testkit.ServiceToken), options)
}

// closing is a transport that leaves no connection behind.
func closing(t *testing.T) *http.Transport {
	t.Helper()
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	return transport
}

func minted(t *testing.T, member *client.Member, asked client.Mint) client.Minted {
	t.Helper()
	asked.EntryProduct = "think-tank"
	token, err := member.Mint(t.Context(), asked)
	if err != nil {
		t.Fatal(err)
	}
	return token
}

func TestAWholeHandOff(t *testing.T) {
	t.Parallel()
	s, member, exchanger := ada(t, closing(t))
	token := minted(t, member, client.Mint{TargetDomain: testkit.Target, ReturnPath: "/projects/7", ResponseMode: "fragment", MaxAge: 60})
	if !strings.HasPrefix(token.RedirectURL.Reveal(), "https://"+testkit.Target+"/cross-domain#token=") || token.ExpiresAt != s.Clock.Now().Add(time.Minute).UnixMilli() {
		t.Errorf("to %s until %d", token.RedirectURL.Reveal(), token.ExpiresAt)
	}
	claims, err := exchanger.Exchange(t.Context(), client.Exchange{Token: token.Token})
	if err != nil || claims.Email != "ada@example.org" || !claims.EmailVerified || claims.HandoffID != token.HandoffID || *claims.ReturnPath != "/projects/7" ||
		claims.ICPrincipal != nil || !slices.Equal(claims.AMR, []string{"pwd"}) {
		t.Errorf("%+v %v", claims, err)
	}
	for range 2 { // the second time changes nothing
		if err := exchanger.Ended(t.Context(), token.HandoffID); err != nil {
			t.Errorf("ended: %v", err)
		}
	}
	if n := testkit.Count(t, s.DAO, `SELECT count(*) FROM handoffs WHERE ended_at IS NOT NULL`); n != 1 {
		t.Errorf("%d hand-offs have ended", n)
	}
}

// Every refusal has its code, and the journey where it is known.
func TestRefusalsHaveTheirCodes(t *testing.T) {
	t.Parallel()
	s, member, exchanger := ada(t, closing(t))
	exchange := func(e *client.Exchanger, token client.Secret) error {
		_, err := e.Exchange(t.Context(), client.Exchange{Token: token})
		return err
	}
	used := minted(t, member, client.Mint{})
	if err := exchange(exchanger, used.Token); err != nil {
		t.Fatal(err)
	}
	expired := minted(t, member, client.Mint{})
	elsewhere := minted(t, member, client.Mint{TargetDomain: testkit.OtherTarget})
	stranger := client.NewExchanger(s.DAOURL, testkit.Target, client.NewSecret("not the service token"), client.Options{Transport: closing(t)})
	for code, err := range map[client.Code]error{
		client.TokenUsed: exchange(exchanger, used.Token), client.TokenMalformed: exchange(exchanger, client.NewSecret("x")),
		client.TokenUnknown:     exchange(exchanger, client.NewSecret(strings.Repeat("0", 64))),
		client.TokenWrongTarget: exchange(exchanger, elsewhere.Token), client.InvalidServiceToken: exchange(stranger, used.Token),
		client.InvalidRequest: exchanger.Ended(t.Context(), "no id"),
	} {
		var problem *client.Error
		if !errors.Is(err, code) || !errors.As(err, &problem) || problem.RequestID == "" || problem.Status < 400 {
			t.Errorf("%s: %v", code, err)
		}
		if code == client.TokenUsed && problem.HandoffID != used.HandoffID {
			t.Errorf("the journey is %q", problem.HandoffID)
		}
	}
	s.Clock.Advance(time.Minute)
	if err := exchange(exchanger, expired.Token); !errors.Is(err, client.TokenExpired) || errors.Is(err, client.TokenUsed) {
		t.Errorf("expired: %v", err)
	}
	nobody := client.NewMember(s.DAOURL, client.Cookie{Name: "dao_session", Value: client.NewSecret("x")}, client.Options{Transport: closing(t)})
	if _, err := nobody.Mint(t.Context(), client.Mint{EntryProduct: "dao"}); !errors.Is(err, client.SessionRequired) {
		t.Errorf("nobody: %v", err)
	}
	if _, err := member.Mint(t.Context(), client.Mint{EntryProduct: "dao", MaxAge: 5}); !errors.Is(err, client.LoginRequired) {
		t.Errorf("signed in a minute ago: %v", err)
	}
}

// losing passes requests on and loses the first answers.
type losing struct {
	*http.Transport

	lose atomic.Int64
	sent atomic.Int64
	keys chan string
}

func (l *losing) RoundTrip(r *http.Request) (*http.Response, error) {
	l.sent.Add(1)
	l.keys <- r.Header.Get("Idempotency-Key")
	answer, err := l.Transport.RoundTrip(r)
	if l.lose.Add(-1) >= 0 && err == nil {
		_ = answer.Body.Close()
		return nil, errors.New("lost: " + r.Header.Get("Authorization"))
	}
	return answer, err
}

// I8: a lost answer costs nobody the hand-off. It is asked for again under the same key,
// three times at most; and what broke is not quoted, since it knows the service token.
func TestI8_aLostAnswerIsAskedForAgain(t *testing.T) {
	t.Parallel()
	for lost, ok := range map[int64]bool{0: true, 1: true, 2: true, 3: false, 9: false} {
		through := &losing{Transport: closing(t), keys: make(chan string, 16)}
		_, member, exchanger := ada(t, through)
		through.lose.Store(lost)
		claims, err := exchanger.Exchange(t.Context(), client.Exchange{Token: minted(t, member, client.Mint{}).Token})
		if (err == nil) != ok || ok != (claims.Email == "ada@example.org") || through.sent.Load() != min(lost+1, 3) {
			t.Errorf("%d lost: %v after %d", lost, err, through.sent.Load())
		}
		if err != nil && (!errors.Is(err, client.NoAnswer) || strings.Contains(err.Error(), testkit.ServiceToken)) {
			t.Errorf("%d lost: %v", lost, err)
		}
		first := <-through.keys
		for range through.sent.Load() - 1 {
			if again := <-through.keys; again != first || len(first) != 32 {
				t.Errorf("asked under %q, then %q", first, again)
			}
		}
	}
}

// What was refused is not asked again; and two exchanges do not share a key.
func TestARefusalIsNotAskedForTwice(t *testing.T) {
	t.Parallel()
	through := &losing{Transport: closing(t), keys: make(chan string, 16)}
	_, _, exchanger := ada(t, through)
	for range 2 {
		if _, err := exchanger.Exchange(t.Context(), client.Exchange{Token: client.NewSecret(strings.Repeat("0", 64))}); !errors.Is(err, client.TokenUnknown) {
			t.Error(err)
		}
	}
	if first, second := <-through.keys, <-through.keys; through.sent.Load() != 2 || first == second {
		t.Errorf("sent %d times, or under one key", through.sent.Load())
	}
}

// Who has no time left is not kept waiting, and hears that it was the time.
func TestACallEndsWithItsContext(t *testing.T) {
	t.Parallel()
	through := &losing{Transport: closing(t), keys: make(chan string, 16)}
	through.lose.Store(99)
	ctx, cancel := context.WithCancel(t.Context())
	_, member, exchanger := ada(t, through, client.Options{Wait: func(context.Context, time.Duration) error {
		cancel()
		return ctx.Err()
	}})
	token := minted(t, member, client.Mint{}).Token
	if _, err := exchanger.Exchange(ctx, client.Exchange{Token: token}); !errors.Is(err, client.NoAnswer) || through.sent.Load() != 1 {
		t.Errorf("%v after %d", err, through.sent.Load())
	}
	if _, err := exchanger.Exchange(ctx, client.Exchange{Token: token}); !errors.Is(err, context.Canceled) {
		t.Errorf("%v is not about the time", err)
	}
}

// I6: nothing that is secret prints, however it is looked at.
func TestI6_secretsDoNotPrint(t *testing.T) {
	t.Parallel()
	_, member, exchanger := ada(t, closing(t))
	token := minted(t, member, client.Mint{})
	asJSON, err := json.Marshal(token)
	if err != nil {
		t.Fatal(err)
	}
	said := string(asJSON)
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		for _, value := range []any{token, &token, token.Token, *member, member, *exchanger, exchanger} {
			said += fmt.Sprintf(verb, value)
		}
	}
	for _, secret := range []string{token.Token.Reveal(), testkit.ServiceToken, fmt.Sprintf("%x", token.Token.Reveal()), "?token="} {
		if strings.Contains(said, secret) {
			t.Errorf("%q was printed", secret)
		}
	}
}

// The names here are the service's, and what a caller of this package may meet is here.
func TestTheCodesAreTheServices(t *testing.T) {
	t.Parallel()
	ours := []client.Code{
		client.InvalidRequest, client.InvalidServiceToken, client.ExchangeDisabled, client.TokenMalformed, client.TokenUnknown, client.TokenExpired,
		client.TokenUsed, client.TokenWrongTarget, client.TokenBindingFailed, client.SessionRequired, client.SessionRevoked, client.LoginRequired,
		client.CSRFFailed, client.OriginNotAllowed, client.EmailUnverified, client.AccountInactive, client.RateLimited,
		client.DependencyUnavailable, client.Internal,
	}
	for _, code := range ours {
		if !slices.ContainsFunc(httpapi.Codes(), func(c httpapi.Code) bool { return c.Code == string(code) }) {
			t.Errorf("the service has no %s", code)
		}
	}
	// What only a program that sends something broken would hear.
	broken := []string{"unsupported_media_type", "body_too_large", "headers_too_large"}
	for _, o := range testkit.Operations() {
		if o.Half != "dao" || !slices.Contains([]string{"mint", "exchange", "handoffsEnded", "csrfToken"}, o.ID) {
			continue
		}
		for _, answer := range o.Documented() {
			_, code, _ := strings.Cut(answer, " ")
			if code != "" && !slices.Contains(ours, client.Code(code)) && !slices.Contains(broken, code) {
				t.Errorf("%s may answer %s, which has no name here", o.ID, code)
			}
		}
	}
}
