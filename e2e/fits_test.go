package e2e_test

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

// fitsEveryWindow: on a small telephone and on a desk, by day and by night, nothing
// is cut off or pushed sideways, and what is to be pressed can be pressed with a
// thumb. With HANDOFF_SCREENSHOTS=DIR there is a picture of each, for people.
func (p *person) fitsEveryWindow(name string) {
	p.t.Helper()
	for _, width := range []int64{320, 1280} {
		for _, scheme := range []string{"light", "dark"} {
			p.looksThrough(width, scheme)
			for _, fault := range evaluate[[]string](p, faults) {
				p.t.Errorf("%d px, %s: %s", width, scheme, fault)
			}
			p.picture(fmt.Sprintf("%s-%d-%s.png", name, width, scheme))
		}
	}
}

// faults is a script that names what does not fit. 44 px is WCAG 2.2's enhanced
// target size (2.5.5); links in running text are exempt there.
const faults = `(() => {
	const faults = [], wide = document.documentElement.clientWidth;
	const name = (e) => e.localName + (e.id && "#" + e.id) + (e.className && "." + e.className);
	if (document.documentElement.scrollWidth > wide) faults.push("the page scrolls sideways");
	for (const e of document.body.querySelectorAll("*")) {
		const box = e.getBoundingClientRect();
		if (!e.checkVisibility() || box.width === 0) continue;
		if (box.left < 0 || box.right > wide + 0.5) faults.push(name(e) + " is cut off");
		if (e.matches("button, .button, input") && box.height < 44) faults.push(name(e) + " is " + box.height + " px high");
	}
	return faults;
})()`

// looksThrough changes the window and the scheme under the page.
func (p *person) looksThrough(width int64, scheme string) {
	p.t.Helper()
	p.do(chromedp.EmulateViewport(width, 900))
	call(p, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{
		{Name: "prefers-color-scheme", Value: scheme},
	}})
	dark := evaluate[bool](p, `matchMedia("(prefers-color-scheme: dark)").matches`)
	if at := evaluate[int64](p, `innerWidth`); at != width || dark != (scheme == "dark") {
		p.t.Fatalf("the window is %d px wide, dark %t; asked for %d, %s", at, dark, width, scheme)
	}
}

func (p *person) picture(name string) {
	p.t.Helper()
	dir := os.Getenv("HANDOFF_SCREENSHOTS")
	if dir == "" {
		return
	}
	image, err := chromedp.Run(p.ctx, chromedp.FullScreenshot(100))
	if err != nil {
		p.t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, name), image, 0o600); err != nil {
		p.t.Fatal(err)
	}
}
