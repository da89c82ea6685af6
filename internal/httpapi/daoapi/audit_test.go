package daoapi_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/hello-world-co-op/handoff/internal/privacy"
	"github.com/hello-world-co-op/handoff/internal/testkit"
)

// I4: every answer that mints, exchanges, signs in or ends something has exactly
// one audit row, complete, under the request's own id.
func TestI4_everySuccessIsRecordedOnce(t *testing.T) {
	t.Parallel()
	s := testkit.Start(t, testkit.Options{})
	who := s.Member(t, "ada@example.org", withPassword(t))
	b := s.Browser(t)
	login := wantOK(t, login(b, s.DAOURL, map[string]any{"email": "ada@example.org", "password": testkit.Password}))
	b.FetchCSRF()
	wantOK(t, b.Get(s.DAOURL+sessionPath)) // reading is not recorded
	mint := wantOK(t, b.Mint(nil))
	exchange := wantOK(t, present(b, s.DAOURL, mint.Text("token"), nil, key(firstKey)))
	repeat := wantOK(t, present(b, s.DAOURL, mint.Text("token"), nil, key(firstKey)))
	refresh := wantOK(t, b.Post(s.DAOURL+refreshPath, nil, header("X-CSRF-Token", b.CSRF)))
	logout := wantOK(t, b.Post(s.DAOURL+logoutPath, nil, header("X-CSRF-Token", b.CSRF)))

	for event, answer := range map[string]testkit.Answer{
		"session.created": login, "handoff.minted": mint, "handoff.exchanged": exchange, "session.refreshed": refresh, "session.ended": logout,
	} {
		onJourney := strings.HasPrefix(event, "handoff.")
		n := testkit.Count(t, s.DAO, `SELECT count(*) FROM audit_log WHERE event = $1 AND outcome = 'success' AND actor_id = $2 AND request_id = $3
			AND at = $4 AND origin ~ '^[0-9a-f]{32}$' AND origin_key = $5
			AND (handoff_id::text = $6) IS NOT DISTINCT FROM NULLIF($7, false) AND (entry_product = 'think-tank' AND target_domain = $8) IS NOT DISTINCT FROM NULLIF($7, false)`,
			event, who.ID, answer.Text("request_id")+answer.Header.Get("X-Request-ID"), s.Clock.Now(),
			testkit.Key(t, testkit.PseudonymKey).KeyID(), mint.Text("handoff_id"), onJourney, testkit.Target)
		if n != 1 {
			t.Errorf("%d complete rows of %s", n, event)
		}
	}
	if n := testkit.Count(t, s.DAO, `SELECT count(*) FROM audit_log WHERE request_id = $1`, repeat.Header.Get("X-Request-ID")); n != 0 {
		t.Errorf("the repeat wrote %d rows: nothing new happened", n)
	}
	wantEvents(t, s, "session.created success password", "handoff.minted success", "handoff.exchanged success",
		"session.refreshed success rotated", "session.ended success logout")
}

// noAudit are ways in which the audit log cannot be written, and back.
var noAudit = map[string][2]string{
	"the disk refuses, as far as Postgres can tell": {
		`ALTER TABLE audit_log ADD CONSTRAINT full_disk CHECK (false) NOT VALID`, `ALTER TABLE audit_log DROP CONSTRAINT full_disk`,
	},
	"an operator's trigger raises": {
		`CREATE FUNCTION no() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION $$no$$; END';
			CREATE TRIGGER no BEFORE INSERT ON audit_log EXECUTE FUNCTION no()`, `DROP TRIGGER no ON audit_log`,
	},
	"the table is being replaced": {`ALTER TABLE audit_log RENAME TO away`, `ALTER TABLE away RENAME TO audit_log`},
}

