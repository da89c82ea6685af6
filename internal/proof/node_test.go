//go:build proof

package proof_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hello-world-co-op/handoff/internal/member"
	"github.com/hello-world-co-op/handoff/internal/privacy"
	"github.com/hello-world-co-op/handoff/internal/testkit"
)

// frontEnd is a page beside the service: another origin, since it has another port,
// and the same site, as the suites' front ends are in life.
const frontEnd = "http://127.0.0.1:3000"

// The existing front ends' client, with a browser around it, finds in every answer
// what it reads: testdata/dao_client.mjs tells the story.
func TestProof_ExistingFrontEndsFindWhatTheyRead(t *testing.T) {
	s := testkit.Start(t, testkit.Options{Env: map[string]string{"DAO_CORS_ORIGINS": "https://think-tank.test," + frontEnd}})
	s.Member(t, person, func(a *member.Account) { a.PasswordHash = privacy.NewSecret(testkit.PasswordHash()) })
	runNode(t, s.Clock, "testdata/dao_client.mjs",
		"API="+s.DAOURL, "ORIGIN="+frontEnd, "EMAIL="+person, "PASSWORD="+testkit.Password)

	events := map[string]int{}
	for _, event := range testkit.Events(t, s.DAO) {
		events[event]++
	}
	for event, want := range map[string]int{
		"login.failed failure invalid_credentials": 1, "session.created success password": 1, "handoff.minted success": 1,
		"session.refreshed success rotated": 52, "session.ended success logout": 1,
	} {
		if events[event] != want {
			t.Errorf("%q was recorded %d times, want %d: %v", event, events[event], want, events)
		}
	}
	if n := testkit.Count(t, s.DAO, `SELECT count(*) FROM sessions`); n != 1 {
		t.Errorf("the whole day took %d sessions", n)
	}
}

// runNode runs a script that may move the clock, and demands that it ends well.
func runNode(t *testing.T, clock *testkit.Clock, script string, env ...string) {
	t.Helper()
	command := exec.CommandContext(t.Context(), node(t), filepath.Base(script))
	command.Dir = filepath.Dir(script)
	command.Env = slices.Concat(os.Environ(), []string{"NODE_PATH=" + nodePath()}, env)
	var complaint bytes.Buffer
	command.Stderr = &complaint
	in, err := command.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	for lines := bufio.NewScanner(out); lines.Scan(); {
		var line struct {
			Log     string
			Advance *int
		}
		if err := json.Unmarshal(lines.Bytes(), &line); err != nil {
			t.Errorf("%s says %q", script, lines.Text())
		}
		if line.Advance == nil {
			t.Log(line.Log)
			continue
		}
		clock.Advance(time.Duration(*line.Advance) * time.Second)
		if _, err := fmt.Fprintf(in, "{\"now\":%d}\n", clock.Now().UnixMilli()); err != nil {
			t.Error(err)
		}
	}
	if err := command.Wait(); err != nil {
		t.Fatalf("%s: %v\n%s", script, err, &complaint)
	}
}

// node is an interpreter that finds tough-cookie and has a fetch.
func node(t *testing.T) string {
	t.Helper()
	const probe = `require("tough-cookie"); process.exit(typeof fetch === "function" ? 0 : 1)`
	for _, name := range []string{"node", "nodejs", "/usr/bin/node"} {
		command := exec.CommandContext(t.Context(), name, "-e", probe)
		command.Env = append(os.Environ(), "NODE_PATH="+nodePath())
		if command.Run() == nil {
			return name
		}
	}
	t.Fatal("there is no Node 18 or newer with tough-cookie; on Debian: apt-get install nodejs node-tough-cookie")
	return ""
}

// nodePath is where Debian puts modules, which only Debian's own Node knows.
func nodePath() string {
	paths := []string{"/usr/share/nodejs", "/usr/lib/nodejs"}
	if set := os.Getenv("NODE_PATH"); set != "" {
		paths = append([]string{set}, paths...)
	}
	return strings.Join(paths, string(os.PathListSeparator))
}
