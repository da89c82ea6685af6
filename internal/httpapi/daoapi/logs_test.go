package daoapi_test

import (
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/hello-world-co-op/handoff/internal/testkit"
)

// I6: a whole journey at debug level, and hostile requests that put what is
// private into every place that a line might quote. Log and audit rows have
// nothing of it; a row has a pseudonym and the id of its key.
func TestI6_logsAndAuditRowsShowNobody(t *testing.T) {
	t.Parallel()
	s := testkit.Start(t, testkit.Options{}).Linked(t, map[string]string{"LOG_LEVEL": "debug"})
	s.Member(t, "ada@example.org", withPassword(t))
	b := s.Browser(t)
	const agent, address, guess = "Agent-7f3a", "203.0.113.77", "hunter2hunter2hunter2"
	who := []testkit.Header{header("User-Agent", agent), header("X-Forwarded-For", address), header("Referer", "https://x.test/?email=ada@example.org")}
	wantOK(t, login(b, s.DAOURL, map[string]any{"email": "ada@example.org", "password": testkit.Password}, who...))
	b.FetchCSRF()
	token := wantOK(t, b.Mint(map[string]any{"return_path": "/private/notes"}, who...)).Text("token")
	before, device, csrf := b.Cookie(s.DAOURL, "dao_session"), b.Cookie(s.DAOURL, "dao_device"), b.CSRF
	wantOK(t, refresh(b, s.DAOURL, who...))
	cookie := b.Cookie(s.DAOURL, "dao_session")

	for _, secret := range []string{token, "ada@example.org", guess} {
		everywhere(b, s.DAOURL, secret, who)
	}
	present(b, s.DAOURL, token, nil, append(who, key(guess))...)
	present(b, s.DAOURL, token, nil, who...)
	s.RedisLink.Cut()
	present(b, s.DAOURL, token, nil, append(who, key(guess))...)
	b.Mint(nil, who...)
	s.DAOPostgres.Cut()
	b.Mint(nil, who...)
	b.Post(s.DAOURL+loginPath, map[string]any{"email": "ada@example.org", "password": guess}, who...)
	s.RedisLink.Mend()
	s.DAOPostgres.Mend()

	lines := []string{}
	for line := range strings.Lines(s.Log.String()) {
		if !strings.Contains(line, `"msg":"listening"`) {
			lines = append(lines, line)
		}
	}
	log, rows := strings.Join(lines, ""), testkit.Dump(t, s.DAO, "members", "sessions", "handoffs")
	if len(lines) < 40 || !strings.Contains(log, "redis unavailable") || !strings.Contains(log, "postgres unavailable") || !strings.Contains(rows, "handoff.exchanged") {
		t.Fatalf("too little was said:\n%s\n%s", log, rows)
	}
	for _, private := range []string{
		token, before, cookie, device, csrf, "ada@", "example.org", testkit.Password, guess, agent, address, "/private", "Lovelace", testkit.ServiceToken, "$argon2id$",
	} {
		if strings.Contains(log, private) {
			t.Errorf("the log has %q", private)
		}
		if strings.Contains(rows, private) {
			t.Errorf("the audit rows have %q", private)
		}
	}
	// The address that the requests really came from. Lines about our own stores may
	// name theirs, which here is the same machine.
	for _, line := range lines {
		if strings.Contains(line, `"msg":"request"`) && strings.Contains(line, "127.0.0.1") {
			t.Errorf("the access log has the client's address: %s", line)
		}
	}
	if strings.Contains(rows, "127.0.0.1") {
		t.Error("the audit rows have the client's address")
	}
	n := testkit.Count(t, s.DAO, `SELECT count(*) FROM audit_log WHERE request_id <> 'testkit' AND (origin !~ '^[0-9a-f]{32}$' OR origin_key <> $1 OR origin IS NULL)`,
		testkit.Key(t, testkit.PseudonymKey).KeyID())
	if n != 0 {
		t.Errorf("%d rows have no pseudonym or no key id", n)
	}
}

// everywhere puts a text where a request has room for one.
func everywhere(b *testkit.Browser, daoURL, text string, headers []testkit.Header) {
	headerText := regexp.MustCompile(`[^!-~]`).ReplaceAllString(text, "")
	for _, url := range []string{"/" + text, "/api/auth/session?token=" + text, "/api/staging_token/exchange/" + text, "/health?x=" + text} {
		b.Get(daoURL+url, headers...)
		b.Post(daoURL+url, map[string]any{"token": text}, headers...)
		b.Do(http.MethodOptions, daoURL+url, nil, append(headers, header("Origin", "https://"+headerText))...)
		b.Do("BREW", daoURL+url, nil, headers...)
	}
	for _, body := range []string{
		`{"` + text + `":1}`, `{"token":"` + text + `"}`, `{"token":{"` + text + `":1}}`, `"` + text + `"`, text,
		`{"token":"` + text + `","target_domain":"` + text + `"}`, `{"entry_product":"` + text + `"}`, `{"entry_product":"dao","return_path":"//` + text + `"}`,
	} {
		b.Post(daoURL+exchangePath, body, append(headers, bearer)...)
		b.Post(daoURL+mintPath, body, append(headers, header("X-CSRF-Token", b.CSRF))...)
	}
	for _, name := range []string{"Authorization", "X-CSRF-Token", "Idempotency-Key", "X-Request-ID", "Content-Type", "Origin", "Cookie", "Accept", "X-Large"} {
		value := headerText
		if name == "X-Large" {
			value = strings.Repeat(headerText, 2000)
		}
		for _, path := range []string{exchangePath, mintPath, loginPath, refreshPath, logoutPath} {
			b.Post(daoURL+path, `{}`, append(headers, header(name, value))...)
		}
	}
}
