package faulttest_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/hello-world-co-op/handoff/internal/faulttest"
)

// What the harness would say of histories that were written by hand: a harness that
// cannot fail proves nothing.

var (
	someSession  = uuid.MustParse("01890a5d-ac96-774b-bcce-b302099a8057")
	otherSession = uuid.MustParse("01890a5d-ac96-774b-bcce-b302099a8058")
)

// line is one call, from and to in milliseconds.
type line struct {
	from, to int
	attempt  string
	outcome  faulttest.Outcome
	session  uuid.UUID
}

func historyOf(lines []line) *faulttest.History {
	h := faulttest.NewHistory(nil)
	zero := time.Now()
	at := func(ms int) time.Time { return zero.Add(time.Duration(ms) * time.Millisecond) }
	for _, l := range lines {
		h.Add(faulttest.Call{
			Token: "one", Attempt: l.attempt, Begun: at(l.from), Ended: at(l.to), Outcome: l.outcome, Session: l.session,
		})
	}
	return h
}

const (
	done       = faulttest.Done
	used       = faulttest.Used
	unknown    = faulttest.Unknown
	burnt      = faulttest.Burnt
	unredeemed = faulttest.Unredeemed
	untouched  = faulttest.Untouched
)

var minted = line{0, 1, "", done, uuid.Nil}

func TestHistoriesThatCanHappenPass(t *testing.T) {
	t.Parallel()
	for name, lines := range map[string][]line{
		"redeemed once, then refused": {minted, {2, 3, "a", done, someSession}, {4, 5, "b", used, uuid.Nil}},
		"repeated by the same attempt": {
			minted, {2, 3, "a", done, someSession}, {4, 5, "a", done, someSession}, {6, 7, "b", used, uuid.Nil},
		},
		"I8: two browsers at once, and nobody gets it": {
			minted, {2, 9, "fos a", used, uuid.Nil}, {3, 8, "fos b", used, uuid.Nil},
		},
		"a repeat may be refused":       {minted, {2, 3, "a", done, someSession}, {4, 5, "a", used, uuid.Nil}},
		"two at once, one is refused":   {minted, {2, 6, "b", used, uuid.Nil}, {3, 7, "a", done, someSession}},
		"lost, and repeated":            {minted, {2, 3, "a", unknown, uuid.Nil}, {4, 5, "a", done, someSession}},
		"lost, and somebody else's":     {minted, {2, 3, "a", unknown, uuid.Nil}, {4, 5, "b", done, someSession}},
		"lost, and it had taken effect": {minted, {2, 3, "a", unknown, uuid.Nil}, {4, 5, "b", used, uuid.Nil}},
		"lost, and it took effect late": {
			minted, {2, 3, "a", unknown, uuid.Nil}, {4, 5, "b", unredeemed, uuid.Nil}, {6, 7, "b", used, uuid.Nil},
		},
		"an exchange tells no session":     {minted, {2, 3, "a", done, uuid.Nil}, {4, 5, "a", done, uuid.Nil}},
		"gone from Redis, and back":        {minted, {2, 3, "a", unredeemed, uuid.Nil}, {4, 5, "a", done, someSession}},
		"burnt, and the same answer again": {minted, {2, 3, "a", burnt, uuid.Nil}, {4, 5, "a", burnt, uuid.Nil}},
		"lost, and burnt":                  {minted, {2, 3, "a", unknown, uuid.Nil}, {4, 5, "a", burnt, uuid.Nil}},
		"burnt, then refused":              {minted, {2, 3, "a", burnt, uuid.Nil}, {4, 5, "b", used, uuid.Nil}},
		"limited, then redeemed":           {minted, {2, 3, "a", untouched, uuid.Nil}, {4, 5, "a", done, someSession}},
		"never minted, and never good":     {{2, 3, "a", unredeemed, uuid.Nil}},
		"a repeat just within its time":    {minted, {2, 3, "a", done, someSession}, {10003, 10004, "a", done, someSession}},
		"many lost, and one got through":   lost(4000, line{9000, 9001, "k7", done, someSession}, line{9002, 9003, "k8", used, uuid.Nil}),
		"many lost, one had taken effect":  lost(4000, line{9000, 9001, "x", used, uuid.Nil}),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if faults := historyOf(lines).Faults(); len(faults) > 0 {
				t.Errorf("%q", faults)
			}
		})
	}
}

