package handoff_test

import (
	"time"

	"github.com/google/uuid"

	"github.com/hello-world-co-op/handoff/internal/testkit"
	"github.com/hello-world-co-op/handoff/internal/token"
)

// The model of a token for the state machine of exchange_machine_test.go: what the
// protocol's section 4 and I1, I2, I7, I8 promise, in the fewest words, without a
// store. It knows what a call's trouble did, which its caller may not.

// trouble is what happens to a call on a store.
type trouble int

const (
	well       trouble = iota
	refused            // the call did nothing, and the caller hears of an outage
	unanswered         // the call took effect, and the caller hears of an outage all the same
)

// troubles of the calls of one exchange or mint.
type troubles struct{ get, gate, find, note, tidy, mint, put trouble }

// verdict is what a caller hears.
type verdict string

const (
	granted     verdict = "granted"
	used        verdict = "used"
	expired     verdict = "expired"
	unknown     verdict = "unknown"
	wrongly     verdict = "wrong target"
	unboundHere verdict = "unbound"
	outOfOrder  verdict = "outage"
)

// carried is what Redis has under a token's digest.
type carried int

const (
	noClaims      carried = iota
	ownClaims             // sealed for it
	foreignClaims         // sealed for another
)

// source is a DAO session, and whether its member is active.
type source struct {
	id     uuid.UUID
	idleAt time.Time
	ended  bool
	active *bool
}

func (s *source) live() bool { return !s.ended && *s.active }

// closed is how a token was redeemed.
type closed struct {
	at    time.Time
	by    attempt
	burnt bool
}

// attempt tells one try from another: its Idempotency-Key or, without one, a number
// that no other try has.
type attempt struct {
	key    string
	number int
}

// journey is one token.
type journey struct {
	id       uuid.UUID
	tok      token.Token
	verifier string // "": bound to no browser
	expires  time.Time
	source   *source
	carried  carried
	retired  bool // what Redis has ends soon
	closed   *closed
	rows     map[string]int // audit rows, by event and reason
}

// showing is one presentation.
type showing struct {
	by         attempt
	target     string // "": none is named
	restricted string // the caller's one target, "": all
	verifier   string
	troubles
}

func (j *journey) misdirected(s showing) bool {
	return s.target != "" && s.target != testkit.Target || s.restricted != "" && s.restricted != testkit.Target
}

// fate is what becomes of a presentation when nothing is in trouble.
type fate struct {
	told  verdict
	asks  bool   // the ledger is asked whether it should redeem
	gate  bool   // the ledger is asked to redeem
	opens bool   // and does
	row   string // the audit row of it
}

func (j *journey) fate(s showing, now time.Time) fate {
	readable, early := j.carried == ownClaims, now.Before(j.expires)
	proper := readable && !j.misdirected(s) && s.verifier == j.verifier
	f := fate{gate: readable && early && (proper || j.misdirected(s))}
	switch {
	case j.closed != nil:
		age := now.Sub(j.closed.at)
		own := s.by == j.closed.by && s.by.key != "" && early && age <= 10*time.Second // I8
		if own && !j.closed.burnt && proper {
			f.told = granted
			return f
		}
		if own && !j.closed.burnt && readable && !j.misdirected(s) && j.verifier == "" { // the same, with a verifier that nobody demands
			f.told, f.row = unboundHere, "handoff.refused token_binding_failed"
			return f
		}
		if own && j.closed.burnt && j.misdirected(s) {
			f.told = wrongly
			return f
		}
		f.told, f.row = used, "handoff.replayed token_used"
		if readable && age > 4*time.Second && (!j.retired || age > 20*time.Second) { // it should be gone, or going
			f.row = "handoff.replayed resurrected"
		}
	case !early: // I2
		f.told, f.row = expired, "handoff.refused token_expired"
	case readable && j.misdirected(s): // I7
		f.told, f.opens, f.row = wrongly, true, "handoff.refused token_wrong_target"
	case !j.source.live():
		f.told, f.row = unknown, "handoff.refused source_ended"
	case j.carried == foreignClaims:
		f.told, f.row = unknown, "handoff.refused seal_broken"
	case !readable && j.misdirected(s): // also when Redis has lost it, and may bring it back
		f.told, f.asks, f.gate, f.opens, f.row = wrongly, true, true, true, "handoff.refused token_wrong_target"
	case !readable:
		f.told, f.row = unknown, "handoff.refused token_unknown"
	case !proper:
		f.told, f.row = unboundHere, "handoff.refused token_binding_failed"
	default:
		f.told, f.opens, f.row = granted, true, "handoff.exchanged "
	}
	return f
}

// present is what a presentation leads to, with the trouble that it has on its way.
// I1 is in it twice: what is told as an outage has consumed nothing, unless an answer
// was lost, and whose answer was lost is told the truth where it can be found out.
func (j *journey) present(s showing, now time.Time) verdict {
	if s.get != well {
		return outOfOrder
	}
	f := j.fate(s, now)
	if f.asks && s.find != well {
		return outOfOrder
	}
	if f.opens && s.gate != refused {
		j.rows[f.row]++
		j.closed = &closed{at: now, by: s.by, burnt: f.told == wrongly}
	}
	switch {
	case f.gate && s.gate != well: // then the ledger is asked who it was
		ours := (f.told == granted || f.told == wrongly) && (!f.opens || s.gate == unanswered)
		if !ours || s.find != well {
			return outOfOrder
		}
		j.tidy(s)
		return f.told
	case f.opens:
		j.tidy(s)
		return f.told
	case s.find != well:
		return outOfOrder
	case f.row == "": // a repeat: nothing new happens
		return f.told
	}
	if s.note != refused {
		j.rows[f.row]++
	}
	if s.note != well {
		return outOfOrder
	}
	return f.told
}

// tidy is what happens in Redis behind the answer.
func (j *journey) tidy(s showing) {
	switch {
	case s.tidy == refused:
	case j.closed.burnt:
		j.carried = noClaims
	default:
		j.retired = true
	}
}
