package client

import (
	"context"
	"encoding/json"
	"net/http"
)

// Member is a program with the session of one member at the DAO half: a terminal, a test,
// a monitor. Pages use client/js. It is safe for concurrent use.
type Member struct {
	connection

	cookie Cookie
}

// Cookie is the session cookie of the DAO half: "__Host-dao_session", or "dao_session" with
// COOKIE_DOMAIN and over plain HTTP.
type Cookie struct {
	Name  string
	Value Secret
}

// NewMember is for the DAO half at base.
func NewMember(base string, session Cookie, o Options) *Member {
	return &Member{newConnection(base, o), session}
}

// Mint is what a token is asked for. What is empty is left to the service.
type Mint struct {
	EntryProduct string `json:"entry_product"`
	TargetDomain string `json:"target_domain,omitempty"`
	ReturnPath   string `json:"return_path,omitempty"`
	Challenge    string `json:"challenge,omitempty"`
	ResponseMode string `json:"response_mode,omitempty"` // "query", "fragment", "form_post"
	MaxAge       int    `json:"max_age,omitempty"`       // seconds
}

// Minted is a token, good once and for 60 seconds. RedirectURL has it in it, unless it is
// to be posted: both are secrets.
type Minted struct {
	Token        Secret
	HandoffID    string
	ExpiresAt    int64 // milliseconds since 1970
	TargetDomain string
	RedirectURL  Secret
}

// UnmarshalJSON implements json.Unmarshaler.
func (m *Minted) UnmarshalJSON(text []byte) error {
	var plain struct {
		Token        string `json:"token"`
		HandoffID    string `json:"handoff_id"`
		ExpiresAt    int64  `json:"expires_at"`
		TargetDomain string `json:"target_domain"`
		RedirectURL  string `json:"redirect_url"`
	}
	if err := json.Unmarshal(text, &plain); err != nil {
		return err
	}
	*m = Minted{NewSecret(plain.Token), plain.HandoffID, plain.ExpiresAt, plain.TargetDomain, NewSecret(plain.RedirectURL)}
	return nil
}

// Mint makes a token. One whose answer was lost is good for nobody and dies by itself, so
// that it is asked for again.
func (m *Member) Mint(ctx context.Context, asked Mint) (Minted, error) {
	session := m.cookie.Name + "=" + m.cookie.Value.Reveal()
	var csrf struct {
		Token string `json:"csrf_token"`
	}
	err := m.repeated(ctx, request{
		method: http.MethodGet, path: "/api/auth/csrf-token", into: &csrf, headers: map[string]string{"Cookie": session},
	})
	if err != nil {
		return Minted{}, err
	}
	var minted Minted
	err = m.repeated(ctx, request{
		method: http.MethodPost, path: "/api/staging_token/mint", body: asked, into: &minted,
		headers: map[string]string{"Cookie": session + "; csrf_token=" + csrf.Token, "X-CSRF-Token": csrf.Token},
	})
	return minted, err
}
