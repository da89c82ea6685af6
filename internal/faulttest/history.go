package faulttest

import (
	"context"
	"fmt"
	"math"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
)

// Outcome is what a caller was told of one call, as far as it says something about
// the token.
type Outcome int

// The outcomes.
const (
	// Unknown: no answer, or one that does not say. The call may have taken effect
	// when it was made, later, or never.
	Unknown Outcome = iota
	// Done: the token was minted, or redeemed.
	Done
	// Used: refused, since somebody has redeemed it.
	Used
	// Burnt: refused and redeemed for nobody, shown for the wrong target (I7).
	Burnt
	// Unredeemed: refused as unknown, expired or unbound, and nobody had redeemed it.
	Unredeemed
	// Untouched: refused for a reason that is not the token's (a limit, say).
	Untouched
)

func (o Outcome) String() string {
	return [...]string{"unknown", "done", "used", "burnt", "unredeemed", "untouched"}[o]
}

// Call is one call that concerns one token.
type Call struct {
	Token string
	// Attempt is the half that was asked and the key that was sent; "" for a mint. Two
	// calls with the same one are one attempt that is repeated.
	Attempt      string
	Begun, Ended time.Time
	Outcome      Outcome
	// Session is what an arrival was given, uuid.Nil if none or not told.
	Session   uuid.UUID
	HandoffID uuid.UUID

	rivalled bool // see isRivalled
}

func (c Call) isMint() bool { return c.Attempt == "" }

// History records the calls of many clients and their answers. It is safe for
// concurrent use.
type History struct {
	client *Client
	begun  time.Time

	mu       sync.Mutex
	tokens   map[string][]Call
	order    []string
	keyless  int
	summary  Summary
	told     *Told
	refusals map[string]*refusal // by their names, see [History.MayHear]
	mayHear  map[string]bool     // nil: what says something about a token
}

// Summary counts a history.
type Summary struct {
	Tokens, Calls int
	// Outcomes are indexed by Outcome; mints are not among them.
	Outcomes [Untouched + 1]int
	// Mints are those that gave a token, Unminted the others.
	Mints, Unminted int
	// Slowest is the longest that an answer, or none, was waited for.
	Slowest time.Duration
}

func (s Summary) String() string {
	return fmt.Sprintf("%d tokens, %d calls: %d redemptions, %d refused as used, %d otherwise, %d of unknown outcome, slowest %v",
		s.Tokens, s.Calls, s.Outcomes[Done], s.Outcomes[Used],
		s.Outcomes[Burnt]+s.Outcomes[Unredeemed]+s.Outcomes[Untouched], s.Outcomes[Unknown], s.Slowest.Round(time.Millisecond))
}

// NewHistory records what client does. A nil client is for a history that is
// written by [History.Add] alone.
func NewHistory(client *Client) *History {
	return &History{
		client: client, begun: time.Now(), tokens: map[string][]Call{},
		told: NewTold(), refusals: map[string]*refusal{},
	}
}

// Mint is [Client.Mint]. A mint without a token leaves nothing that could be
// presented, and is only counted.
func (h *History) Mint(ctx context.Context, daoURL string, who Person) Answer {
	begun := time.Now()
	a := h.client.Mint(ctx, daoURL, who)
	h.mu.Lock()
	defer h.mu.Unlock()
	h.summary.Slowest = max(h.summary.Slowest, a.Took)
	h.told.Minted(a)
	h.hear("mint", a, a.HandoffID)
	if !a.OK() || a.Token == "" {
		h.summary.Calls++
		h.summary.Unminted++
		return a
	}
	h.add(Call{Token: a.Token, Begun: begun, Ended: time.Now(), Outcome: Done, HandoffID: a.HandoffID})
	return a
}

// Exchange is [Client.Exchange].
func (h *History) Exchange(ctx context.Context, daoURL, token, key string) Answer {
	begun := time.Now()
	return h.redemption("dao", token, key, begun, h.client.Exchange(ctx, daoURL, token, key))
}

// ExchangeFor is [Client.ExchangeFor], with a key of its own.
func (h *History) ExchangeFor(ctx context.Context, daoURL, token, target string) Answer {
	begun := time.Now()
	return h.redemption("dao", token, "", begun, h.client.ExchangeFor(ctx, daoURL, token, "", target))
}

