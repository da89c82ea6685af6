package handoff

import (
	"context"
	"errors"
	"io"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/google/uuid"

	"github.com/hello-world-co-op/handoff/internal/audit"
	"github.com/hello-world-co-op/handoff/internal/member"
	"github.com/hello-world-co-op/handoff/internal/privacy"
	"github.com/hello-world-co-op/handoff/internal/ratelimit"
	"github.com/hello-world-co-op/handoff/internal/token"
)

// Target is a domain that tokens can be good for, and where its arrivals land.
type Target struct {
	Domain     string
	LandingURL *url.URL
}

// ResponseMode is how the browser carries the token to the landing page. The names and
// the idea are those of OAuth 2.0 Multiple Response Types and Form Post Response Mode.
type ResponseMode string

// The response modes.
const (
	// InQuery is "?token=": works with every landing page. The token stands in what the
	// servers on the way write down.
	InQuery ResponseMode = "query"
	// InFragment is "#token=": no server and no Referer sees it.
	InFragment ResponseMode = "fragment"
	// ByFormPost leaves the address without token: the front end posts a form with the
	// one field "token" to it, so that no address ever has it, nor the browser's history.
	ByFormPost ResponseMode = "form_post"
)

// Redirect is the landing URL, with the token where mode puts it. It is as secret as
// the token.
func (t Target) Redirect(tok token.Token, mode ResponseMode) privacy.Secret {
	landing := *t.LandingURL
	switch mode {
	case InFragment:
		landing.Fragment = "token=" + tok.Reveal()
	case ByFormPost:
	default:
		query := landing.Query()
		query.Set("token", tok.Reveal())
		landing.RawQuery = query.Encode()
	}
	return privacy.NewSecret(landing.String())
}

// MinterConfig is what a Minter needs. Targets and EntryProducts are the
// configured lists; without a named target the first is meant.
type MinterConfig struct {
	Targets       []Target
	EntryProducts []string
	Limit         *ratelimit.Rows // for each session
	Ledger        mintLedger
	Carrier       mintCarrier
	Sealer        *token.Sealer
	Now           func() time.Time
	Random        io.Reader
	Progress      Progress
}

type mintLedger interface {
	// Mint writes ledger row and audit row if the session is live and its member
	// may hand off, and returns both, or records a refusal and returns why. A session
	// that is over its limit leaves nothing, and is [*overLimit].
	Mint(ctx context.Context, row MintRow) (member.Session, member.Member, error)
}

type mintCarrier interface {
	Put(ctx context.Context, d token.Digest, sealed []byte, ttl time.Duration) error
}

// Minter is the use case "mint".
type Minter struct{ MinterConfig }

// NewMinter makes the use case.
func NewMinter(config MinterConfig) *Minter { return &Minter{config} }

// MintRequest asks for a token. SessionID comes from the request's CSRF value
// and must be the cookie's session.
type MintRequest struct {
	Cookie       member.Cookie
	SessionID    uuid.UUID
	EntryProduct string
	Target       string // "" is the first target
	ReturnPath   *string
	Challenge    string // "" is none
	ResponseMode ResponseMode
	// MaxAge is how long ago the person may have signed in; 0 is any time.
	MaxAge time.Duration
	Origin audit.Origin
}

// Minted is a live token.
type Minted struct {
	Token     token.Token
	HandoffID uuid.UUID
	Target    Target
	ExpiresAt time.Time
}

// MintRow is what mint writes to the ledger.
type MintRow struct {
	HandoffID    uuid.UUID
	Digest       token.Digest
	Cookie       member.Cookie
	SessionID    uuid.UUID
	EntryProduct string
	Target       string
	MintedAt     time.Time
	ExpiresAt    time.Time
	// Interval is the time for which the session's limit counts this mint.
	Interval time.Duration
	// SignedInSince is the earliest sign-in that will do; nil: any.
	SignedInSince *time.Time
	Origin        audit.Origin
}

// overLimit is a session that must wait until it may mint again.
type overLimit struct{ wait time.Duration }

func (o *overLimit) Error() string { return "handoff: over the limit for " + o.wait.String() }

// Mint makes a token for a live session. Its errors are [*FieldError],
// [*ratelimit.Exceeded], those of package member, and outages; none of them leaves a
// token behind. When Redis refuses, a ledger row remains for a token that nobody
// holds: the safe side.
func (m *Minter) Mint(ctx context.Context, request MintRequest) (Minted, error) {
	target, err := m.check(request)
	if err != nil {
		return Minted{}, err
	}
	now := m.Now()
	if err := m.Limit.Check(request.SessionID, now); err != nil {
		return Minted{}, err
	}
	tok, err := token.New(m.Random)
	if err != nil {
		return Minted{}, err
	}
	id, err := newHandoffID(now, m.Random)
	if err != nil {
		return Minted{}, err
	}
	row := MintRow{
		HandoffID: id, Digest: tok.Digest(), Cookie: request.Cookie, SessionID: request.SessionID,
		EntryProduct: request.EntryProduct, Target: target.Domain,
		MintedAt: now, ExpiresAt: now.Add(token.TTL), Interval: m.Limit.Interval(), SignedInSince: request.signedInSince(now), Origin: request.Origin,
	}
	session, who, err := m.Ledger.Mint(ctx, row)
	if over := (*overLimit)(nil); errors.As(err, &over) {
		return Minted{}, m.Limit.Exceed(request.SessionID, now, over.wait)
	}
	if err != nil {
		return Minted{}, mintError(id, err)
	}
	if err := m.carry(ctx, tok, claimsOf(request, row, session, who)); err != nil {
		return Minted{}, &JourneyError{HandoffID: id, Cause: err}
	}
	m.Progress.step("", StageMinted, 0)
	return Minted{Token: tok, HandoffID: id, Target: target, ExpiresAt: row.ExpiresAt}, nil
}

