package deploy_test

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/hello-world-co-op/handoff/internal/config"
)

// instructions are those of the Dockerfile's last stage.
func lastStage(t *testing.T) (base string, instructions []string) {
	t.Helper()
	text := strings.ReplaceAll(readRoot(t, "Dockerfile"), "\\\n", "")
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if from, is := strings.CutPrefix(line, "FROM "); is {
			base, instructions = from, nil
			continue
		}
		if line != "" && !strings.HasPrefix(line, "#") {
			instructions = append(instructions, line)
		}
	}
	return base, instructions
}

// Nobody who gets into the process finds a shell, a package manager or root.
func TestTheImageHoldsTwoProgramsAndNoRoot(t *testing.T) {
	t.Parallel()
	base, instructions := lastStage(t)
	if base != "scratch" {
		t.Errorf("the image is made from %s", base)
	}
	ports := []string{}
	for _, v := range config.Variables() {
		if v.Name == "DAO_ADDR" || v.Name == "FOS_ADDR" {
			ports = append(ports, strings.TrimPrefix(v.Default, ":"))
		}
	}
	for _, want := range []string{
		"COPY --from=build /src/bin/server /src/bin/seed /",
		"EXPOSE " + strings.Join(ports, " "),
		`ENTRYPOINT ["/server"]`,
		`CMD ["serve"]`,
	} {
		if !slices.Contains(instructions, want) {
			t.Errorf("the Dockerfile does not say %q", want)
		}
	}
	all := strings.Join(instructions, "\n")
	if !regexp.MustCompile(`(?m)^USER [1-9][0-9]*:[1-9][0-9]*$`).MatchString(all) {
		t.Error("the image runs as root, or under a name that Kubernetes cannot check")
	}
	if !regexp.MustCompile(`(?m)^HEALTHCHECK .*CMD \["/server", "healthcheck"\]$`).MatchString(all) {
		t.Error("the image has no health check that works without a shell")
	}
	if strings.Contains(all, "RUN ") {
		t.Error("something runs in an image that has nothing to run it with")
	}
}

// The image is built by the language that go.mod asks for.
func TestTheImageIsBuiltByTheRightGo(t *testing.T) {
	t.Parallel()
	asked := regexp.MustCompile(`(?m)^go (\d+\.\d+)`).FindStringSubmatch(readRoot(t, "go.mod"))
	builds := regexp.MustCompile(`(?m)^FROM golang:(\d+\.\d+)-`).FindStringSubmatch(readRoot(t, "Dockerfile"))
	if asked == nil || builds == nil || asked[1] != builds[1] {
		t.Errorf("go.mod asks for %v, the Dockerfile builds with %v", asked, builds)
	}
}
