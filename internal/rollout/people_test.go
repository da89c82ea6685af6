package rollout_test

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"testing"

	"github.com/google/uuid"

	"github.com/hello-world-co-op/handoff/internal/testkit"
)

// person is somebody who is signed in at both halves, in several tabs of each.
type person struct {
	fleet *fleet
	dao   *page            // has a session at the DAO half
	fos   *testkit.Browser // has a session at the FOS half, kept fresh
	other *testkit.Browser // arrives at the FOS half again and again
	late  *page            // shows what the others had before their last refresh
}

// people sign n members in: at the DAO half, and by hand-off at the FOS half.
func (f *fleet) people(t testing.TB, n int) []*person {
	t.Helper()
	var all []*person
	for i := range n {
		signedIn := f.SignIn(t, f.Member(t, uuid.NewString()+"@example.org"))
		who := &person{
			fleet: f, dao: &page{Browser: signedIn, fleet: f, csrf: signedIn.CSRF, anxious: i%2 == 1},
			fos: f.Browser(t), other: f.Browser(t), late: &page{Browser: f.Browser(t), fleet: f},
		}
		arrived := newTally()
		if !who.handOff(arrived, who.fos) {
			t.Fatal(arrived.take())
		}
		all = append(all, who)
	}
	return all
}

// round is what people do.
func (p *person) round(counted *tally) {
	p.lookAtDAO(counted)
	p.handOff(counted, p.other)
	p.me(counted, p.fos)
	p.asksServices(counted)
	p.endsAHandOff(counted)
	inTwoTabs(func() { p.refreshFOS(counted) })
	p.refreshFOSLate(counted)
	before := p.dao.Cookie(p.fleet.DAOURL, daoSession)
	p.refreshDAOInTabs(counted)
	p.refreshDAOLate(counted, before)
}

// inTwoTabs does it twice at the same moment.
func inTwoTabs(do func()) {
	var tabs sync.WaitGroup
	for range 2 {
		tabs.Go(do)
	}
	tabs.Wait()
}

// handOff goes the whole way: mint, arrive in this browser, and be somebody there.
func (p *person) handOff(counted *tally, arriving *testkit.Browser) bool {
	minted := p.dao.unsafe(counted, "/api/staging_token/mint", map[string]any{"entry_product": "think-tank"})
	if !counted.judge("mint", minted) {
		return false
	}
	arrived := p.atFOS(arriving, http.MethodPost, "cross-domain-login", map[string]any{"token": minted.Text("token")},
		testkit.Header{Name: "Idempotency-Key", Value: uuid.NewString()})
	return counted.judge("hand-off", arrived) && p.me(counted, arriving)
}

// endsAHandOff has a hand-off of its own in mind: the other half is told of it under the
// service token.
func (p *person) endsAHandOff(counted *tally) {
	minted := p.dao.unsafe(counted, "/api/staging_token/mint", map[string]any{"entry_product": "think-tank"})
	if counted.judge("mint", minted) {
		path := "/api/auth/handoffs/" + minted.Text("handoff_id")
		counted.judge("end of a hand-off", p.dao.send(counted, http.MethodDelete, path, nil))
	}
}

// asksServices is a request to a service behind the gateway, which asks who it is, and one
// of a service to another.
func (p *person) asksServices(counted *tally) {
	get := testkit.Header{Name: "X-Forwarded-Method", Value: http.MethodGet}
	counted.judge("gateway's question", ask(p.fos, http.MethodGet, p.fleet.authz.URL+"/authz/session", nil, get))
	if held := p.fleet.bearer.Load(); held != nil {
		shown := testkit.Header{Name: "Authorization", Value: "Bearer " + *held}
		counted.judge("gateway's question of a service", ask(p.late.Browser, http.MethodGet, p.fleet.authz.URL+"/authz/service", nil, get, shown))
	}
}

