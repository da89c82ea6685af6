package member_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/google/uuid"

	"github.com/hello-world-co-op/handoff/internal/member"
)

func TestNewSession_livesThirtyMinutesAndSevenDays(t *testing.T) {
	t.Parallel()
	s := member.NewSession(uuid.New(), uuid.New(), noon)
	if got := s.IdleExpiresAt.Sub(noon); got != 30*time.Minute {
		t.Errorf("idle life %v", got)
	}
	if got := s.ExpiresAt.Sub(noon); got != 7*24*time.Hour {
		t.Errorf("absolute life %v", got)
	}
	if !s.AuthTime.Equal(noon) || fmt.Sprint(s.AMR) != "[pwd]" {
		t.Errorf("I10: signed in at %v by %v", s.AuthTime, s.AMR)
	}
}

func TestNewCookie_isThirtyTwoRandomBytes(t *testing.T) {
	t.Parallel()
	raw := bytes.Repeat([]byte{0xcd}, 32)
	cookie, err := member.NewCookie(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	if want := base64.RawURLEncoding.EncodeToString(raw); cookie.Reveal() != want {
		t.Errorf("%s, want %s", cookie.Reveal(), want)
	}
	if want := sha256.Sum256(raw); !bytes.Equal(cookie.Digest(), want[:]) {
		t.Errorf("digest %x, want %x", cookie.Digest(), want)
	}
	again, err := member.ParseCookie(cookie.Reveal())
	if err != nil || !bytes.Equal(again.Digest(), cookie.Digest()) {
		t.Errorf("its own text parses into another cookie: %v", err)
	}
	if _, err := member.NewCookie(iotest.ErrReader(errors.New("no entropy"))); err == nil {
		t.Error("a cookie without randomness")
	}
}

// A cookie that was never ours is as good as none; one session has one spelling.
func TestParseCookie_takesOneSpellingOnly(t *testing.T) {
	t.Parallel()
	good := strings.Repeat("A", 42) + "E" // ends in four bits that a 32-byte value uses and two that it does not
	if _, err := member.ParseCookie(good); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"empty": "", "31 bytes": good[:42], "33 bytes": good + "A", "padded": good + "=", "a space": good[:42] + " ",
		"standard base64": "+/" + good[2:], "bits that belong to no byte": good[:42] + "F",
		"a newline that the decoder skips": good + "\n", "hexadecimal": strings.Repeat("0a", 32),
	} {
		if _, err := member.ParseCookie(text); !errors.Is(err, member.ErrNoSession) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// I6: a cookie's value comes out nowhere.
func TestI6_aCookiePrintsNothing(t *testing.T) {
	t.Parallel()
	cookie := newCookie(t)
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%x"} {
		if out := fmt.Sprintf(verb, cookie); strings.Contains(out, cookie.Reveal()) {
			t.Errorf("%s prints %s", verb, out)
		}
	}
}
