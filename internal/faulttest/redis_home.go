package faulttest

import (
	"crypto/rand"
	"errors"
	"io/fs"
	"math/big"
	"net"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
)

// Ports are taken from below the range from which the kernel takes those of outgoing
// connections (Linux: from 32768, others from 49152): a server that was killed must
// find its own free when it comes back.
const (
	firstPort = 12000
	portCount = 18000
)

func redisPort(t testing.TB) int {
	t.Helper()
	for range 100 {
		n, err := rand.Int(rand.Reader, big.NewInt(portCount))
		if err != nil {
			t.Fatal(err)
		}
		port := firstPort + int(n.Int64())
		listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp4", "127.0.0.1:"+strconv.Itoa(port))
		if err != nil {
			continue
		}
		if err := listener.Close(); err != nil {
			t.Fatal(err)
		}
		return port
	}
	t.Fatal("faulttest: no free port")
	return 0
}

// redisFolder is a folder that the server's account can reach, which a test's own
// below a closed one is not.
func redisFolder(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "faulttest-redis") //nolint:usetesting // the server's account may not enter t.TempDir()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	return dir
}

// redisAttributes are those of a server that ends with this process, where the
// system can do that, and that is not root where we are.
func redisAttributes(dir string) *syscall.SysProcAttr {
	attributes := &syscall.SysProcAttr{Setpgid: true}
	endWithParent(attributes)
	if os.Geteuid() != 0 || !openToAll(filepath.Dir(dir)) {
		return attributes
	}
	for _, name := range []string{"redis", "postgres", "nobody"} {
		entry, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, uidErr := strconv.ParseUint(entry.Uid, 10, 32)
		gid, gidErr := strconv.ParseUint(entry.Gid, 10, 32)
		if uidErr == nil && gidErr == nil {
			attributes.Credential = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
			break
		}
	}
	return attributes
}

// openToAll reports whether everybody may pass through dir and all above it.
func openToAll(dir string) bool {
	for {
		info, err := os.Stat(dir)
		if err != nil || info.Mode()&0o001 == 0 {
			return false
		}
		if dir == filepath.Dir(dir) {
			return true
		}
		dir = filepath.Dir(dir)
	}
}

// giveAway makes the server's account the owner of its folder.
func giveAway(dir string, attributes *syscall.SysProcAttr) error {
	if attributes.Credential == nil {
		return nil
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	err = fs.WalkDir(root.FS(), ".", func(path string, _ fs.DirEntry, err error) error {
		return errors.Join(err, root.Lchown(path, int(attributes.Credential.Uid), int(attributes.Credential.Gid)))
	})
	return errors.Join(err, root.Close())
}
