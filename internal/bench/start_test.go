package bench

import (
	"os"
	"strings"
	"testing"
	"time"
)

func startReport(t *testing.T, program binaryFile, s started) string {
	t.Helper()
	var text strings.Builder
	if err := reportStart(&text, description{}, program, []started{s}); err != nil {
		t.Fatal(err)
	}
	return text.String()
}

func TestTheReportOfAStartSaysWhichGoalsAreMissed(t *testing.T) {
	t.Parallel()
	small := resident{now: 20 << 20, most: 50 << 20, own: 5 << 20}
	good := started{memory: "off", took: []time.Duration{time.Second, time.Millisecond, time.Millisecond}, atRest: []resident{small}, loaded: small}
	if text := startReport(t, binaryFile{23e6, true}, good); strings.Contains(text, "missed") || !strings.Contains(text, "| 1.00 ms | 1000.00 ms |") {
		t.Error(text)
	}
	large := resident{now: 40 << 20, most: 100 << 20}
	bad := started{memory: "off", took: []time.Duration{301 * time.Millisecond}, atRest: []resident{small, large, small}, loaded: large}
	if text := startReport(t, binaryFile{30e6, false}, bad); strings.Count(text, "missed") != 5 {
		t.Error(text)
	}
}

// This process' memory is some megabytes, in bytes, and its program a file.
func TestWhatAProcessHoldsIsRead(t *testing.T) {
	t.Parallel()
	m := memoryOf(os.Getpid())
	if m.now < 4<<20 || m.now > 4<<30 || m.most < m.own || m.own <= 0 || m.now < m.own {
		t.Errorf("%+v", m)
	}
	path, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	if program, err := binary(path); err != nil || program.size < 1<<20 {
		t.Errorf("%+v, %v", program, err)
	}
	if _, err := binary(path + ".none"); err == nil || !strings.Contains(err.Error(), "make build") {
		t.Errorf("%v", err)
	}
}