func TestI1_HistoriesThatCannotHappenAreCaught(t *testing.T) {
	t.Parallel()
	for name, lines := range map[string][]line{
		"I8: refused as used, and nobody else was there": {minted, {2, 9, "fos a", used, uuid.Nil}, {3, 8, "fos #1", used, uuid.Nil}},
		"I8: two browsers at once, and then one of them": {
			minted, {2, 9, "fos a", used, uuid.Nil}, {3, 8, "fos b", used, uuid.Nil}, {10, 11, "fos a", done, someSession},
		},
		"double redemption":             {minted, {2, 3, "a", done, someSession}, {4, 5, "b", done, otherSession}},
		"double redemption at once":     {minted, {2, 6, "a", done, someSession}, {3, 7, "b", done, otherSession}},
		"by exchanges, without session": {minted, {2, 6, "a", done, uuid.Nil}, {3, 7, "b", done, uuid.Nil}},
		"two sessions by one attempt":   {minted, {2, 3, "a", done, someSession}, {4, 5, "a", done, otherSession}},
		"success after refused as used": {minted, {2, 3, "a", used, uuid.Nil}, {4, 5, "b", done, someSession}},
		"lost update: redeemed, then open": {
			minted, {2, 3, "a", done, someSession}, {4, 5, "b", unredeemed, uuid.Nil},
		},
		"used, though nobody used it":    {minted, {2, 3, "a", used, uuid.Nil}},
		"used before its only user":      {minted, {2, 3, "b", used, uuid.Nil}, {4, 5, "a", unknown, uuid.Nil}},
		"a lost one cannot serve two":    {minted, {2, 3, "a", unknown, uuid.Nil}, {4, 5, "b", done, someSession}, {6, 7, "a", done, otherSession}},
		"redeemed after it was burnt":    {minted, {2, 3, "a", burnt, uuid.Nil}, {4, 5, "b", done, someSession}},
		"burnt, then given to the same":  {minted, {2, 3, "a", burnt, uuid.Nil}, {4, 5, "a", done, someSession}},
		"redeemed, then burnt by itself": {minted, {2, 3, "a", done, uuid.Nil}, {4, 5, "a", burnt, uuid.Nil}},
		"lost, burnt, and redeemed":      {minted, {2, 3, "a", unknown, uuid.Nil}, {4, 5, "a", burnt, uuid.Nil}, {6, 7, "a", done, uuid.Nil}},
		"burnt after it was redeemed":    {minted, {2, 3, "a", done, someSession}, {4, 5, "b", burnt, uuid.Nil}},
		"redeemed and never minted":      {{2, 3, "a", done, someSession}},
		"redeemed before it was minted":  {{2, 3, "a", done, someSession}, {4, 5, "", done, uuid.Nil}},
		"minted twice":                   {minted, {2, 3, "", done, uuid.Nil}},
		"a repeat after its time":        {minted, {2, 3, "a", done, someSession}, {10010, 10011, "a", done, someSession}},
		"many lost, and two got through": lost(4000, line{9000, 9001, "k7", done, someSession},
			line{9002, 9003, "k8", done, otherSession}),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if faults := historyOf(lines).Faults(); len(faults) != 1 {
				t.Errorf("%d faults: %q", len(faults), faults)
			}
		})
	}
}

// lost is a token that n callers presented and heard nothing of, and then more.
func lost(n int, more ...line) []line {
	lines := []line{minted}
	for i := range n {
		lines = append(lines, line{2 + i, 3 + i, fmt.Sprintf("k%d", i), unknown, uuid.Nil})
	}
	return append(lines, more...)
}

func TestAFaultIsToldOfTheTokenThatHasIt(t *testing.T) {
	t.Parallel()
	h := faulttest.NewHistory(nil)
	at := time.Now()
	add := func(token, attempt string, session uuid.UUID) {
		at = at.Add(time.Millisecond)
		h.Add(faulttest.Call{Token: token, Attempt: attempt, Begun: at, Ended: at, Outcome: done, Session: session})
	}
	for _, token := range []string{"good", "bad", "fine"} {
		add(token, "", uuid.Nil)
		add(token, "first of "+token, someSession)
	}
	add("bad", "second of bad", otherSession)
	faults := h.Faults()
	if len(faults) != 1 || !strings.Contains(faults[0], "second of bad") || strings.Contains(faults[0], "good") {
		t.Errorf("%q", faults)
	}
}

func TestWhatAnswersSayOfATokenIsReadAsTheProtocolMeansIt(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		answer faulttest.Answer
		want   faulttest.Outcome
	}{
		{faulttest.Answer{Status: 200}, done},
		{faulttest.Answer{Err: fmt.Errorf("reset")}, unknown},
		{faulttest.Answer{Status: 503, Code: "dependency_unavailable"}, unknown},
		{faulttest.Answer{Status: 500, Code: "internal"}, unknown},
		{faulttest.Answer{Status: 400, Code: "token_used"}, used},
		{faulttest.Answer{Status: 401, Code: "handoff_invalid", Reason: "used"}, used},
		{faulttest.Answer{Status: 401, Code: "handoff_invalid", Reason: "expired"}, unredeemed},
		{faulttest.Answer{Status: 401, Code: "handoff_invalid", Reason: "invalid"}, unredeemed},
		{faulttest.Answer{Status: 400, Code: "token_unknown"}, unredeemed},
		{faulttest.Answer{Status: 400, Code: "token_wrong_target"}, burnt},
		{faulttest.Answer{Status: 429, Code: "rate_limited"}, untouched},
		{faulttest.Answer{Status: 409, Code: "identity_conflict"}, unknown},
		{faulttest.Answer{Status: 403, Code: "account_inactive"}, unknown},
	} {
		if got := faulttest.OutcomeOf(test.answer); got != test.want {
			t.Errorf("%v: %v, want %v", test.answer, got, test.want)
		}
	}
}
