package app_test

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/hello-world-co-op/handoff/internal/audit"
	"github.com/hello-world-co-op/handoff/internal/handoff"
	"github.com/hello-world-co-op/handoff/internal/httpapi"
	"github.com/hello-world-co-op/handoff/internal/testkit"
)

// steps names the figures of a step: how many, and how many seconds all together.
func steps(half, from, to string) (count, sum string) {
	labels := fmt.Sprintf(`{from=%q,half=%q,to=%q}`, from, half, to)
	return "handoff_step_duration_seconds_count" + labels, "handoff_step_duration_seconds_sum" + labels
}

func stage(half, stage string) string {
	return fmt.Sprintf(`handoff_stage_total{half=%q,stage=%q}`, half, stage)
}

func outcome(half, stage, outcome string) string {
	return fmt.Sprintf(`handoff_outcomes_total{half=%q,outcome=%q,stage=%q}`, half, outcome, stage)
}

// The funnel: how many hand-offs come how far, and how long each step takes. One person is
// asked and says yes, one says no, one loses the link, and a reload counts for nobody.
func TestTheMetricsTellHowFarHandoffsCome(t *testing.T) {
	t.Parallel()
	for name, overHTTP := range map[string]bool{"in process": false, "over HTTP": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := testkit.Start(t, testkit.Options{OverHTTP: overHTTP, Env: measuredWith(map[string]string{"HANDOFF_UNBOUND": "confirm"})})
			want := map[string]float64{
				stage("dao", "minted"): 3, stage("dao", "exchanged"): 2,
				stage("fos", "arrived"): 2, stage("fos", "asked"): 2, stage("fos", "agreed"): 1, stage("fos", "declined"): 1, stage("fos", "session"): 1,
			}
			for _, step := range []struct {
				half, from, to string
				n, seconds     float64
			}{
				{"dao", "minted", "exchanged", 2, 6}, {"fos", "minted", "arrived", 2, 6}, {"fos", "arrived", "asked", 2, 0},
				{"fos", "asked", "agreed", 1, 20}, {"fos", "asked", "declined", 1, 20}, {"fos", "agreed", "session", 1, 0},
			} {
				count, sum := steps(step.half, step.from, step.to)
				want[count], want[sum] = step.n, step.seconds
			}
			maps.DeleteFunc(want, func(_ string, v float64) bool { return v == 0 })
			names := []string{"handoff_stage_total", "handoff_step_duration_seconds_count", "handoff_step_duration_seconds_sum"}
			wantChange(t, s, names, want, func() {
				s.SignIn(t, s.Member(t, "lost@example.org")).MintToken()
				for email, says := range map[string]string{"yes@example.org": "confirm", "no@example.org": "decline"} {
					b, token := s.Browser(t), s.SignIn(t, s.Member(t, email)).MintToken()
					s.Clock.Advance(3 * time.Second)
					asked := b.Arrive(token)
					b.Arrive(token) // a reload: asked already
					s.Clock.Advance(20 * time.Second)
					for range 2 { // a double click
						b.FOSPost("cross-domain/"+says, map[string]any{"handoff_id": asked.Text("handoff_id")})
					}
				}
			})
		})
	}
}

// Who needs not be asked is in with one step, and a browser that repeats itself is one
// arrival.
func TestTheMetricsTellOfAnArrivalOnce(t *testing.T) {
	t.Parallel()
	s := testkit.Start(t, testkit.Options{Env: measured})
	wantChange(t, s, []string{"handoff_stage_total"}, map[string]float64{
		stage("dao", "minted"): 1, stage("dao", "exchanged"): 1, stage("fos", "arrived"): 1, stage("fos", "session"): 1,
	}, func() {
		b, token := s.Browser(t), s.SignIn(t, s.Member(t, "ada@example.org")).MintToken()
		for range 2 {
			if answer := b.Arrive(token, ownKey); answer.Status != http.StatusOK {
				t.Errorf("%d %s", answer.Status, answer.Raw)
			}
		}
	})
}

