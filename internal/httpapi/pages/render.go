package pages

import (
	"fmt"
	"html"
	"io/fs"
	"net/url"
	"strings"
)

// render fills in a document: the three links, and what is only there where a journey can
// begin. html/template would do it, and make the program a third larger: it calls methods by
// names that it finds at run time, so that the linker keeps all of every type's.
func render(c Config, name string) []byte {
	content, err := fs.ReadFile(files, name)
	if err != nil {
		panic(fmt.Sprintf("pages: render %s: %v", name, err))
	}
	text := string(content)
	if before, rest, found := strings.Cut(text, "\n{{if StartURL}}"); found {
		begin, after, _ := strings.Cut(rest, "\n{{end}}")
		if c.StartURL == "" {
			begin = ""
		}
		text = before + begin + after
	}
	text = strings.NewReplacer(
		"{{ThinkTankURL}}", link(c.ThinkTankURL), "{{FounderyOSURL}}", link(c.FounderyOSURL), "{{StartURL}}", link(c.StartURL),
	).Replace(text)
	if strings.Contains(text, "{{") {
		panic(fmt.Sprintf("pages: render %s: something is not filled in", name))
	}
	return []byte(text)
}

// link is a configured URL in the quotes of an attribute. One of another scheme, such as
// javascript:, would run as our own script when it is followed: it becomes a dead link.
func link(raw string) string {
	u, err := url.Parse(raw)
	if err != nil || u.Scheme != "" && u.Scheme != "http" && u.Scheme != "https" {
		return "#"
	}
	return html.EscapeString(u.String())
}
