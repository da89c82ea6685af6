package e2e_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// reboundName is a name of the outside world that means this machine.
const reboundName = "rebound.example"

// chromium is the one browser process of all stories.
var chromium browser

type browser struct {
	once sync.Once
	err  error
	ctx  context.Context
	home string
}

// open returns a context of the running browser.
func (b *browser) open(t *testing.T) context.Context {
	t.Helper()
	b.once.Do(func() { b.err = b.start() })
	if b.err != nil {
		t.Fatal(b.err)
	}
	return b.ctx
}

func (b *browser) start() (err error) {
	program, err := findChromium()
	if err != nil {
		return err
	}
	// Profile, caches and crash reports of the test, not of whoever runs it.
	if b.home, err = os.MkdirTemp("", "handoff-e2e-"); err != nil {
		return err
	}
	// Ended by close; without it by the kernel, when this process is gone.
	allocator, _ := chromedp.NewExecAllocator(context.Background(), append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(program),
		chromedp.Env("HOME="+b.home, "XDG_CONFIG_HOME="+b.home, "XDG_CACHE_HOME="+b.home),
		chromedp.UserDataDir(b.home+"/profile"),
		// Only our own pages are opened. The sandbox needs a setuid helper or user
		// namespaces, which containers rarely give, and refuses root.
		chromedp.Flag("no-sandbox", true),
		chromedp.Flag("disable-gpu", true),
		chromedp.Flag("disable-quic", true),
		chromedp.Flag("disable-component-update", true),
		// A proxy that is not there: loopback names go past it by themselves, and what
		// the browser wants from the world on its own account goes nowhere.
		chromedp.ProxyServer("127.0.0.1:1"),
		chromedp.Flag("proxy-bypass-list", reboundName),
		chromedp.Flag("host-resolver-rules", "MAP "+reboundName+" 127.0.0.1"),
		chromedp.WindowSize(1280, 900),
	)...)
	b.ctx, _ = chromedp.NewContext(allocator)
	if err := chromedp.Do(b.ctx); err != nil {
		return fmt.Errorf("%s does not start: %w", program, err)
	}
	return nil
}

// findChromium is a failure, not a skip, where there is none: what these tests
// prove nothing else proves.
func findChromium() (string, error) {
	names := []string{"chromium", "chromium-browser", "google-chrome-stable"}
	if chosen := os.Getenv("CHROMIUM"); chosen != "" {
		names = []string{chosen}
	}
	for _, name := range names {
		if found, err := exec.LookPath(name); err == nil {
			return found, nil
		}
	}
	return "", fmt.Errorf("the browser tests need Chromium, and there is no %s: install the package chromium "+
		"(apt-get install chromium), or name the program in CHROMIUM", strings.Join(names, ", "))
}

func (b *browser) close() error {
	if b.ctx == nil {
		return nil // no story asked for it
	}
	ctx, cancel := context.WithTimeout(b.ctx, 10*time.Second)
	defer cancel()
	return errors.Join(chromedp.Cancel(ctx), os.RemoveAll(b.home))
}