// What each request of a stage came to, by the code that its sender was told.
func TestTheMetricsTellWhatRequestsCameTo(t *testing.T) {
	t.Parallel()
	s := testkit.Start(t, testkit.Options{OverHTTP: true, Env: measuredWith(map[string]string{"RATE_LIMIT_MINT_PER_MINUTE": "3"})})
	ada := s.SignIn(t, s.Member(t, "ada@example.org"))
	want := map[string]float64{
		outcome("dao", "mint", "ok"): 3, outcome("dao", "mint", "rate_limited"): 1, outcome("dao", "mint", "invalid_request"): 1,
		outcome("dao", "mint", "session_required"): 1,
		outcome("dao", "exchange", "ok"):           1, outcome("dao", "exchange", "invalid_service_token"): 1, outcome("dao", "exchange", "token_used"): 1,
		outcome("dao", "exchange", "token_expired"): 1, outcome("dao", "exchange", "token_unknown"): 1,
		outcome("fos", "login", "ok"): 1, outcome("fos", "login", "handoff_used"): 1, outcome("fos", "login", "handoff_expired"): 1,
		outcome("fos", "login", "handoff_invalid"): 1, outcome("fos", "login", "token_malformed"): 1,
	}
	wantChange(t, s, []string{"handoff_outcomes_total"}, want, func() {
		first, late := ada.MintToken(), ada.MintToken()
		ada.Mint(map[string]any{"entry_product": "ada@example.org"})
		ada.MintToken()
		wantCode(t, ada.Mint(nil), "rate_limited")
		s.Browser(t).Post(s.DAOURL+"/api/staging_token/mint", map[string]any{"entry_product": "dao"})
		ada.Exchange(first, testkit.Header{Name: "Authorization"}, testkit.Header{Name: "Authorization", Value: "Bearer no"})
		for _, token := range []string{first, first, strings.Repeat("0f", 32), "no token"} {
			s.Browser(t).Arrive(token)
		}
		s.Clock.Advance(time.Minute + time.Second)
		s.Browser(t).Arrive(late)
	})
}

// I4: that audit cannot be written is an alarm, and whether it will pass by itself.
func TestI4_theMetricsTellThatAuditCannotBeWritten(t *testing.T) {
	t.Parallel()
	s := testkit.Start(t, testkit.Options{})
	linked := s.Linked(t, measured)
	ada := linked.SignIn(t, s.Member(t, "ada@example.org"))
	lost := func(half, why string) string {
		return fmt.Sprintf(`handoff_audit_failures_total{half=%q,why=%q}`, half, why)
	}
	names := []string{"handoff_audit_failures_total", rowsTotal}

	testkit.Exec(t, s.DAO, `ALTER TABLE audit_log ADD CONSTRAINT no CHECK (false) NOT VALID`)
	wantChange(t, linked.Service, names, map[string]float64{lost("dao", "refused"): 1}, func() {
		wantCode(t, ada.Mint(nil), "dependency_unavailable")
	})
	testkit.Exec(t, s.DAO, `ALTER TABLE audit_log DROP CONSTRAINT no`)
	token := ada.MintToken()
	linked.FOSPostgres.Cut()
	figures := changed(scraped(t, linked.Service), func() map[string]float64 {
		wantCode(t, linked.Browser(t).Arrive(token, ownKey), "dependency_unavailable")
		return scraped(t, linked.Service)
	}(), "handoff_audit_failures_total")
	if figures[lost("fos", "unavailable")] < 1 || len(figures) != 1 {
		t.Errorf("a database that is away: %v", figures)
	}
}

// Who is refused by which limit.
func TestTheMetricsTellWhichLimitsRefuse(t *testing.T) {
	t.Parallel()
	s := testkit.Start(t, testkit.Options{Env: measuredWith(map[string]string{
		"RATE_LIMIT_MINT_PER_MINUTE": "1", "RATE_LIMIT_ARRIVAL_PER_MINUTE": "1", "RATE_LIMIT_EXCHANGE_FAILURES_PER_MINUTE": "1",
		"RATE_LIMIT_LOGIN_ADDRESS_PER_MINUTE": "1",
	})})
	ada, b := s.SignIn(t, s.Member(t, "ada@example.org")), s.Browser(t)
	limit := func(half, name string) string {
		return fmt.Sprintf(`handoff_rate_limit_refused_total{half=%q,limit=%q}`, half, name)
	}
	wantChange(t, s, []string{"handoff_rate_limit_refused_total"}, map[string]float64{
		limit("dao", "mint"): 1, limit("fos", "arrival"): 1, limit("dao", "exchange-failures"): 1, limit("dao", "login-address"): 1,
	}, func() {
		for range 2 {
			ada.Mint(nil)
			b.Arrive(strings.Repeat("0f", 32))
			b.Post(s.DAOURL+"/api/staging_token/exchange", map[string]any{"token": strings.Repeat("0f", 32)}, bearer("no"))
			b.Post(s.DAOURL+"/api/auth/login", map[string]any{"email": "nobody@example.org", "password": "no"})
		}
	})
}

