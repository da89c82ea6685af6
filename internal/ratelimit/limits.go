package ratelimit

// Numbers are the tries a minute that an operator configured, at least 1 each.
// Those of a half that does not run may be zero; its limits then refuse to work.
type Numbers struct {
	LoginFailed  int // 5 by default
	LoginAddress int // 30
	LoginAccount int // 20

	Mint             int // 30
	Arrival          int // 30
	ExchangeFailures int // 60
}

// Limits are all limits of the service.
type Limits struct {
	LoginAddress Limit // per address
	LoginFailed  Limit // per account and address; failures only
	LoginAccount Limit // per account, from unknown browsers
	LoginDevice  Limit // per account and known browser; failures only

	Mint             Limit // per session, in its row
	Arrival          Limit // per address
	ExchangeFailures Limit // per address of the peer; wrong bearers only
}

// Limits names each limit and makes its choice.
//
// Logins are Closed. A limit on guessing passwords that opens when Redis is slow
// is an invitation to make Redis slow; and a half without Redis is not ready
// anyway.
//
// A mint is counted in its session's row ([Rows]), by the statement that it is.
//
// An arrival is Open. It shows 256 random bits, which nobody guesses at any
// speed; the limit spares the exchange behind it. An honest person has 60 seconds,
// and must not lose their hand-off to a limiter.
//
// A wrong bearer on exchange is Open for the same reason: it is at least 32 bytes
// long, a good one never comes here, and a 401 must not become a 503 that the
// peer repeats.
func (n Numbers) Limits() Limits {
	return Limits{
		LoginAddress: Limit{Name: "login-address", PerMinute: n.LoginAddress, OnOutage: Closed},
		LoginFailed:  Limit{Name: "login-failed", PerMinute: n.LoginFailed, OnOutage: Closed},
		LoginAccount: Limit{Name: "login-account", PerMinute: n.LoginAccount, OnOutage: Closed},
		LoginDevice:  Limit{Name: "login-device", PerMinute: n.LoginFailed, OnOutage: Closed},

		Mint:             Limit{Name: "mint", PerMinute: n.Mint},
		Arrival:          Limit{Name: "arrival", PerMinute: n.Arrival, OnOutage: Open},
		ExchangeFailures: Limit{Name: "exchange-failures", PerMinute: n.ExchangeFailures, OnOutage: Open},
	}
}

// all are the limits.
func (l Limits) all() []Limit {
	return []Limit{l.LoginAddress, l.LoginFailed, l.LoginAccount, l.LoginDevice, l.Mint, l.Arrival, l.ExchangeFailures}
}
