package ratelimit

import (
	"context"
	"time"
)

// Login is the rule for password logins, of both halves. It is safe for concurrent
// use.
//
//	tries                                  unknown browser   known browser
//	per address                            counted           counted
//	failed, per account and address        counted           not counted
//	per account                            counted           not counted
//	failed, per account and browser        there is none     counted
//
// Accounts that do not exist are counted like those that do: the rule never asks.
type Login struct {
	limiter *Limiter
	devices *Devices
	limits  Limits
}

// LoginConfig is what a [Login] works with. The numbers are tries a minute.
type LoginConfig struct {
	Limiter *Limiter
	Devices *Devices
	// FailedPerMinute are failed tries per account and address, and per account and
	// known browser.
	FailedPerMinute int
	// PerAddress are all tries per address.
	PerAddress int
	// PerAccount are all tries per account from unknown browsers.
	PerAccount int
}

// NewLogin makes the rule.
func NewLogin(config LoginConfig) *Login {
	return &Login{
		limiter: config.Limiter, devices: config.Devices,
		limits: Numbers{
			LoginFailed: config.FailedPerMinute, LoginAddress: config.PerAddress, LoginAccount: config.PerAccount,
		}.Limits(),
	}
}

// Attempt is one try to sign in.
type Attempt struct {
	// Account is the canonical email, or whatever was sent in its place. It is told
	// apart by its bytes, ASCII letters in lower case.
	Account string
	// Address is the pseudonym of the client's address, empty if unknown.
	Address string
	// Device is the value of the known-device cookie, whatever it may be.
	Device string
	Now    time.Time
}

// Tried is a try that may go on to the password.
type Tried struct {
	limiter *Limiter
	failed  budget
}

// Try counts the attempt, before the password is looked at. It returns
// [*Exceeded], or an *outage.Error when Redis cannot say, and then the password
// must not be looked at.
//
// The own budgets come first: an address that is over its limit takes nothing from
// the account's, and one that has failed five times there takes no sixth, so that
// one stranger uses up at most a quarter of it (by the default numbers).
func (p *Login) Try(ctx context.Context, a Attempt) (*Tried, error) {
	account := fold(a.Account)
	budgets := []budget{p.limiter.budget(p.limits.LoginAddress, a.Address)}
	if device, known := p.devices.Check(a.Device, account, a.Now); known {
		budgets = append(budgets, p.limiter.budget(p.limits.LoginDevice, account, device))
	} else {
		budgets = append(budgets,
			p.limiter.budget(p.limits.LoginFailed, account, a.Address),
			p.limiter.budget(p.limits.LoginAccount, account))
	}
	if err := p.limiter.takeEach(ctx, budgets...); err != nil {
		return nil, err
	}
	const failures = 1 // the place of the budget that counts failures only
	return &Tried{p.limiter, budgets[failures]}, nil
}

// Succeeded is called when the password was right, whether or not the account may
// sign in: it empties the count of failures, and nothing else. The tries of the
// address and of the account stay counted, or an attacker with an account of their
// own could wash their address clean.
func (t *Tried) Succeeded(ctx context.Context) { t.limiter.forget(ctx, t.failed) }

// Unjudged is called when nobody looked at the password after all: the store was
// away, or the queue for hashing was full. One failure is given back, not all:
// else whoever can bring that about would wash off their guesses.
func (t *Tried) Unjudged(ctx context.Context) {
	t.limiter.undo(ctx, t.failed, t.limiter.store.giveBack)
}