// What the half's stores and the other half take, and which of them does not answer.
func TestTheMetricsTellWhichDependencyIsSlow(t *testing.T) {
	t.Parallel()
	s := testkit.Start(t, testkit.Options{OverHTTP: true, Env: measured})
	ada := s.SignIn(t, s.Member(t, "ada@example.org"))
	of := func(half, dependency, result string) string {
		return fmt.Sprintf(`handoff_dependency_duration_seconds_count{dependency=%q,half=%q,result=%q}`, dependency, half, result)
	}
	before := scraped(t, s)
	if answer := s.Browser(t).Arrive(ada.MintToken()); answer.Status != http.StatusOK {
		t.Fatalf("%d %s", answer.Status, answer.Raw)
	}
	after := scraped(t, s)
	for _, name := range []string{of("dao", "postgres", "answered"), of("dao", "redis", "answered"), of("fos", "postgres", "answered"), of("fos", "redis", "answered")} {
		if after[name] <= before[name] {
			t.Errorf("%s: %v", name, after[name])
		}
	}
	if after[of("fos", "peer", "answered")] != 1 {
		t.Errorf("the other half was asked %v times", after[of("fos", "peer", "answered")])
	}
	// A second use is refused by the statement's own answer: nothing has failed.
	wantCode(t, s.Browser(t).Arrive(strings.Repeat("0f", 32)), "handoff_invalid")
	for name, n := range scraped(t, s) {
		if strings.HasPrefix(name, "handoff_dependency_duration_seconds_count") && strings.Contains(name, `"failed"`) && n != 0 {
			t.Errorf("%s: %v", name, n)
		}
	}
	s.ToFOS.Cut()
	ada.Post(s.DAOURL+"/api/auth/logout", nil, csrf(ada))
	eventually(t, func() string {
		if scraped(t, s)[of("dao", "peer", "failed")] > 0 {
			return ""
		}
		return "the news to the other half did not fail"
	})
}

// Pools and the passwords' queue: what there is, and what is taken of it.
func TestTheMetricsTellWhatThereIsOfEverything(t *testing.T) {
	t.Parallel()
	s := testkit.Start(t, testkit.Options{Env: measured})
	figures := scraped(t, s)
	for _, half := range []string{"dao", "fos"} {
		if most := figures[fmt.Sprintf(`handoff_pool_connections{half=%q,state="most",store="postgres"}`, half)]; most != 16 {
			t.Errorf("%s: %v connections to Postgres at most", half, most)
		}
		for _, store := range []string{"postgres", "redis"} {
			for _, name := range []string{"handoff_pool_waits_total", "handoff_pool_wait_seconds_total", "handoff_pool_timeouts_total"} {
				if _, there := figures[fmt.Sprintf(`%s{half=%q,store=%q}`, name, half, store)]; !there {
					t.Errorf("%s has no %s of %s", half, name, store)
				}
			}
		}
	}
	slots, queue := figures[`handoff_password_hashing{state="slots"}`], figures[`handoff_password_hashing{state="queue"}`]
	if slots < 1 || queue != 4*slots {
		t.Errorf("%v slots, %v may wait", slots, queue)
	}
}

// I6: a label's value is a word of ours. All that a story has put into labels is looked up
// in the closed sets, and none of what people sent is there.
func TestI6_labelsAreOfClosedSets(t *testing.T) {
	t.Parallel()
	s := testkit.Start(t, testkit.Options{OverHTTP: true, Env: measured})
	ada := s.SignIn(t, s.Member(t, "ada@example.org"))
	token := ada.MintToken()
	answer := s.Browser(t).Arrive(token, testkit.Header{Name: "User-Agent", Value: "Ada's browser"})
	s.Browser(t).Do("BREW", s.FOSURL+"/"+uuid.NewString()+"?token="+token, nil)
	s.Browser(t).Post(s.DAOURL+"/api/staging_token/exchange", map[string]any{"token": "ada@example.org"}, bearer(testkit.ServiceToken))

	words := []string{"", "dao", "fos", "postgres", "redis", "peer", "answered", "failed", "used", "idle", "most", "running", "slots", "waiting", "queue", "current", "previous", "test"}
	words = append(words, keyID(testkit.ServiceToken), "unmatched", "other", "unavailable", "refused")
	words = append(words, httpapi.Stages()...)
	words = append(words, httpapi.Outcomes()...)
	for _, step := range handoff.Steps() {
		words = append(words, string(step.From), string(step.To))
	}
	for _, e := range audit.Events() {
		words = append(words, string(e))
	}
	for _, o := range audit.Outcomes() {
		words = append(words, string(o))
	}
	for _, r := range audit.Reasons() {
		words = append(words, string(r))
	}
	for name := range scraped(t, s) {
		_, labels, _ := strings.Cut(strings.TrimSuffix(name, "}"), "{")
		for pair := range strings.SplitSeq(labels, ",") {
			label, value, _ := strings.Cut(pair, "=")
			value = strings.Trim(value, `"`)
			switch {
			case strings.HasPrefix(name, "go_"), label == "le", label == "quantile", label == "limit":
			case label == "route", label == "method", label == "status": // internal/httpapi
			case !slices.Contains(words, value):
				t.Errorf("%s: %q is no word of ours", name, value)
			}
		}
		for _, sent := range []string{token, "ada", "Ada", "127.0.0.1", answer.Text("handoff_id"), testkit.ServiceToken} {
			if strings.Contains(name, sent) {
				t.Errorf("%s holds %q", name, sent)
			}
		}
	}
	if diff := cmp.Diff(`handoff_service_token_key{key_id="`+keyID(testkit.ServiceToken)+`",use="current"}`, first(scraped(t, s), "handoff_service_token_key")); diff != "" {
		t.Error(diff)
	}
}

// first is a name that begins so.
func first(figures map[string]float64, prefix string) string {
	for name := range figures {
		if strings.HasPrefix(name, prefix) {
			return name
		}
	}
	return ""
}
