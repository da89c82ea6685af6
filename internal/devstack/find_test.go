package devstack

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// machine is a made-up one: programs is what it has, "link -> target" is a link.
func machine(t *testing.T, programs ...string) finder {
	t.Helper()
	root := t.TempDir()
	for _, program := range programs {
		link, target, isLink := strings.Cut(program, " -> ")
		path := filepath.Join(root, link)
		err := os.MkdirAll(filepath.Dir(path), 0o700)
		if isLink {
			err = errors.Join(err, os.Symlink(filepath.Join(root, target), path))
		} else {
			err = errors.Join(err, os.WriteFile(path, nil, 0o755))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return finder{root: root, getenv: func(string) string { return "" }, unpacked: below(root, "dev/debs-root")}
}

// machines are what is there and what should be found, with slashes from the root.
var machines = map[string]struct {
	programs        []string
	path            string
	postgres, redis string
	libs            string
}{
	"an empty machine": {},
	"the highest version, compared as a number": {
		programs: []string{
			"usr/lib/postgresql/9/bin/postgres", "usr/lib/postgresql/9/bin/initdb",
			"usr/lib/postgresql/15/bin/postgres", "usr/lib/postgresql/15/bin/initdb",
			"usr/lib/postgresql/13/bin/postgres", "usr/lib/postgresql/13/bin/initdb",
		},
		postgres: "usr/lib/postgresql/15/bin",
	},
	"a newer client is no server": {
		programs: []string{
			"usr/lib/postgresql/15/bin/postgres", "usr/lib/postgresql/15/bin/initdb",
			"usr/lib/postgresql/17/bin/psql",
		},
		postgres: "usr/lib/postgresql/15/bin",
	},
	"the target of a link on PATH": {
		programs: []string{"srv/pg/bin/postgres", "srv/pg/bin/initdb", "usr/local/bin/postgres -> srv/pg/bin/postgres"},
		postgres: "srv/pg/bin",
	},
	"PATH before the usual folders": {
		programs: []string{"mine/redis-server", "usr/bin/redis-server"}, path: "mine",
		redis: "mine/redis-server",
	},
	"a folder that an ordinary user's PATH lacks": {
		programs: []string{"usr/sbin/redis-server"}, redis: "usr/sbin/redis-server",
	},
	"valkey where there is no redis": {
		programs: []string{"usr/bin/valkey-server"}, redis: "usr/bin/valkey-server",
	},
	"Red Hat's and Homebrew's folders": {
		programs: []string{
			"usr/pgsql-16/bin/postgres", "usr/pgsql-16/bin/initdb",
			"opt/homebrew/opt/postgresql@17/bin/postgres", "opt/homebrew/bin/redis-server",
		},
		postgres: "usr/pgsql-16/bin", redis: "opt/homebrew/bin/redis-server",
	},
	"what was downloaded, with its libraries": {
		programs: []string{
			"dev/debs-root/postgresql/usr/lib/postgresql/15/bin/postgres", "dev/debs-root/postgresql/usr/lib/postgresql/15/bin/initdb",
			"dev/debs-root/postgresql/usr/lib/x86_64-linux-gnu/libpq.so.5", "dev/debs-root/redis-server.new/usr/lib/x",
		},
		postgres: "dev/debs-root/postgresql/usr/lib/postgresql/15/bin",
		libs:     "dev/debs-root/postgresql/usr/lib/x86_64-linux-gnu",
	},
	"the machine's before what was downloaded": {
		programs: []string{"dev/debs-root/redis-server/usr/bin/redis-server", "usr/bin/valkey-server"},
		redis:    "usr/bin/valkey-server",
	},
}

func TestFindServers(t *testing.T) {
	for name, test := range machines {
		t.Run(name, func(t *testing.T) {
			f := machine(t, test.programs...)
			f.getenv = func(variable string) string {
				if variable != "PATH" || test.path == "" {
					return ""
				}
				return "." + string(filepath.ListSeparator) + filepath.Join(f.root, test.path)
			}
			found, err := f.find()
			if err != nil {
				t.Fatal(err)
			}
			relative := func(path string) string {
				return strings.TrimPrefix(strings.TrimPrefix(path, f.root), "/")
			}
			if relative(found.Postgres.Bin) != test.postgres || relative(found.Redis.Path) != test.redis {
				t.Errorf("found %q and %q", relative(found.Postgres.Bin), relative(found.Redis.Path))
			}
			if test.libs != "" && (len(found.Postgres.Libs) == 0 || relative(found.Postgres.Libs[0]) != test.libs) {
				t.Errorf("its libraries: %q", found.Postgres.Libs)
			}
		})
	}
}

func TestPgBinMustBeRightIfItIsSet(t *testing.T) {
	f := machine(t, "a/postgres", "a/initdb", "usr/lib/postgresql/15/bin/postgres", "usr/lib/postgresql/15/bin/initdb")
	for _, test := range []struct {
		bin  string
		want bool
	}{{"a", true}, {"b", false}} {
		bin := filepath.Join(f.root, test.bin)
		f.getenv = func(variable string) string { return map[string]string{"PG_BIN": bin}[variable] }
		found, err := f.find()
		if (err == nil) != test.want || test.want && found.Postgres.Bin != bin {
			t.Errorf("PG_BIN=%s gives %q, %v", test.bin, found.Postgres.Bin, err)
		}
	}
}
