package pages_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/html"
)

// elements parses the document as a browser without script does, so that what
// is inside <noscript> is looked at too, and <template> contents as well.
func elements(t *testing.T, document string) []*html.Node {
	t.Helper()
	root, err := html.ParseWithOptions(strings.NewReader(document), html.ParseOptionEnableScripting(false))
	if err != nil {
		t.Fatalf("parse: %v", err)
	}
	var found []*html.Node
	for node := range root.Descendants() {
		if node.Type == html.ElementNode {
			found = append(found, node)
		}
	}
	return found
}

func attribute(node *html.Node, name string) string {
	for _, a := range node.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}

func ids(t *testing.T, document string) []string {
	t.Helper()
	var found []string
	for _, node := range elements(t, document) {
		if id := attribute(node, "id"); id != "" {
			found = append(found, id)
		}
	}
	return found
}

// eachDocument runs the check on all documents of both sites.
func eachDocument(t *testing.T, check func(t *testing.T, h http.Handler, document string)) {
	t.Helper()
	for _, site := range sites {
		for _, target := range site.documents {
			t.Run(site.name+target, func(t *testing.T) { check(t, site.handler, get(t, site.handler, target)) })
		}
	}
}

func TestNothingIsInline(t *testing.T) {
	eachDocument(t, func(t *testing.T, _ http.Handler, document string) {
		for _, node := range elements(t, document) {
			if node.Data == "style" {
				t.Error("<style> in the document")
			}
			if node.Data == "script" && (node.FirstChild != nil || attribute(node, "src") == "") {
				t.Error("inline <script> in the document")
			}
			for _, a := range node.Attr {
				if a.Key == "style" || a.Key == "srcdoc" || strings.HasPrefix(a.Key, "on") {
					t.Errorf("<%s> has %s=%q", node.Data, a.Key, a.Val)
				}
			}
		}
	})
}

// Links within a site are relative and answered, so that the pages work under
// any host name; the only others are the configured ones.
func TestEveryAddressIsTheSitesOwnOrConfigured(t *testing.T) {
	eachDocument(t, func(t *testing.T, h http.Handler, document string) {
		for _, node := range elements(t, document) {
			for _, name := range []string{"src", "href", "action", "formaction", "srcset", "poster", "data", "ping"} {
				address := attribute(node, name)
				configured := node.Data == "a" && (address == thinkTankURL || address == founderyOSURL)
				switch {
				case address == "" || configured || address == "./":
				case strings.Contains(address, ":") || strings.HasPrefix(address, "/"):
					t.Errorf("<%s %s=%q> is not relative", node.Data, name, address)
				default:
					get(t, h, "/"+address)
				}
			}
		}
	})
}

func TestTheTokenIsTakenBeforeAnythingElseIsLoaded(t *testing.T) {
	var loading []*html.Node
	for _, node := range elements(t, get(t, sites[1].handler, "/cross-domain")) {
		if attribute(node, "src") != "" || node.Data == "link" {
			loading = append(loading, node)
		}
	}
	first := loading[0]
	if first.Data != "script" || attribute(first, "src") != "assets/take-token.js" {
		t.Fatalf("the first thing loaded is <%s %s>", first.Data, attribute(first, "src")+attribute(first, "href"))
	}
	for _, late := range []string{"async", "defer", "type"} {
		if slices.ContainsFunc(first.Attr, func(a html.Attribute) bool { return a.Key == late }) {
			t.Errorf("%s lets the parser, and so everything else, go ahead of take-token.js", late)
		}
	}
}

func TestTheHooksForABrowserTestAreThere(t *testing.T) {
	hooks := map[string][]string{
		"think-tank/": {"email", "password", "sign-in", "signed-in-name", "open-founderyos", "sign-out", "status", "error", "retry"},
		"founderyos/": {"user-name", "user-email", "sign-out", "status", "error", "error-code", "way-back", "retry"},
		"founderyos/cross-domain": {
			"user-name", "user-email", "entry-product", "steps", "sign-out", "status", "error", "error-code", "request-id", "way-back", "retry",
		},
	}
	for _, site := range sites {
		for _, target := range site.documents {
			there := ids(t, get(t, site.handler, target))
			for _, id := range hooks[site.name+target] {
				if !slices.Contains(there, id) {
					t.Errorf("%s%s lacks #%s", site.name, target, id)
				}
			}
			slices.Sort(there)
			if len(slices.Compact(slices.Clone(there))) != len(there) {
				t.Errorf("%s%s has an id twice: %v", site.name, target, there)
			}
		}
	}
}

func TestThePagesCanBeUsedWithoutSeeingThem(t *testing.T) {
	eachDocument(t, func(t *testing.T, _ http.Handler, document string) {
		all := elements(t, document)
		count := func(match func(*html.Node) bool) (n int) {
			for _, node := range all {
				if match(node) {
					n++
				}
			}
			return n
		}
		for _, name := range []string{"title", "header", "main", "footer", "h1"} {
			if got := count(func(n *html.Node) bool { return n.Data == name }); got != 1 {
				t.Errorf("%d <%s>, want 1", got, name)
			}
		}
		for id, role := range map[string]string{"status": "status", "error": "alert"} {
			if count(func(n *html.Node) bool { return attribute(n, "id") == id && attribute(n, "role") == role }) != 1 {
				t.Errorf("no #%s with role=%s", id, role)
			}
		}
		if count(func(n *html.Node) bool { return n.Data == "noscript" }) == 0 {
			t.Error("no <noscript>")
		}
		checkNames(t, all)
	})
}

// checkNames demands a language, a label for each field, a text alternative for
// each image, a type on each button and a name for each section.
func checkNames(t *testing.T, all []*html.Node) {
	t.Helper()
	labelled := map[string]bool{}
	for _, node := range all {
		if node.Data == "label" {
			labelled[attribute(node, "for")] = true
		}
	}
	for _, node := range all {
		has := func(name string) bool {
			return slices.ContainsFunc(node.Attr, func(a html.Attribute) bool { return a.Key == name })
		}
		id := attribute(node, "id")
		switch {
		case node.Data == "html" && !has("lang"),
			node.Data == "img" && !has("alt"),
			node.Data == "button" && !has("type"),
			node.Data == "input" && (!labelled[id] || !has("autocomplete")),
			node.Data == "section" && !has("aria-label") && !has("aria-labelledby"):
			t.Errorf("<%s id=%q> has no name, label, type or language", node.Data, id)
		}
	}
}

// A script that does not load must not turn the form into a GET: email and
// password would be in the address, the history and every log on the way.
func TestThePasswordCannotReachAnAddress(t *testing.T) {
	for _, node := range elements(t, get(t, sites[0].handler, "/")) {
		if node.Data == "form" && attribute(node, "method") != "post" {
			t.Errorf("form method = %q, want post", attribute(node, "method"))
		}
		if node.Data == "input" && attribute(node, "value") != "" {
			t.Errorf("#%s carries a value: demonstration credentials do not belong in the page", attribute(node, "id"))
		}
	}
}
