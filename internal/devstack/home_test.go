package devstack

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// stranger is an account that owns nothing here.
var stranger = account{name: "stranger", uid: 4242, gid: 4242, other: true}

func TestAnAccountEntersAFolderOnlyIfItMayPassAllParents(t *testing.T) {
	deep := filepath.Join(t.TempDir(), "a", "b")
	if err := os.MkdirAll(deep, 0o711); err != nil {
		t.Fatal(err)
	}
	open := func(mode os.FileMode) {
		for dir := range map[string]bool{filepath.Dir(deep): true, filepath.Dir(filepath.Dir(deep)): true, filepath.Dir(filepath.Dir(filepath.Dir(deep))): true} {
			if err := os.Chmod(dir, mode); err != nil {
				t.Fatal(err)
			}
		}
	}
	open(0o711)
	if !stranger.canEnter(deep) {
		t.Error("all parents are open")
	}
	open(0o700)
	if stranger.canEnter(deep) {
		t.Error("the parents are closed")
	}
	if !(account{}).canEnter(deep) {
		t.Error("our own account does not ask")
	}
	if stranger.canEnter(filepath.Join(deep, "missing")) {
		t.Error("there is no such folder")
	}
}

// closedDir is a Dir like one in root's home, and where its data is kept instead.
func closedDir(t *testing.T) (o Options, instead string) {
	t.Helper()
	o = Options{Dir: filepath.Join(t.TempDir(), "closed"), Log: t.Logf}
	if err := os.Mkdir(o.Dir, 0o700); err != nil {
		t.Fatal(err)
	}
	h, err := openKept(t.Context(), o, stranger)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(h.dir); err != nil {
			t.Error(err)
		}
	})
	if err := h.close(); err != nil {
		t.Fatal(err)
	}
	return o, h.dir
}

func TestKeptDataOfAClosedHomeLiesInTheTemporaryFolderAndThatIsSaid(t *testing.T) {
	o, first := closedDir(t)
	var said strings.Builder
	o.Log = func(format string, _ ...any) { said.WriteString(format) }
	h, err := openKept(t.Context(), o, stranger)
	if err != nil {
		t.Fatal(err)
	}
	if strings.HasPrefix(h.dir, o.Dir) || h.dir != first {
		t.Errorf("it is in %s, then in %s", first, h.dir)
	}
	if !stranger.canEnter(h.dir) {
		t.Error("the servers' account cannot enter it")
	}
	if !strings.Contains(said.String(), "data is kept in") {
		t.Errorf("it says %q", said.String())
	}
	if err := h.close(); err != nil {
		t.Error(err)
	}
}

func TestAFolderThatSomebodyElsePlantedIsRefused(t *testing.T) {
	o, dir := closedDir(t)
	if err := errors.Join(os.RemoveAll(dir), os.Symlink(o.Dir, dir)); err != nil {
		t.Fatal(err)
	}
	if h, err := openKept(t.Context(), o, stranger); err == nil {
		t.Error("root would write wherever the link leads", h.close())
	}
}

func TestALockIsSeenOnlyLocked(t *testing.T) {
	path := filepath.Join(t.TempDir(), lockName)
	lock, err := newLock(path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := openLock(path); !errors.Is(err, errLocked) {
		t.Errorf("a second holder: %v", err)
	}
	if err := errors.Join(sign(lock), lock.Close()); err != nil {
		t.Fatal(err)
	}
	if signer(path) != os.Getpid() {
		t.Errorf("signed by %d", signer(path))
	}
	lock, err = openLock(path)
	if err != nil {
		t.Fatalf("after it was released: %v", err)
	}
	if err := lock.Close(); err != nil {
		t.Error(err)
	}
}

func TestAServerThatCannotStartIsQuoted(t *testing.T) {
	bin := privateDir(t)
	for name, script := range map[string]string{
		"postgres": "#!/bin/sh\n[ \"$1\" = --version ] && { echo 'postgres (PostgreSQL) 99.1'; exit; }\necho 'FATAL: the disk is on fire' >&2\nexit 1\n",
		"initdb":   "#!/bin/sh\nexit 0\n",
	} {
		if err := os.WriteFile(filepath.Join(bin, name), []byte(script), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("PG_BIN", bin)
	temp := privateDir(t)
	t.Setenv("TMPDIR", temp)
	_, err := Start(t.Context(), Options{Dir: t.TempDir(), Ephemeral: true, Postgres: true})
	if err == nil || !strings.Contains(err.Error(), "the disk is on fire") {
		t.Errorf("got %v", err)
	}
	if left, _ := filepath.Glob(filepath.Join(temp, ephemeralPrefix+"*")); len(left) > 0 {
		t.Errorf("left: %v", left)
	}
}

func TestModuleRootIsWhereGoModLies(t *testing.T) {
	root, err := ModuleRoot()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(root, "internal", "devstack", "doc.go")); err != nil {
		t.Error(err)
	}
	t.Chdir("/")
	if _, err := ModuleRoot(); err == nil {
		t.Error("there is no go.mod at /")
	}
}
