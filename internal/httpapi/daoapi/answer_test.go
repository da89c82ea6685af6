package daoapi_test

import (
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hello-world-co-op/handoff/internal/member"
	"github.com/hello-world-co-op/handoff/internal/testkit"
)

// The contract that other consumers are built against: fifteen fields, their names
// and their types, the first nine above all. This test is not to be changed with
// the code; it is to stop it.
func TestExchange_theContract(t *testing.T) {
	t.Parallel()
	s := testkit.Start(t, testkit.Options{})
	principal := "2vxsx-fae"
	who := s.Member(t, "Ada@example.org", func(a *member.Account) { a.Principal, a.Roles = &principal, []string{"member", "steward"} })
	ada := s.SignIn(t, who)
	signedIn := s.Clock.Now()
	for _, path := range []string{exchangePath, "/api/auth/exchange-token"} {
		s.Clock.Advance(time.Minute)
		minted := wantOK(t, ada.Mint(map[string]any{"return_path": "/plans?tab=2"}))
		issued := s.Clock.Now()
		s.Clock.Advance(59 * time.Second)
		answer := wantOK(t, s.Browser(t).Post(s.DAOURL+path, map[string]any{"token": minted.Text("token")}, bearer))
		wantMembers(t, answer,
			"user_id:string", "email:string", "display_name:string", "ic_principal:string", "roles:list",
			"entry_product:string", "target_domain:string", "issued_at:integer", "expires_at:integer",
			"principal:string", "email_verified:bool", "handoff_id:string", "return_path:string", "auth_time:integer", "amr:list")
		want := map[string]any{
			"user_id": who.ID.String(), "email": "Ada@example.org", "display_name": "Ada Lovelace", "ic_principal": principal,
			"roles": []any{"member", "steward"}, "entry_product": "think-tank", "target_domain": testkit.Target,
			"issued_at": float64(issued.UnixMilli()), "expires_at": float64(issued.Add(time.Minute).UnixMilli()),
			"principal": principal, "email_verified": true, "handoff_id": minted.Text("handoff_id"), "return_path": "/plans?tab=2",
			"auth_time": float64(signedIn.UnixMilli()), "amr": []any{"pwd"},
		}
		if diff := cmp.Diff(want, answer.Body); diff != "" {
			t.Errorf("%s (-want +got):\n%s", path, diff)
		}
	}
}

// What a member does not have is null, or an empty list, and never left out.
func TestExchange_whatIsNotThereIsNull(t *testing.T) {
	t.Parallel()
	s := testkit.Start(t, testkit.Options{})
	ada := s.SignIn(t, s.Member(t, "ada@example.org", func(a *member.Account) { a.DisplayName, a.Roles = nil, []string{} }))
	answer := wantOK(t, s.Browser(t).Exchange(ada.MintToken()))
	wantMembers(t, answer,
		"user_id:string", "email:string", "display_name:null", "ic_principal:null", "roles:list",
		"entry_product:string", "target_domain:string", "issued_at:integer", "expires_at:integer",
		"principal:null", "email_verified:bool", "handoff_id:string", "return_path:null", "auth_time:integer", "amr:list")
	if roles, isList := answer.Body["roles"].([]any); !isList || len(roles) != 0 {
		t.Errorf("roles %v", answer.Body["roles"])
	}
}

// Every refusal of the exchange, each told to the authenticated caller with its
// own code, and with the journey where the ledger knows it.
func TestExchange_everyRefusalByItsName(t *testing.T) {
	t.Parallel()
	s := testkit.Start(t, testkit.Options{})
	ada, peer := s.SignIn(t, s.Member(t, "ada@example.org")), s.Browser(t)
	exchange := func(token any, fields map[string]any) testkit.Answer {
		body := map[string]any{"token": token, "target_domain": testkit.Target}
		for name, value := range fields {
			body[name] = value
		}
		return peer.Post(s.DAOURL+exchangePath, body, bearer)
	}
	for _, malformed := range []any{"", "x", "ABCDEF", 0, nil, "0123456789ABCDEF0123456789abcdef0123456789abcdef0123456789abcdef"} {
		code := "token_malformed"
		if malformed == 0 {
			code = "invalid_request"
		}
		wantProblem(t, exchange(malformed, nil), http.StatusBadRequest, code, "exchange")
	}
	unknown := "00000000000000000000000000000000000000000000000000000000000000aa"
	wantProblem(t, exchange(unknown, nil), http.StatusBadRequest, "token_unknown", "exchange")

	used, wrong, bound := wantOK(t, ada.Mint(nil)), wantOK(t, ada.Mint(nil)), wantOK(t, ada.Mint(map[string]any{"challenge": challenge}))
	wantOK(t, exchange(used.Text("token"), nil))
	for _, c := range []struct {
		code   string
		minted testkit.Answer
		fields map[string]any
	}{
		{"token_used", used, nil},
		{"token_wrong_target", wrong, map[string]any{"target_domain": testkit.OtherTarget}},
		{"token_binding_failed", bound, nil},
		{"token_binding_failed", bound, map[string]any{"verifier": challenge}},
		{"token_binding_failed", wantOK(t, ada.Mint(nil)), map[string]any{"verifier": verifier}},
	} {
		answer := exchange(c.minted.Text("token"), c.fields)
		wantProblem(t, answer, http.StatusBadRequest, c.code, "exchange")
		if answer.Text("handoff_id") != c.minted.Text("handoff_id") {
			t.Errorf("%s: hand-off %q, want %q", c.code, answer.Text("handoff_id"), c.minted.Text("handoff_id"))
		}
	}
	wantOK(t, exchange(bound.Text("token"), map[string]any{"verifier": verifier}))

	expired := wantOK(t, ada.Mint(nil))
	s.Clock.Advance(time.Minute)
	answer := exchange(expired.Text("token"), nil)
	wantProblem(t, answer, http.StatusBadRequest, "token_expired", "exchange")
	if answer.Text("handoff_id") != expired.Text("handoff_id") {
		t.Errorf("expired: hand-off %q", answer.Text("handoff_id"))
	}
}

// The pair of RFC 7636, appendix B.
const (
	verifier  = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
	challenge = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
)

// A token whose source is gone is unknown to the caller; the audit log says why.
func TestExchange_theSourceEnded(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(t *testing.T, s *testkit.Service, ada *testkit.Browser){
		"signed out": func(t *testing.T, s *testkit.Service, ada *testkit.Browser) {
			wantOK(t, ada.Post(s.DAOURL+logoutPath, nil, header("X-CSRF-Token", ada.CSRF)))
		},
		"suspended": func(t *testing.T, s *testkit.Service, _ *testkit.Browser) {
			testkit.Exec(t, s.DAO, `UPDATE members SET membership_status = 'suspended'`)
		},
		"pending again": func(t *testing.T, s *testkit.Service, _ *testkit.Browser) {
			testkit.Exec(t, s.DAO, `UPDATE members SET membership_status = 'pending'`)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := testkit.Start(t, testkit.Options{})
			ada := s.SignIn(t, s.Member(t, "ada@example.org"))
			minted := wantOK(t, ada.Mint(nil))
			end(t, s, ada)
			answer := s.Browser(t).Exchange(minted.Text("token"))
			wantProblem(t, answer, http.StatusBadRequest, "token_unknown", "exchange")
			events := testkit.Events(t, s.DAO)
			if last := events[len(events)-1]; last != "handoff.refused failure source_ended" || slices.Contains(events, "handoff.exchanged success") {
				t.Errorf("recorded %v", events)
			}
		})
	}
}
