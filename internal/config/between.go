package config

import "slices"

// between checks what holds between variables of different parts.
func (l *loader) between(c *Config) {
	l.listeners(c)
	l.reuse.compare(&l.faults)
	if c.Halves.DAO && c.Halves.FOS {
		l.separateDatabases(c)
		l.reachableTarget(c)
		l.startableProducts(c)
	}
}

// listeners refuses two listeners on one address: the second would fail at start,
// and /metrics would be one wrong port from the public.
func (l *loader) listeners(c *Config) {
	addrs := []struct{ variable, addr string }{{"DAO_ADDR", c.DAO.Addr}, {"FOS_ADDR", c.FOS.Addr}, {"AUTHZ_ADDR", c.FOS.AuthzAddr}}
	if c.MetricsEnabled {
		addrs = append(addrs, struct{ variable, addr string }{"METRICS_ADDR", c.MetricsAddr})
	}
	for i, a := range addrs {
		for _, b := range addrs[:i] {
			if sameListener(a.addr, b.addr) {
				l.faults.add(a.variable, "is the same listener as "+b.variable)
			}
		}
	}
}

// separateDatabases holds I14: both halves have a table public.audit_log and a
// migration history, which one database would run into each other.
func (l *loader) separateDatabases(c *Config) {
	dao, _, okDAO := databaseAt(c.DAO.DatabaseURL)
	fos, _, okFOS := databaseAt(c.FOS.DatabaseURL)
	if okDAO && okFOS && dao == fos {
		l.faults.add("DAO_DATABASE_URL", "is the same database as DATABASE_URL; the halves share none")
	}
}

// reachableTarget refuses a pair of halves that can never meet: every token would
// be burnt as shown for the wrong target (I7).
func (l *loader) reachableTarget(c *Config) {
	const variable = "CROSS_DOMAIN_EXPECTED_TARGET"
	if c.FOS.OracleBridgeURL != "" || l.faults.has(variable) || l.faults.has("HANDOFF_TARGETS") {
		return
	}
	if !slices.Contains(c.DAO.targetDomains(), c.FOS.ExpectedTarget) {
		l.faults.add(variable, "is none of HANDOFF_TARGETS' domains")
	}
}

// startableProducts refuses journeys that could begin here and never be minted for.
func (l *loader) startableProducts(c *Config) {
	const variable = "DAO_START_URLS"
	if c.FOS.OracleBridgeURL != "" || l.faults.has(variable) || l.faults.has("HANDOFF_ENTRY_PRODUCTS") {
		return
	}
	for product := range c.FOS.StartURLs {
		if !slices.Contains(c.DAO.EntryProducts, product) {
			l.faults.add(variable, "has a product that is none of HANDOFF_ENTRY_PRODUCTS")
			return
		}
	}
}
