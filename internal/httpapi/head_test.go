package httpapi_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hello-world-co-op/handoff/internal/testkit"
)

// HEAD is GET without a body wherever there is GET (RFC 9110, 9.3.2), and nothing anywhere
// else: link previews and scanners ask it of every address they find, and one of them must
// neither use up a token nor end a session.
func TestHEADChangesNothing(t *testing.T) {
	t.Parallel()
	s := testkit.Start(t, testkit.Options{})
	dao := s.SignIn(t, s.Member(t, "ada@example.org"))
	fos := s.SignInAtFOS(t, s.User(t, "ada@example.org"))
	minted := dao.Mint(nil)
	fos.Me() // that a session's tokens were shown is remembered, whoever showed them to whichever address
	all := func() string { return testkit.Dump(t, s.DAO) + testkit.Dump(t, s.FOS) }
	before := all()
	for _, o := range testkit.Operations() {
		b, url := dao, s.DAOURL
		if o.Half == "fos" {
			b, url = fos, s.FOSURL
		}
		address := url + strings.ReplaceAll(o.Path, "{id}", minted.Text("handoff_id")) + "?entry_product=think-tank&token=" + minted.Text("token")
		headers := []testkit.Header{{Name: "X-CSRF-Token", Value: dao.CSRF}, {Name: "X-Requested-With", Value: "test"}}
		head := b.Do(http.MethodHead, address, nil, headers...)
		if head.Raw != "" {
			t.Errorf("HEAD %s has a body: %s", o.Path, head.Raw)
		}
		if o.Method != http.MethodGet {
			if head.Status != http.StatusMethodNotAllowed || strings.Contains(head.Header.Get("Allow"), http.MethodHead) {
				t.Errorf("HEAD %s: %d, Allow %s", o.Path, head.Status, head.Header.Get("Allow"))
			}
			continue
		}
		get := b.Do(http.MethodGet, address, nil, headers...)
		if head.Status != get.Status || head.Header.Get("Content-Type") != get.Header.Get("Content-Type") || len(head.Cookies) != len(get.Cookies) {
			t.Errorf("HEAD %s: %d %v; GET: %d %v", o.Path, head.Status, head.Header, get.Status, get.Header)
		}
	}
	for _, page := range []string{s.FOSURL + "/cross-domain?token=", s.DAOURL + "/docs?token="} {
		if head := fos.Do(http.MethodHead, page+minted.Text("token"), nil); head.Status != http.StatusOK || head.Raw != "" {
			t.Errorf("HEAD %s: %d %s", page, head.Status, head.Raw)
		}
	}
	if diff := cmp.Diff(before, all()); diff != "" {
		t.Errorf("something has changed (-before +after):\n%s", diff)
	}
	if answer := s.Browser(t).Exchange(minted.Text("token")); answer.Status != http.StatusOK {
		t.Errorf("the token was used up: %d %s", answer.Status, answer.Raw)
	}
}