func (r MintRequest) signedInSince(now time.Time) *time.Time {
	if r.MaxAge == 0 {
		return nil
	}
	since := now.Add(-r.MaxAge)
	return &since
}

// mintError names the journey where the ledger has heard of it: a refusal is
// recorded under its id, and nobody knows what an outage left behind.
func mintError(id uuid.UUID, err error) error {
	if errors.Is(err, member.ErrNoSession) || errors.Is(err, member.ErrSessionRevoked) || errors.Is(err, member.ErrCSRF) {
		return err
	}
	return &JourneyError{HandoffID: id, Cause: err}
}

// carry puts the sealed claims where exchange finds them, for what is left of
// the token's life.
func (m *Minter) carry(ctx context.Context, tok token.Token, claims token.Claims) error {
	sealed, err := m.Sealer.Seal(tok, claims)
	if err != nil {
		return err
	}
	return m.Carrier.Put(ctx, tok.Digest(), sealed, claims.ExpiresAt.Sub(m.Now()))
}

func claimsOf(request MintRequest, row MintRow, session member.Session, who member.Member) token.Claims {
	return token.Claims{
		HandoffID: row.HandoffID, UserID: who.ID, Email: who.Email, EmailVerified: who.EmailVerified,
		DisplayName: who.DisplayName, Principal: who.Principal, Roles: who.Roles,
		EntryProduct: row.EntryProduct, Target: row.Target,
		ReturnPath: request.ReturnPath, Challenge: request.Challenge,
		AuthTime: session.AuthTime, AMR: session.AMR, IssuedAt: row.MintedAt, ExpiresAt: row.ExpiresAt,
	}
}

// check returns the target of a request, or the [*FieldError] of a field that is not
// what mint takes.
func (m *Minter) check(request MintRequest) (Target, error) {
	if !slices.Contains(m.EntryProducts, request.EntryProduct) {
		return Target{}, &FieldError{"entry_product", "is not one of the configured products"}
	}
	target := m.Targets[0]
	if request.Target != "" {
		i := slices.IndexFunc(m.Targets, func(t Target) bool { return t.Domain == request.Target })
		if i < 0 {
			return Target{}, &FieldError{"target_domain", "is not one of the configured targets"}
		}
		target = m.Targets[i]
	}
	if request.ReturnPath != nil && !ValidReturnPath(*request.ReturnPath) {
		return Target{}, &FieldError{"return_path", "must be a path on the target site, beginning with one slash"}
	}
	if !slices.Contains([]ResponseMode{"", InQuery, InFragment, ByFormPost}, request.ResponseMode) {
		return Target{}, &FieldError{"response_mode", "must be query, fragment or form_post"}
	}
	if request.MaxAge < 0 || request.MaxAge > longestMaxAge {
		return Target{}, &FieldError{"max_age", "must be seconds, 1 to 604800"}
	}
	if request.Challenge != "" && !token.ValidChallenge(request.Challenge) {
		return Target{}, &FieldError{"challenge", "must be 43 base64url characters (S256)"}
	}
	return target, nil
}

// longestMaxAge is as long as a DAO session lives.
const longestMaxAge = 7 * 24 * time.Hour

// maxReturnPath bounds a return path in bytes.
const maxReturnPath = 512

// ValidReturnPath reports whether path stays on the site it is opened on. The
// attack is an open redirect: "//evil", "/\evil" and "https:evil" all leave the
// site in some browser, and a control character is dropped by most before the
// path is read, which turns "/<TAB>/evil" into "//evil". "//" is refused
// everywhere, not only in front: "/.//evil" is "//evil" once a page has resolved
// its dots (WHATWG URL, 4.4). An address within the query must be
// percent-encoded, as encodeURIComponent does.
func ValidReturnPath(path string) bool {
	if path == "" || len(path) > maxReturnPath || path[0] != '/' || !utf8.ValidString(path) {
		return false
	}
	if strings.Contains(path, "//") || strings.Contains(path, `\`) || strings.ContainsFunc(path, unicode.IsControl) {
		return false
	}
	parsed, err := url.Parse(path)
	return err == nil && parsed.Scheme == "" && parsed.Host == ""
}
