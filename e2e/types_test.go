package e2e_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

const compiler = ".dev/typescript/node_modules/.bin/tsc"

// compiled is what TypeScript's compiler says of files, "" for nothing: strictly, scripts too.
func compiled(t *testing.T, files map[string]string) string {
	t.Helper()
	if _, err := os.Stat(compiler); err != nil {
		t.Fatal("there is no compiler for TypeScript: sh tools/packages.sh gets it")
	}
	dir := t.TempDir()
	files = maps.Clone(files)
	files["tsconfig.json"] = `{"include": ["*"], "compilerOptions": {"strict": true, "allowJs": true, "checkJs": true, "noEmit": true, "types": [],
		"target": "es2022", "lib": ["es2023", "dom", "dom.iterable"], "module": "esnext", "moduleResolution": "bundler"}}`
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	said, err := exec.CommandContext(t.Context(), compiler, "-p", dir).CombinedOutput()
	if err != nil && len(said) == 0 {
		t.Fatal(err)
	}
	return string(said)
}

func file(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// sources are the module, under another name so that its types are not taken for it, and
// those types; and a third that compares them.
func sources(t *testing.T) map[string]string {
	t.Helper()
	return map[string]string{
		"made.js": file(t, "client/js/handoff.js"), "handoff.d.ts": file(t, "client/js/handoff.d.ts"),
		"same.ts": `import * as made from "./made.js"; import type * as said from "./handoff.js";
			const asSaid: typeof said = made; const all: Record<keyof typeof made, unknown> = asSaid; void all;`,
	}
}

// What handoff.d.ts says is what handoff.js is: the compiler reads the module by its types,
// and what a browser sees of it at work is written down and read by them, too. So that this
// says something, each of some mistakes is made and found.
func TestModule_itsTypesAreTrue(t *testing.T) {
	t.Parallel()
	files := sources(t)
	files["seen.ts"] = seen(t)
	if said := compiled(t, files); said != "" {
		t.Fatalf("%s\n%s", said, files["seen.ts"])
	}
	for _, mistake := range []struct{ file, old, new string }{
		{"handoff.d.ts", "expiresAt: number", "expires_at: number"},
		{"handoff.d.ts", "session: Session;", "session: string;"},
		{"handoff.d.ts", "  challenge?: string;\n", ""},
		{"handoff.d.ts", "  signal?: AbortSignal;\n", "  signal?: AbortSignal;\n  timeout?: number;\n"},
		{"handoff.d.ts", "maxAge?: number", "maxAge?: string"},
		{"handoff.d.ts", "links: boolean", "links?: string"},
		{"handoff.d.ts", "takeToken(): string | null", "takeToken(): string"},
		{"handoff.d.ts", "Promise<{ handoffId: string }>", "Promise<{ id: string }>"},
		{"handoff.d.ts", "function decline", "function refuse"},
		{"handoff.d.ts", "  readonly retryAfter: number", "  readonly retryAfter: string"},
		{"handoff.d.ts", `"ACTIVE" | `, ""},
		{"handoff.d.ts", "readonly errors: Field[]", "readonly errors: string[]"},
		{"made.js", "returnPath: body.return_path, handoffId", "return_path: body.return_path, handoffId"},
		{"made.js", "export async function confirm", "async function confirm"},
		{"made.js", "return tokens.length === 1 ? tokens[0] : null", "return tokens"},
	} {
		wrong := maps.Clone(files)
		wrong[mistake.file] = strings.Replace(files[mistake.file], mistake.old, mistake.new, 1)
		if wrong[mistake.file] == files[mistake.file] {
			t.Errorf("%s has no %q", mistake.file, mistake.old)
		} else if compiled(t, wrong) == "" {
			t.Errorf("%q for %q: the compiler has nothing to say", mistake.new, mistake.old)
		}
	}
}

// seen is TypeScript with what the module gave and took in a browser, in literals, each
// with the type that it is said to have.
func seen(t *testing.T) string {
	t.Helper()
	s := openSuite(t)
	p := s.person(t)
	p.unjudged = true
	p.isAda()
	var text strings.Builder
	text.WriteString(`import type * as m from "./handoff.js";
		type Own = Omit<m.HandoffError, "name" | "message" | "stack" | "cause">;` + "\n")
	literal := func(name, kind, value string) { fmt.Fprintf(&text, "export const %s: %s = %s;\n", name, kind, value) }
	// reads notes which options a call reads.
	const reads = `const read = {}, noting = (given) => new Proxy(given, {get: (o, name) => (read[name] = true, o[name])});
		const own = (error) => { const {name, ...more} = error; return {...more, passes: error.passes}; };`
	run := func(at, script string) (result map[string]json.RawMessage) {
		p.visit(at, "main")
		answer := evaluate[string](p, `import("/handoff.js").then(async (m) => {`+reads+script+`}).catch((e) => JSON.stringify({failed: String(e)}))`)
		if err := json.Unmarshal([]byte(answer), &result); err != nil || result["failed"] != nil {
			t.Fatalf("%v: %s", err, answer)
		}
		return result
	}
	const journey = `entryProduct: "think-tank", dao: %q, maxAge: 3600, responseMode: "fragment"`
	options := fmt.Sprintf(journey, s.thinkTank)
	literal("journey", "m.Journey", "{"+options+"}")
	leave := func(path string) string {
		left := run(s.here+"/", fmt.Sprintf(`let url; const left = await m.navigateCrossDomain(%q, %s, noting({%s, go(to) { url = to; }}));
			const error = await m.navigateCrossDomain(%q, null, {entryProduct: "casino", dao: %q}).catch(own);
			return JSON.stringify({left, read, error, all: Object.fromEntries(Object.keys(m).map((name) => [name, true])), token: new URLSearchParams(url.hash.slice(1)).get("token")})`,
			usualNames.founderyOS, path, options, usualNames.founderyOS, s.thinkTank))
		name := fmt.Sprint(text.Len())
		literal("left"+name, "Awaited<ReturnType<typeof m.navigateCrossDomain>>", string(left["left"]))
		literal("read"+name, "Record<keyof m.Journey, true>", string(left["read"]))
		literal("refused"+name, "Own", string(left["error"]))
		literal("all"+name, "Record<keyof typeof m, true>", string(left["all"]))
		return string(left["token"])
	}
	arrive := func(name, kind, token string) {
		landed := run(s.there+"/", fmt.Sprintf(`const got = await m.arrive(%s, noting({fos: %q}));
			const error = await m.arrive(%s, {fos: %q}).catch(own);
			return JSON.stringify({got, read, error})`, token, s.founderyOS, `"`+strings.Repeat("0f", 32)+`"`, s.founderyOS))
		literal(name, kind, string(landed["got"]))
		literal(name+"Read", "Record<keyof m.Arrival, true>", string(landed["read"]))
		literal(name+"Refused", "Own", string(landed["error"]))
	}
	arrive("landed", "m.Landed", leave(`"/projects/7"`))
	p.visit(s.thinkTank+"/", atHome)
	arrive("somewhere", "m.Landed", leave(`null`))
	p.is(bobEmail)
	arrive("asked", "m.Asked", leave(`null`))
	return text.String()
}

var (
	codeOfType = regexp.MustCompile(`"([a-z_]+)"`)
	fragment   = regexp.MustCompile(`(?m)^//   (.*)$`)
)

// pasted is what the module's head says to paste, one fragment behind the other.
func pasted(t *testing.T) string {
	t.Helper()
	var text strings.Builder
	lines := fragment.FindAllStringSubmatch(file(t, "client/js/handoff.js"), -1)
	for _, line := range lines {
		fmt.Fprintln(&text, line[1])
	}
	if len(lines) < 10 {
		t.Fatalf("%d lines", len(lines))
	}
	return text.String()
}

// The codes that the types name are the service's, and what the module's head says to
// paste can be pasted; its landing page is used in TestModule_itsLandingPageTriesAgain.
func TestModule_itsWordsAreTrue(t *testing.T) {
	t.Parallel()
	var published struct{ Codes []struct{ Code string } }
	if err := json.Unmarshal([]byte(file(t, "docs/errors.json")), &published); err != nil {
		t.Fatal(err)
	}
	known := []string{"no_answer"}
	for _, code := range published.Codes {
		known = append(known, code.Code)
	}
	files := sources(t)
	_, union, _ := strings.Cut(files["handoff.d.ts"], "export type Code =")
	union, _, _ = strings.Cut(union, ";")
	codes := codeOfType.FindAllStringSubmatch(union, -1)
	for _, code := range codes {
		if !slices.Contains(known, code[1]) {
			t.Errorf("there is no code %s", code[1])
		}
	}
	if len(codes) < 10 {
		t.Fatalf("%d codes", len(codes))
	}
	files["pasted.ts"] = "declare const button: HTMLButtonElement, dao: string, fos: string,\n" +
		"retry: HTMLButtonElement, show: (user: import('./handoff.js').User | null) => void, say: (error: Error) => void;\n" + pasted(t)
	if said := compiled(t, files); said != "" {
		t.Errorf("%s\n%s", said, files["pasted.ts"])
	}
}