func (p *person) me(counted *tally, at *testkit.Browser) bool {
	return counted.judge("FOS me", p.atFOS(at, http.MethodGet, "me", nil))
}

func (p *person) refreshFOS(counted *tally) {
	counted.judge("FOS refresh", p.atFOS(p.fos, http.MethodPost, "refresh", nil))
}

// refreshFOSLate shows the pair before, as a tab whose request was slow does.
func (p *person) refreshFOSLate(counted *tally) {
	url := p.fleet.FOSURL + "/api/v1/auth/refresh"
	for name, path := range map[string]string{"access_token": "/", "refresh_token": "/api/v1/auth"} {
		p.late.Plant(url, &http.Cookie{Name: name, Value: p.fos.Cookie(url, name), Path: path})
	}
	p.refreshFOS(counted)
	counted.judge("FOS late tab", p.atFOS(p.late.Browser, http.MethodPost, "refresh", nil))
}

func (p *person) lookAtDAO(counted *tally) {
	answer := ask(p.dao.Browser, http.MethodGet, p.fleet.DAOURL+"/api/auth/session", nil)
	if answer.Status == http.StatusOK && answer.Body["authenticated"] != true {
		counted.count(signedOut, "DAO session is nobody's")
		return
	}
	counted.judge("DAO session", answer)
}

const (
	daoRefresh = "/api/auth/refresh"
	daoSession = "dao_session" // the cookie's name
)

func (p *person) refreshDAO(counted *tally) {
	counted.judge("DAO refresh", p.dao.unsafe(counted, daoRefresh, nil))
}

// refreshDAOInTabs: anxious pages take turns. Two that read a CSRF value in the same
// moment may each be given one, and share the cookie of the later.
func (p *person) refreshDAOInTabs(counted *tally) {
	if p.dao.anxious {
		p.refreshDAO(counted)
		return
	}
	inTwoTabs(func() { p.refreshDAO(counted) })
}

// refreshDAOLate shows the cookie before. It must lead to the same successor, which
// every replica can make again, or the tabs would sign each other out.
func (p *person) refreshDAOLate(counted *tally, before string) {
	const value = "csrf_token"
	url := p.fleet.DAOURL
	if before == p.dao.Cookie(url, daoSession) {
		counted.count(failed, "DAO refresh without effect")
		return
	}
	p.late.SetCookie(url, daoSession, before)
	p.late.csrf = p.dao.Cookie(url, value)
	p.late.SetCookie(url, value, p.late.csrf)
	answered := counted.judge("DAO late tab", p.late.unsafe(counted, daoRefresh, nil))
	if answered && p.late.Cookie(url, daoSession) != p.dao.Cookie(url, daoSession) {
		counted.count(failed, "DAO late tab was given another cookie")
	}
}

func (p *person) atFOS(b *testkit.Browser, method, path string, body any, headers ...testkit.Header) testkit.Answer {
	return ask(b, method, p.fleet.FOSURL+"/api/v1/auth/"+path, body, append(headers, testkit.Header{Name: "X-Requested-With", Value: "test"})...)
}

// ask sends one request, once. No answer at all is the zero Answer.
func ask(b *testkit.Browser, method, url string, body any, headers ...testkit.Header) testkit.Answer {
	answer, err := b.Try(context.Background(), method, url, body, headers...)
	if err != nil {
		return testkit.Answer{Raw: err.Error()}
	}
	return answer
}

// judge counts an answer under the name of what was asked for.
func (t *tally) judge(what string, answer testkit.Answer) bool {
	switch code := answer.Code(); {
	case answer.Status == http.StatusOK, answer.Status == http.StatusNoContent:
		t.count(done, what)
		return true
	case code == "session_required", code == "session_revoked":
		t.count(signedOut, what+" "+code)
	case code != "":
		t.count(failed, what+" "+code)
	default:
		t.count(failed, fmt.Sprintf("%s %d %.80s", what, answer.Status, answer.Raw))
	}
	return false
}
