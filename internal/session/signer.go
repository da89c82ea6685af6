package session

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/hello-world-co-op/handoff/internal/privacy"
)

const (
	// minKeyBytes: RFC 7518, 3.2 demands a key of the hash's size or larger.
	minKeyBytes = 32
	// maxTokenBytes bounds the work on a token that nobody has verified yet (I13).
	// Ours have about 600 bytes.
	maxTokenBytes = 8 << 10
)

// Config is what a [Signer] works with. All fields but Previous and Audience are
// needed.
type Config struct {
	// Key signs and verifies; its bytes are used as they are, at least 32.
	Key privacy.Secret
	// Previous verify only.
	Previous []privacy.Secret
	Issuer   string
	// Audience of access tokens. Empty leaves the claim out, for verifiers that
	// pass no audience and would refuse a token that has one.
	Audience   string
	AccessTTL  time.Duration
	RefreshTTL time.Duration
	Now        func() time.Time
	Random     io.Reader // for the tokens' ids
}

// Signer makes and verifies pairs. It is safe for concurrent use.
type Signer struct {
	config          Config
	header          []byte
	mac             *privacy.MAC
	keys            map[string][]byte // by key id
	access, refresh *jwt.Parser
	expired         *jwt.Parser // access tokens, whether or not they have ended
}

// NewSigner checks the configuration. No key may be empty or short: with an empty
// one every token that is signed with nothing would be good (I12). The issuer may
// not be empty either, since the library takes that for "do not check".
func NewSigner(c Config) (*Signer, error) {
	switch {
	case c.Issuer == "":
		return nil, errors.New("session: no issuer")
	case c.Audience == refreshAudience:
		return nil, errors.New("session: the access tokens' audience is that of refresh tokens")
	case c.AccessTTL < time.Second || c.RefreshTTL < c.AccessTTL:
		return nil, errors.New("session: an access token must live at least a second and no longer than a session")
	case c.Now == nil || c.Random == nil:
		return nil, errors.New("session: no clock or no randomness")
	}
	s := &Signer{config: c, header: header(c.Key.KeyID()), mac: c.Key.MAC(), keys: map[string][]byte{}}
	for _, key := range append([]privacy.Secret{c.Key}, c.Previous...) {
		raw := []byte(key.Reveal())
		if len(raw) < minKeyBytes {
			return nil, fmt.Errorf("session: a signing key has fewer than %d bytes", minKeyBytes)
		}
		s.keys[key.KeyID()] = raw
	}
	s.access, s.refresh = s.parser(c.Audience), s.parser(refreshAudience)
	s.expired = s.parser(c.Audience, jwt.WithLeeway(c.RefreshTTL))
	return s, nil
}

// parser pins what golang-jwt leaves open by default: it would take HS384 and
// HS512, a token without "exp", any issuer and any audience. Strict decoding: one
// token has one spelling.
func (s *Signer) parser(audience string, more ...jwt.ParserOption) *jwt.Parser {
	options := append([]jwt.ParserOption{
		jwt.WithValidMethods([]string{jwt.SigningMethodHS256.Alg()}),
		jwt.WithExpirationRequired(), jwt.WithNotBeforeRequired(), jwt.WithIssuedAt(),
		jwt.WithIssuer(s.config.Issuer), jwt.WithTimeFunc(s.config.Now), jwt.WithStrictDecoding(),
	}, more...)
	if audience != "" {
		options = append(options, jwt.WithAudience(audience))
	}
	return jwt.NewParser(options...)
}

// SessionExpiry is when a session that begins at begin ends at the latest.
func (s *Signer) SessionExpiry(begin time.Time) time.Time { return begin.Add(s.config.RefreshTTL) }

// Pair is what a browser gets for a session.
type Pair struct {
	Access, Refresh                   privacy.Secret
	AccessExpiresAt, RefreshExpiresAt time.Time // as in the tokens, whole seconds
}

// Pair signs the tokens of a session whose row is committed, for its current
// generation. role is the [ActingRole]. The refresh token ends with the session,
// and no access token outlives it. It returns [ErrEnded] for a session that is not
// live.
func (s *Signer) Pair(of Session, role string) (Pair, error) {
	now := s.config.Now()
	if !of.Live(now) {
		return Pair{}, ErrEnded
	}
	accessEnds := now.Add(s.config.AccessTTL)
	if accessEnds.After(of.ExpiresAt) {
		accessEnds = of.ExpiresAt
	}
	common := wire{
		Issuer: s.config.Issuer, Subject: of.UserID.String(), SessionID: of.ID.String(), Role: role,
		AMR: append([]string{}, of.AMR...), AuthTime: jwt.NewNumericDate(of.AuthTime),
		IssuedAt: jwt.NewNumericDate(now), NotBefore: jwt.NewNumericDate(now),
	}
	access, refresh := common, common
	access.Type, access.ExpiresAt = typeAccess, jwt.NewNumericDate(accessEnds)
	if s.config.Audience != "" {
		access.Audience = &s.config.Audience
	}
	audience := refreshAudience
	refresh.Type, refresh.Audience, refresh.Gen = typeRefresh, &audience, &of.Generation
	refresh.ExpiresAt = jwt.NewNumericDate(of.ExpiresAt)

	pair := Pair{AccessExpiresAt: access.ExpiresAt.UTC(), RefreshExpiresAt: refresh.ExpiresAt.UTC()}
	var err error
	if pair.Access, err = s.sign(access, of.Generation); err != nil {
		return Pair{}, err
	}
	if pair.Refresh, err = s.sign(refresh, of.Generation); err != nil {
		return Pair{}, err
	}
	return pair, nil
}

