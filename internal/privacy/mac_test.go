package privacy_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/hello-world-co-op/handoff/internal/privacy"
)

// RFC 2104, by the library's own way; each code is of its own text, whoever makes others at
// the same time.
func TestMAC_isHMACSHA256(t *testing.T) {
	t.Parallel()
	raw := []byte(strings.Repeat("k", 32))
	key, err := privacy.NewKey(raw)
	if err != nil {
		t.Fatal(err)
	}
	mac := key.MAC()
	var gone sync.WaitGroup
	for i := range 8 {
		gone.Go(func() {
			for j := range 50 {
				text := fmt.Appendf(nil, "text %d of %d", j, i)
				want := hmac.New(sha256.New, raw)
				want.Write(text)
				if !hmac.Equal(mac.Of(text[:3], nil, text[3:]), want.Sum(nil)) {
					t.Errorf("%s has another code", text)
				}
			}
		})
	}
	gone.Wait()
}
