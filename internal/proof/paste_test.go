//go:build proof

package proof_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hello-world-co-op/handoff/internal/member"
	"github.com/hello-world-co-op/handoff/internal/privacy"
	"github.com/hello-world-co-op/handoff/internal/testkit"
)

// What docs/integration.md says to paste does what it says there.
func TestProof_theIntegrationPageCanBePasted(t *testing.T) {
	s := testkit.Start(t, testkit.Options{})
	s.Member(t, person, func(a *member.Account) { a.PasswordHash = privacy.NewSecret(testkit.PasswordHash()) })
	page, err := os.ReadFile("../../docs/integration.md")
	if err != nil {
		t.Fatal(err)
	}
	_, after, _ := strings.Cut(string(page), "```sh\n")
	script, _, found := strings.Cut(after, "```")
	if !found {
		t.Fatal("there is nothing to paste")
	}
	s.Clock.Advance(time.Since(s.Clock.Now())) // curl keeps cookies by the wall clock
	command := exec.CommandContext(t.Context(), "sh", "-eu")
	command.Stdin = strings.NewReader(script)
	command.Env = append(os.Environ(), "DAO="+s.DAOURL, "FOS="+s.FOSURL, "EMAIL="+person, "PASSWORD="+testkit.Password, "SERVICE_TOKEN="+testkit.ServiceToken)
	out, err := command.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	var said []string
	for line := range strings.Lines(string(out)) {
		var answer struct {
			Message, Email, Code string
			HandoffID            string `json:"handoff_id"`
			ReturnPath           string `json:"return_path"`
			User                 struct{ Email string }
		}
		if err := json.Unmarshal([]byte(line), &answer); err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		said = append(said, strings.Join(strings.Fields(answer.Code+" "+answer.Email+" "+answer.User.Email+" "+answer.ReturnPath), " "))
	}
	want := []string{"", person + " /projects/7", person + " /projects/7", person, person + " /projects/7", "token_used"}
	if diff := cmp.Diff(want, said); diff != "" {
		t.Errorf("answers (-want +got):\n%s\n%s", diff, out)
	}
}
