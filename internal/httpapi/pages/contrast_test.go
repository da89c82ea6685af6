package pages_test

import (
	"math"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

var colour = regexp.MustCompile(`--([a-z-]+): #([0-9a-f]{6});`)

// palettes reads the site's colours, light and dark, from its stylesheet.
func palettes(style string) map[string]map[string]string {
	light, dark, _ := strings.Cut(style, "prefers-color-scheme: dark")
	found := map[string]map[string]string{"light": {}, "dark": {}}
	for name, part := range map[string]string{"light": light, "dark": dark} {
		for _, match := range colour.FindAllStringSubmatch(part, -1) {
			found[name][match[1]] = match[2]
		}
	}
	return found
}

// luminance is the relative luminance of WCAG 2.2 of a colour as rrggbb.
func luminance(t *testing.T, rgb string) float64 {
	t.Helper()
	value, err := strconv.ParseUint(rgb, 16, 32)
	if err != nil {
		t.Fatalf("colour %q: %v", rgb, err)
	}
	linear := func(shift int) float64 {
		c := float64(value>>shift&0xff) / 255
		if c <= 0.04045 {
			return c / 12.92
		}
		return math.Pow((c+0.055)/1.055, 2.4)
	}
	return 0.2126*linear(16) + 0.7152*linear(8) + 0.0722*linear(0)
}

// Contrast of WCAG 2.2, level AA: 4.5 for text (1.4.3), 3 for what a control or
// a focus ring is recognised by (1.4.11).
func TestColoursCanBeTold(t *testing.T) {
	const text, shape = 4.5, 3
	pairs := []struct {
		front, back string
		least       float64
	}{
		{"ink", "paper", text}, {"ink", "card", text}, {"ink", "hover", text}, {"ink", "danger-card", text},
		{"muted", "paper", text}, {"muted", "card", text},
		{"accent", "paper", text}, {"accent", "card", text}, {"on-accent", "accent", text}, {"on-accent", "accent-hover", text},
		{"strong-line", "paper", shape}, {"strong-line", "card", shape}, {"focus", "paper", shape}, {"focus", "card", shape},
		{"danger", "paper", shape}, {"danger", "danger-card", shape}, {"think-tank", "paper", shape}, {"founderyos", "paper", shape},
	}
	for _, site := range sites {
		for scheme, palette := range palettes(get(t, site.handler, site.stylesheet)) {
			if len(palette) < 15 {
				t.Fatalf("%s, %s: read only %d colours: does the pattern still match?", site.name, scheme, len(palette))
			}
			for _, pair := range pairs {
				a, b := luminance(t, palette[pair.front]), luminance(t, palette[pair.back])
				if ratio := (max(a, b) + 0.05) / (min(a, b) + 0.05); ratio < pair.least {
					t.Errorf("%s, %s: --%s on --%s has contrast %.2f, want %.1f", site.name, scheme, pair.front, pair.back, ratio, pair.least)
				}
			}
		}
	}
}