// Arrive is [Client.Arrive].
func (h *History) Arrive(ctx context.Context, fosURL, token, key string) Answer {
	begun := time.Now()
	return h.redemption("fos", token, key, begun, h.client.Arrive(ctx, fosURL, token, key))
}

func (h *History) redemption(half, token, key string, begun time.Time, a Answer) Answer {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.summary.Slowest = max(h.summary.Slowest, a.Took)
	if key == "" { // what has no key cannot be repeated: every such call is an attempt of its own
		h.keyless++
		key = fmt.Sprintf("#%d", h.keyless)
	}
	h.tell(half, token, key, a)
	h.add(Call{
		Token: token, Attempt: half + " " + key, Begun: begun, Ended: time.Now(),
		Outcome: OutcomeOf(a), Session: a.Session, HandoffID: a.HandoffID,
	})
	return a
}

// OutcomeOf reads the answer to an exchange or an arrival.
func OutcomeOf(a Answer) Outcome {
	switch {
	case a.OK():
		return Done
	case a.Unknown():
		return Unknown
	}
	switch why := a.Code + " " + a.Reason; why {
	case "token_used ", "handoff_invalid used":
		return Used
	case "token_wrong_target ":
		return Burnt
	case "token_unknown ", "token_expired ", "token_binding_failed ", "handoff_invalid expired", "handoff_invalid invalid":
		return Unredeemed
	case "identity_conflict ", "account_inactive ":
		return Unknown // the exchange before it went well
	}
	if a.Status == http.StatusConflict {
		return Unknown
	}
	return Untouched
}

// Add records a call that was made in another way.
func (h *History) Add(c Call) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.add(c)
}

func (h *History) add(c Call) {
	if _, known := h.tokens[c.Token]; !known {
		h.order = append(h.order, c.Token)
	}
	h.tokens[c.Token] = append(h.tokens[c.Token], c)
	h.summary.Calls++
	if c.isMint() {
		h.summary.Mints++
	} else {
		h.summary.Outcomes[c.Outcome]++
	}
}

// Summary counts the history so far.
func (h *History) Summary() Summary {
	h.mu.Lock()
	defer h.mu.Unlock()
	s := h.summary
	s.Tokens = len(h.tokens)
	return s
}

// maxFaults is how many are quoted; the rest is like them.
const maxFaults = 5

// Check fails the test for every token whose history no sequence of calls explains
// (I1, I8), for every one that the checker could not decide in time, and for every
// refusal that nobody may hear in this story ([History.MayHear]).
func (h *History) Check(t testing.TB) {
	t.Helper()
	faults := h.Faults()
	for _, fault := range faults[:min(maxFaults, len(faults))] {
		t.Error(fault)
	}
	if n := len(faults); n > maxFaults {
		t.Errorf("and %d faults more", n-maxFaults)
	}
}

// Faults says what [History.Check] finds.
func (h *History) Faults() []string { return h.FaultsWithin(checkTimeout) }

// FaultsWithin is Faults for which the search over each token's history may take as long
// as that; what is not decided by then is a fault.
func (h *History) FaultsWithin(each time.Duration) []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	faults := h.outOfPlace()
	for _, token := range h.order {
		calls := h.tokens[token]
		if problem := problemOf(calls, h.begun, each); problem != "" {
			faults = append(faults, problem+"\n"+h.quote(calls))
		}
	}
	return faults
}

// quote is a token's history for people, without the token.
func (h *History) quote(calls []Call) string {
	var text strings.Builder
	for _, c := range calls {
		what := c.Attempt
		if c.isMint() {
			what = "mint"
		}
		fmt.Fprintf(&text, "\t%10.3f to %10.3f ms  %-40s %s", sinceMs(h.begun, c.Begun), sinceMs(h.begun, c.Ended), what, c.Outcome)
		if c.Session != uuid.Nil {
			fmt.Fprintf(&text, " session %s", c.Session)
		}
		text.WriteByte('\n')
	}
	return text.String()
}

func sinceMs(from, at time.Time) float64 {
	return math.Round(float64(at.Sub(from).Microseconds())) / 1000
}
