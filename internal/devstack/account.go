package devstack

import (
	"fmt"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
)

// account is whom the servers run as.
type account struct {
	name     string
	uid, gid uint32
	// other says that it is not the account of this process.
	other bool
}

// serverAccount is our own account, but as root "postgres", else "nobody":
// Postgres refuses to run as root, and a Redis that is taken over should not be
// root either. It is looked up in the account database because initdb asks for
// the name of the account it runs as; a number alone fails.
func serverAccount() (account, error) {
	if os.Geteuid() != 0 {
		return account{name: "this account"}, nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		entry, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, uidErr := strconv.ParseUint(entry.Uid, 10, 32)
		gid, gidErr := strconv.ParseUint(entry.Gid, 10, 32)
		if uidErr == nil && gidErr == nil && uid != 0 {
			return account{name: name, uid: uint32(uid), gid: uint32(gid), other: true}, nil
		}
	}
	return account{}, fmt.Errorf("devstack: Postgres does not run as root, and there is neither an account %q nor %q to run it as", "postgres", "nobody")
}

// give makes the account the owner of path. Only root has to and can.
func (a account) give(path string) error {
	if !a.other {
		return nil
	}
	return os.Lchown(path, int(a.uid), int(a.gid))
}

// canEnter says whether the account may pass through dir and all its parents, by
// their permission bits. A server account often may not: a home directory is
// closed to others, and so may be the temporary folder of a login session.
func (a account) canEnter(dir string) bool {
	if !a.other {
		return true
	}
	dir, err := filepath.EvalSymlinks(dir)
	if err != nil {
		return false
	}
	for {
		info, err := os.Stat(dir)
		if err != nil || !a.hasExecute(info) {
			return false
		}
		if dir == filepath.Dir(dir) {
			return true
		}
		dir = filepath.Dir(dir)
	}
}

// hasExecute reads the one triple of permission bits that counts for the
// account; the servers have no supplementary groups.
func (a account) hasExecute(info os.FileInfo) bool {
	uid, gid, ok := owner(info)
	switch {
	case ok && uid == a.uid:
		return info.Mode()&0o100 != 0
	case ok && gid == a.gid:
		return info.Mode()&0o010 != 0
	default:
		return info.Mode()&0o001 != 0
	}
}
