package e2e_test

import (
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// Whoever comes back after lunch is still signed in, at both sites: the half hours
// of the access token and of the idle time are over, the sessions are not.
func TestASessionOutlastsItsHalfHour(t *testing.T) {
	t.Parallel()
	s := open(t, usualNames)
	p := s.person(t)
	p.isAda()
	p.opens()

	s.pass(time.Hour)
	p.refusals = []string{"GET /api/v1/auth/me 401"} // the page's reason to refresh
	p.do(chromedp.Reload())
	p.sees(`html[data-state="in"] #sign-out`)
	p.expect("user-name", adaName)

	p.visit(s.thinkTank+"/", atHome)
	p.expect("signed-in-name", adaName)
	for half, pool := range map[string]int{
		"the DAO half": s.count(t, s.dao, "SELECT count(*) FROM audit_log WHERE event = 'session.refreshed'"),
		"the FOS half": s.count(t, s.fos, "SELECT count(*) FROM audit_log WHERE event = 'session.refreshed'"),
	} {
		if pool != 1 {
			t.Errorf("%s recorded %d refreshes", half, pool)
		}
	}
}
