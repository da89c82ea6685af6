package pages_test

import (
	"net/http"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var (
	importPattern = regexp.MustCompile(`from "\./([^"]+)"`)
	idPattern     = regexp.MustCompile(`(?:byId|getElementById)\("([^"]+)"\)`)
	wordPattern   = regexp.MustCompile(`(?m)^  ([a-z_]+): `)
	comment       = regexp.MustCompile(`(?m)//.*$|(?s:/\*.*?\*/)`)
)

// scripts returns the text of every script that the document runs, by name,
// imports followed.
func scripts(t *testing.T, h http.Handler, document string) map[string]string {
	t.Helper()
	found := map[string]string{}
	var load func(name string)
	load = func(name string) {
		if _, known := found[name]; known {
			return
		}
		found[name] = get(t, h, "/assets/"+name)
		for _, match := range importPattern.FindAllStringSubmatch(found[name], -1) {
			load(match[1])
		}
	}
	for _, node := range elements(t, document) {
		if node.Data == "script" {
			load(path.Base(attribute(node, "src")))
		}
	}
	return found
}

// What an answer says reaches the page as text and nothing else, and nothing
// that a script knows is kept where the next visitor finds it or sent elsewhere.
func TestScriptsHaveNoDangerousDoor(t *testing.T) {
	forbidden := regexp.MustCompile(`innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b|new Function|srcdoc|` +
		`localStorage|document\.cookie|indexedDB|console\.|sendBeacon|XMLHttpRequest|postMessage|setAttribute\("(on|style|href|src)|` +
		`mode:|setTimeout\("`)
	eachDocument(t, func(t *testing.T, h http.Handler, document string) {
		for name, script := range scripts(t, h, document) {
			if found := forbidden.FindString(comment.ReplaceAllString(script, "")); found != "" {
				t.Errorf("%s uses %s", name, found)
			}
			if strings.Contains(script, "http://") || strings.Contains(script, "https://") {
				t.Errorf("%s names another origin", name)
			}
		}
	})
}

// A script and its document are two files that only a browser brings together;
// an id that was renamed in one of them would otherwise be found there.
func TestEveryElementThatAScriptLooksForIsInItsDocument(t *testing.T) {
	eachDocument(t, func(t *testing.T, h http.Handler, document string) {
		there := ids(t, document)
		looked := 0
		for name, script := range scripts(t, h, document) {
			for _, match := range idPattern.FindAllStringSubmatch(script, -1) {
				looked++
				if !slices.Contains(there, match[1]) {
					t.Errorf("%s looks for #%s", name, match[1])
				}
			}
		}
		if looked < 10 {
			t.Errorf("found only %d look-ups: does the pattern still match?", looked)
		}
	})
}

// Each code of the protocol's error table that can reach a page has words of its
// own; "something went wrong" is for what nobody foresaw.
func TestEveryRefusalHasWords(t *testing.T) {
	for _, want := range []struct {
		script string
		h      http.Handler
		codes  []string
	}{
		{"/assets/think-tank.js", sites[0].handler, []string{
			"invalid_credentials", "email_unverified", "account_inactive", "rate_limited", "session_required", "session_revoked",
			"csrf_failed", "origin_not_allowed", "invalid_request", "dependency_unavailable", "internal", "no_answer",
		}},
		{"/assets/words.js", sites[1].handler, []string{
			"token_malformed", "handoff_expired", "handoff_used", "handoff_invalid", "link_missing", "exchange_disabled", "identity_conflict",
			"account_inactive", "rate_limited", "dependency_unavailable", "origin_not_allowed", "internal", "no_answer",
		}},
	} {
		var have []string
		for _, match := range wordPattern.FindAllStringSubmatch(get(t, want.h, want.script), -1) {
			have = append(have, match[1])
		}
		for _, code := range want.codes {
			if !slices.Contains(have, code) {
				t.Errorf("%s has no words for %s", want.script, code)
			}
		}
	}
}

// The arrival key is random and goes with the post (I8); the token goes nowhere
// but into it.
func TestTheLandingScriptSendsWhatTheProtocolAsksFor(t *testing.T) {
	script := get(t, sites[1].handler, "/assets/arrival.js")
	for _, part := range []string{
		`"/api/v1/auth/cross-domain-login"`, `"X-Requested-With": "founderyos"`, `"Idempotency-Key": arrival.key`,
		`crypto.getRandomValues(new Uint8Array(16))`, `sessionStorage.setItem(name, key)`, `document.prerendering`,
		`keepalive: true`,
	} {
		if !strings.Contains(script, part) {
			t.Errorf("arrival.js lacks %s", part)
		}
	}
	if !strings.Contains(get(t, sites[1].handler, "/assets/take-token.js"), "history.replaceState(") {
		t.Error("take-token.js does not replace the history entry")
	}
}

func TestStylesheetsLoadNothing(t *testing.T) {
	for _, site := range sites {
		for _, target := range []string{"/assets/base.css", site.stylesheet} {
			style := get(t, site.handler, target)
			for _, loader := range []string{"@import", "url(", "@font-face", "image-set("} {
				if strings.Contains(style, loader) {
					t.Errorf("%s uses %s", target, loader)
				}
			}
		}
	}
	if base := get(t, sites[0].handler, "/assets/base.css"); !strings.Contains(base, ":focus-visible { outline: 3px solid var(--focus)") {
		t.Error("base.css shows no focus")
	}
}

// Motion only for who did not ask for less of it.
func TestMotionIsOptional(t *testing.T) {
	outside := regexp.MustCompile(`(?s)@media \(prefers-reduced-motion: no-preference\) \{.*?\n\}`)
	for _, site := range sites {
		for _, target := range []string{"/assets/base.css", site.stylesheet} {
			style := outside.ReplaceAllString(get(t, site.handler, target), "")
			if strings.Contains(style, "animation:") || strings.Contains(style, "transition:") {
				t.Errorf("%s moves for everybody", target)
			}
		}
	}
}

// A page stays small enough to be read in one sitting.
func TestScriptsStaySmall(t *testing.T) {
	eachDocument(t, func(t *testing.T, h http.Handler, document string) {
		for name, script := range scripts(t, h, document) {
			if lines := strings.Count(script, "\n"); lines > 200 {
				t.Errorf("%s has %d lines", name, lines)
			}
		}
	})
}