// I4: when audit cannot be written the request fails with 503, gives no credential
// and changes nothing; once it can be written again, the same token is good.
func TestI4_withoutAuditNothingHappens(t *testing.T) {
	t.Parallel()
	encoded := withPassword(t)
	for name, ways := range noAudit {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := testkit.Start(t, testkit.Options{})
			ada, peer := s.SignIn(t, s.Member(t, "ada@example.org", encoded)), s.Browser(t)
			csrf := header("X-CSRF-Token", ada.CSRF)
			minted := wantOK(t, ada.Mint(nil))
			token := minted.Text("token")
			before := testkit.Dump(t, s.DAO, "audit_log", "service_token_use") + redisDump(t, s)

			testkit.Exec(t, s.DAO, ways[0])
			refused := map[string]testkit.Answer{
				"mint":           ada.Mint(nil),
				"exchange":       present(peer, s.DAOURL, token, nil, key(firstKey)),
				"wrong target":   present(peer, s.DAOURL, token, map[string]any{"target_domain": testkit.OtherTarget}),
				"unknown token":  present(peer, s.DAOURL, strings.Repeat("0e", 32), nil),
				"login":          peer.Post(s.DAOURL+loginPath, map[string]any{"email": "ada@example.org", "password": testkit.Password}),
				"wrong password": peer.Post(s.DAOURL+loginPath, map[string]any{"email": "ada@example.org", "password": "x"}),
				"refresh":        ada.Post(s.DAOURL+refreshPath, nil, csrf),
				"logout":         ada.Post(s.DAOURL+logoutPath, nil, csrf),
			}
			stages := map[string]string{"mint": "mint", "exchange": "exchange", "wrong target": "exchange", "unknown token": "exchange"}
			for what, answer := range refused {
				if answer.Code() != "dependency_unavailable" {
					t.Errorf("%s:", what)
				}
				wantProblem(t, answer, http.StatusServiceUnavailable, "dependency_unavailable", stages[what])
			}
			testkit.Exec(t, s.DAO, ways[1])
			if after := testkit.Dump(t, s.DAO, "audit_log", "away", "service_token_use") + redisDump(t, s); after != before {
				t.Errorf("something changed:\n%s\nbefore:\n%s", after, before)
			}

			wantOK(t, present(peer, s.DAOURL, token, nil, key(firstKey)))
			wantOK(t, ada.Post(s.DAOURL+refreshPath, nil, csrf))
			wantOK(t, ada.Post(s.DAOURL+logoutPath, nil, csrf))
			wantEvents(t, s, "handoff.minted success", "handoff.exchanged success", "session.refreshed success rotated", "session.ended success logout")
		})
	}
}

// I4 with rights as an operator would set them: the service's role may not write
// the audit log, by mistake. (The tests' own role may do anything.)
func TestI4_withoutTheRightToWriteAuditNothingHappens(t *testing.T) {
	t.Parallel()
	s := testkit.Start(t, testkit.Options{})
	database := s.DAO.Config().ConnConfig.Database
	role := "service_of_" + database
	for _, sql := range []string{
		`CREATE ROLE ` + role + ` LOGIN PASSWORD 'of-the-test'`,
		`GRANT SELECT, INSERT, UPDATE, DELETE ON members, sessions, handoffs, goose_db_version TO ` + role,
	} {
		testkit.Exec(t, s.DAO, sql)
	}
	t.Cleanup(func() { testkit.Exec(t, s.DAO, `DROP OWNED BY `+role+`; DROP ROLE `+role) })
	poor := s.Process(t, map[string]string{"HANDOFF_HALVES": "dao", "DAO_DATABASE_URL": asRole(t, s.Environ["DAO_DATABASE_URL"], role)})
	ada, peer := s.SignIn(t, s.Member(t, "ada@example.org")), s.Browser(t)
	token := ada.MintToken()
	before := testkit.Dump(t, s.DAO)
	wantProblem(t, present(peer, poor.DAOURL, token, nil), http.StatusServiceUnavailable, "dependency_unavailable", "exchange")
	mint := ada.Post(poor.DAOURL+mintPath, map[string]any{"entry_product": "dao"}, header("X-CSRF-Token", ada.CSRF))
	wantProblem(t, mint, http.StatusServiceUnavailable, "dependency_unavailable", "mint")
	wantProblem(t, ada.Post(poor.DAOURL+logoutPath, nil, header("X-CSRF-Token", ada.CSRF)), http.StatusServiceUnavailable, "dependency_unavailable", "")
	if testkit.Dump(t, s.DAO) != before {
		t.Error("something changed")
	}
	if len(poor.Log.Lines("permission denied for table audit_log")) == 0 {
		t.Error("the log does not say what an operator has to mend")
	}
	testkit.Exec(t, s.DAO, `GRANT INSERT ON audit_log TO `+role)
	wantOK(t, present(peer, poor.DAOURL, token, nil))
	if n := testkit.Count(t, s.DAO, `SELECT count(*) FROM handoffs WHERE redeemed_by = $1`, privacy.NewSecret(testkit.ServiceToken).KeyID()); n != 1 {
		t.Errorf("%d redeemed", n)
	}
}
