package devstack

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// fakePrograms puts shell scripts first on PATH, and returns a function that reads
// what they wrote to $CALLS.
func fakePrograms(t *testing.T, scripts map[string]string) (calls func() []string) {
	t.Helper()
	bin := t.TempDir()
	record := filepath.Join(bin, "calls")
	for name, script := range scripts {
		text := "#!/bin/sh\necho \"" + name + " $*\" >> \"$CALLS\"\n" + script
		if err := os.WriteFile(filepath.Join(bin, name), []byte(text), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("CALLS", record)
	t.Setenv("PATH", bin+string(filepath.ListSeparator)+os.Getenv("PATH"))
	return func() []string {
		text, err := os.ReadFile(record)
		if err != nil {
			t.Fatal(err)
		}
		return strings.Split(strings.TrimSpace(string(text)), "\n")
	}
}

// newInstaller installs into a made-up system with the usual folders.
func newInstaller(t *testing.T) installer {
	t.Helper()
	root := t.TempDir()
	for _, dir := range []string{"usr/sbin", "var/lib/apt/lists"} {
		if err := os.MkdirAll(filepath.Join(root, dir), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	lock, err := openLock(filepath.Join(root, "lock"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = lock.Close() }) // some tests close it themselves
	t.Setenv("ROOT", root)
	return installer{apt: apt{log: filepath.Join(root, "apt.log"), lock: lock}, root: root, say: t.Logf}
}

func (i installer) giveLists(t *testing.T) {
	t.Helper()
	if err := os.WriteFile(below(i.root, "var/lib/apt/lists/main_Packages.lz4"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
}

// checkNoTrace fails if an installation left any of its precautions.
func (i installer) checkNoTrace(t *testing.T) {
	t.Helper()
	for _, path := range []string{"usr/sbin/policy-rc.d", "etc/postgresql-common"} {
		if _, err := os.Lstat(filepath.Join(i.root, path)); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("%s is left: %v", path, err)
		}
	}
	if left, _ := filepath.Glob(below(i.root, "usr/sbin/.*")); len(left) > 0 {
		t.Errorf("left: %v", left)
	}
}

// refusesServices is a fake apt-get's way of asking as a package does.
const refusesServices = `
case "$*" in *" install "*)
	"$ROOT/usr/sbin/policy-rc.d" redis-server start
	echo "policy $?" >> "$CALLS"
	grep -c 'create_main_cluster = false' "$ROOT/etc/postgresql-common/createcluster.d/"* >> "$CALLS"
esac
`

func TestPackagesAreInstalledWithoutStartingTheirServers(t *testing.T) {
	calls := fakePrograms(t, map[string]string{"apt-get": refusesServices})
	i := newInstaller(t)
	if err := i.install(t.Context(), []kind{postgresKind, redisKind}); err != nil {
		t.Fatal(err)
	}
	got := calls()
	if len(got) != 4 || !strings.HasSuffix(got[0], " update") ||
		!strings.HasSuffix(got[1], " install -y --no-install-recommends postgresql redis-server") ||
		got[2] != "policy 101" || got[3] != "1" {
		t.Errorf("apt-get was called: %q", got)
	}
	i.checkNoTrace(t)
}

func TestAFailedInstallationLeavesNoPrecautionAndIsTriedWithNewListsAndOtherNames(t *testing.T) {
	calls := fakePrograms(t, map[string]string{"apt-get": `
case "$*" in *update|*"recommends valkey-server") exit 0;; esac
echo "E: Unable to locate package" >&2
exit 100
`})
	i := newInstaller(t)
	i.giveLists(t)
	err := i.install(t.Context(), []kind{postgresKind, redisKind})
	if err == nil || !strings.Contains(err.Error(), "Unable to locate package") {
		t.Errorf("the error does not quote apt: %v", err)
	}
	var order []string
	for _, call := range calls() {
		order = append(order, call[strings.LastIndex(call, " ")+1:])
	}
	// All together, again with new lists, then one by one.
	want := []string{"redis-server", "update", "redis-server", "postgresql", "redis-server", "valkey-server"}
	if !slices.Equal(order, want) {
		t.Errorf("tried %q", order)
	}
	i.checkNoTrace(t)
}

func TestSomebodyElsesPolicyIsLeftAlone(t *testing.T) {
	fakePrograms(t, map[string]string{"apt-get": ""})
	i := newInstaller(t)
	policy := below(i.root, "usr/sbin/policy-rc.d")
	if err := os.WriteFile(policy, []byte("#!/bin/sh\nexit 101\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := i.install(t.Context(), []kind{redisKind}); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(policy)
	if err != nil || string(text) != "#!/bin/sh\nexit 101\n" {
		t.Errorf("it is now %q, %v", text, err)
	}
}

func TestAForgottenPolicyAllowsServicesAndIsRemovedByTheNextInstallation(t *testing.T) {
	i := newInstaller(t)
	if err := i.precautions().take(); err != nil {
		t.Fatal(err)
	}
	policy := below(i.root, "usr/sbin/policy-rc.d")
	mayStart := func() error {
		return exec.CommandContext(t.Context(), policy, "ssh", "start").Run()
	}
	if err := mayStart(); err == nil || err.Error() != "exit status 101" {
		t.Errorf("while packages are installed: %v", err)
	}
	if err := i.apt.lock.Close(); err != nil { // the installing process is killed
		t.Fatal(err)
	}
	if err := mayStart(); err != nil {
		t.Errorf("a forgotten policy keeps services from starting: %v", err)
	}
	if err := os.Remove(filepath.Join(i.root, "lock")); err != nil {
		t.Fatal(err)
	}
	if err := mayStart(); err != nil {
		t.Errorf("so does one whose lock was removed: %v", err)
	}
	if err := errors.Join(i.precautions().take(), i.precautions().lift()); err != nil {
		t.Fatal(err)
	}
	i.checkNoTrace(t)
}

func TestTheErrorQuotesWhatAptSaysIsWrong(t *testing.T) {
	fakePrograms(t, map[string]string{"apt-get": `
case "$*" in *update) echo "W: Failed to fetch the list  Temporary failure resolving"; exit 0;; esac
echo "Reading package lists..."
echo "E: Unable to locate package" >&2
exit 100
`, "dpkg-deb": ""})
	i, d := newInstaller(t), newDownloader(t)
	for name, err := range map[string]error{
		"install": i.install(t.Context(), []kind{redisKind}), "download": d.download(t.Context(), []kind{redisKind}),
	} {
		if err == nil || !strings.Contains(err.Error(), "Temporary failure resolving") ||
			!strings.Contains(err.Error(), "Unable to locate") || strings.Contains(err.Error(), "Reading") || strings.Contains(err.Error(), "valkey") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

const aptPlan = `
case "$*" in
*" -s install redis-server") cat <<'PLAN'
Reading package lists...
Inst libc6 [2.36-9] (2.36-9+deb12u14 Debian:12/stable [amd64]) []
Inst libssl3:amd64 [3.0.15] (3.0.16-1 Debian:12/stable, Debian-Security:12/stable [amd64])
Inst redis-server (5:7.0.15-1~deb12u10 Debian-Security:12/stable [amd64])
Conf redis-server (5:7.0.15-1~deb12u10 Debian-Security:12/stable [amd64])
PLAN
;;
*" download "*) touch redis-server_1.deb libssl3_1.deb ;;
esac
`

func newDownloader(t *testing.T) downloader {
	t.Helper()
	dir := t.TempDir()
	return downloader{apt: apt{log: filepath.Join(dir, "apt.log")}, dir: dir, say: t.Logf}
}

func TestAnOrdinaryUserGetsServersWithoutInstallingThem(t *testing.T) {
	calls := fakePrograms(t, map[string]string{"apt-get": aptPlan, "dpkg-deb": `
mkdir -p "$3/usr/bin" "$3/usr/lib/x86_64-linux-gnu"
touch "$3/usr/bin/redis-server" && chmod +x "$3/usr/bin/redis-server"
`})
	d := newDownloader(t)
	if err := d.download(t.Context(), []kind{redisKind}); err != nil {
		t.Fatal(err)
	}
	for _, call := range calls() {
		if strings.HasPrefix(call, "apt-get") && !strings.Contains(call, "-o Dir::State="+d.dir) {
			t.Errorf("not with private lists: %s", call)
		}
		if strings.Contains(call, " download ") && !strings.HasSuffix(call, " download libssl3:amd64=3.0.16-1 redis-server=5:7.0.15-1~deb12u10") {
			t.Errorf("downloads (the C library must not be among it): %s", call)
		}
	}
	found, err := finder{root: t.TempDir(), getenv: func(string) string { return "" }, unpacked: unpackedRoot(d.dir)}.find()
	if err != nil || found.Redis.Path == "" || len(found.Redis.Libs) == 0 {
		t.Errorf("found afterwards: %+v, %v", found, err)
	}
	if left, _ := filepath.Glob(filepath.Join(d.dir, "apt")); len(left) > 0 {
		t.Error("lists and packages are left")
	}
}

func TestABrokenDownloadIsNoServer(t *testing.T) {
	for name, script := range map[string]map[string]string{
		"unpacking fails":    {"apt-get": aptPlan, "dpkg-deb": `mkdir -p "$3/usr/bin"; touch "$3/usr/bin/redis-server"; exit 2`},
		"downloading fails":  {"apt-get": aptPlan + `case "$*" in *" download "*) echo "E: Failed to fetch" >&2; exit 100;; esac`, "dpkg-deb": ""},
		"there are no lists": {"apt-get": `echo "E: Could not resolve" >&2; exit 100`, "dpkg-deb": ""},
		"nothing to get":     {"apt-get": "", "dpkg-deb": ""},
	} {
		t.Run(name, func(t *testing.T) {
			fakePrograms(t, script)
			d := newDownloader(t)
			if err := d.download(t.Context(), []kind{redisKind}); err == nil {
				t.Error("no error")
			}
			if whole, _ := filepath.Glob(filepath.Join(unpackedRoot(d.dir), "*server")); len(whole) > 0 {
				t.Errorf("left as if whole: %v", whole)
			}
		})
	}
}

func ExampleMissingError() {
	err := &MissingError{missing: []kind{redisKind}, hint: "install with: sudo apk add redis", Reason: errNoNetwork}
	fmt.Println(err)
	// Output:
	// devstack: no Redis server on this machine (looked for redis-server and valkey-server on PATH); and fetching failed: no network
	// install with: sudo apk add redis, or point REDIS_URL at running servers
}