func (s *Signer) sign(w wire, generation int) (privacy.Secret, error) {
	id, err := newTokenID(generation, s.config.Random)
	if err != nil {
		return privacy.Secret{}, err
	}
	w.TokenID = id.String()
	claims, err := json.Marshal(w)
	if err != nil {
		return privacy.Secret{}, fmt.Errorf("session: sign: %w", err)
	}
	const signature = sha256.Size
	text := make([]byte, 0, len(s.header)+base64.RawURLEncoding.EncodedLen(len(claims))+1+base64.RawURLEncoding.EncodedLen(signature))
	text = base64.RawURLEncoding.AppendEncode(append(text, s.header...), claims)
	code := s.mac.Of(text)
	text = base64.RawURLEncoding.AppendEncode(append(text, '.'), code)
	return privacy.NewSecret(string(text)), nil
}

// header is the first part of what is signed, and the dot: the same in every token, which is
// why the tokens are put together here (RFC 7515, 3.1) and not by the library, which makes it
// and the key's HMAC state anew for each: that took half of the time.
func header(keyID string) []byte {
	text := `{"alg":"` + jwt.SigningMethodHS256.Alg() + `","kid":"` + keyID + `","typ":"JWT"}`
	return append(base64.RawURLEncoding.AppendEncode(nil, []byte(text)), '.')
}

// VerifyAccess returns what an access token says, or [ErrInvalidToken].
func (s *Signer) VerifyAccess(raw string) (AccessClaims, error) {
	return s.readAccess(raw, s.access)
}

func (s *Signer) readAccess(raw string, parser *jwt.Parser) (AccessClaims, error) {
	w, claims, ok := verify(raw, parser, s.keysFor)
	// The library does not look at "aud" where none is expected.
	unexpectedAudience := s.config.Audience == "" && w.Audience != nil
	if !ok || w.Type != typeAccess || w.Gen != nil || unexpectedAudience {
		return AccessClaims{}, ErrInvalidToken
	}
	return AccessClaims{claims, generationOf(claims.TokenID)}, nil
}

// ReadAccess is [Signer.VerifyAccess] for a token that may have ended, or not begun:
// its times are off by the life of a session at most. It says which session a browser
// was in, and lets nobody in.
func (s *Signer) ReadAccess(raw string) (AccessClaims, error) {
	return s.readAccess(raw, s.expired)
}

// VerifyRefresh returns what a refresh token says, or [ErrInvalidToken]. The caller
// still has to ask the session's row about the generation.
func (s *Signer) VerifyRefresh(raw string) (RefreshClaims, error) {
	w, claims, ok := verify(raw, s.refresh, s.keysFor)
	if !ok || w.Type != typeRefresh || w.Gen == nil || *w.Gen < 1 {
		return RefreshClaims{}, ErrInvalidToken
	}
	return RefreshClaims{claims, *w.Gen}, nil
}

func verify(raw string, parser *jwt.Parser, keys jwt.Keyfunc) (wire, Claims, bool) {
	// encoding/base64 skips line breaks even in strict mode, so that a token could be
	// spelt in more than one way.
	if len(raw) > maxTokenBytes || strings.ContainsAny(raw, "\r\n") {
		return wire{}, Claims{}, false
	}
	var w wire
	// The error is dropped on purpose: the library's texts can quote the token.
	if _, err := parser.ParseWithClaims(raw, &w, keys); err != nil {
		return wire{}, Claims{}, false
	}
	claims, ok := w.claims()
	return w, claims, ok
}

var errNoKey = errors.New("no key")

// keysFor chooses the keys to try: the one that "kid" names, or all of them for a
// token without (the platform's Python side sets none). The name is looked up in
// our own short list and used for nothing else. The algorithm never depends on the
// key nor on the token: the parser takes HS256 alone.
func (s *Signer) keysFor(token *jwt.Token) (any, error) {
	if _, ok := token.Header["crit"]; ok {
		return nil, errNoKey // extensions that must be understood (RFC 7515, 4.1.11), and are not
	}
	if kid, named := token.Header["kid"]; named {
		name, _ := kid.(string)
		if key, known := s.keys[name]; known {
			return key, nil
		}
		return nil, errNoKey
	}
	var all jwt.VerificationKeySet
	for _, key := range s.keys {
		all.Keys = append(all.Keys, key)
	}
	return all, nil
}
