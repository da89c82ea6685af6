package devstack

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// Servers are the programs that were found.
type Servers struct {
	Postgres PostgresServer
	Redis    RedisServer
}

// PostgresServer is a Postgres installation; the zero value is none.
type PostgresServer struct {
	// Bin is the folder that holds both postgres and initdb.
	Bin string
	// Libs are folders of shared libraries that it needs besides the system's,
	// for one that was unpacked and not installed.
	Libs []string
}

func (p PostgresServer) program(name string) string {
	if p.Bin == "" {
		return ""
	}
	return filepath.Join(p.Bin, name)
}

// RedisServer is a redis-server or valkey-server; the zero value is none.
type RedisServer struct {
	Path string
	Libs []string
}

// FindServers looks for Postgres and Redis on this machine and among what was
// downloaded below dir. It starts nothing. Postgres: the folder $PG_BIN, which
// must be right if it is set; else the highest version in
// /usr/lib/postgresql/<major>/bin; else what "postgres" on PATH links to; else
// where other systems' packages put it. Redis: redis-server, else
// valkey-server, on PATH.
func FindServers(dir string) (Servers, error) {
	f := finder{root: "/", getenv: os.Getenv}
	if os.Geteuid() != 0 {
		// Root installs instead; what an ordinary user downloaded is not run as root's.
		f.unpacked = unpackedRoot(dir)
	}
	return f.find()
}

// finder looks below root, so that a test can look at a made-up machine.
type finder struct {
	root     string
	getenv   func(string) string
	unpacked string
}

func (f finder) find() (Servers, error) {
	postgres, err := f.postgres()
	return Servers{Postgres: postgres, Redis: f.redis()}, err
}

// moreFolders are searched after PATH: an ordinary user's lacks sbin on Debian,
// and a service's or an editor's often lacks /usr/local and Homebrew.
var moreFolders = []string{"usr/local/bin", "usr/bin", "bin", "usr/local/sbin", "usr/sbin", "sbin", "opt/homebrew/bin"}

func (f finder) onPath(name string) string {
	folders := filepath.SplitList(f.getenv("PATH"))
	for _, more := range moreFolders {
		folders = append(folders, filepath.Join(f.root, more))
	}
	for _, folder := range folders {
		// A relative entry would run whatever lies in the working directory.
		if path := filepath.Join(folder, name); filepath.IsAbs(folder) && isExecutable(path) {
			return path
		}
	}
	return ""
}

func (f finder) postgres() (PostgresServer, error) {
	if bin := f.getenv("PG_BIN"); bin != "" {
		if !isPostgresBin(bin) {
			return PostgresServer{}, fmt.Errorf("devstack: PG_BIN=%s holds no postgres and initdb", bin)
		}
		return PostgresServer{Bin: bin}, nil
	}
	if bin := highestPostgres(below(f.root, "usr/lib/postgresql/*/bin")); bin != "" {
		return PostgresServer{Bin: bin}, nil
	}
	if path := f.onPath("postgres"); path != "" {
		// PATH often has a link only; initdb lies beside the target.
		if target, err := filepath.EvalSymlinks(path); err == nil && isPostgresBin(filepath.Dir(target)) {
			return PostgresServer{Bin: filepath.Dir(target)}, nil
		}
	}
	for _, pattern := range []string{
		"usr/pgsql-*/bin", "usr/libexec/postgresql*", "opt/homebrew/opt/postgresql@*/bin", "usr/local/opt/postgresql@*/bin",
	} {
		if bin := highestPostgres(filepath.Join(f.root, pattern)); bin != "" {
			return PostgresServer{Bin: bin}, nil
		}
	}
	if f.unpacked != "" {
		if bin := highestPostgres(below(f.unpacked, "*/usr/lib/postgresql/*/bin")); bin != "" {
			return PostgresServer{Bin: bin, Libs: libraries(bin, f.unpacked)}, nil
		}
	}
	return PostgresServer{}, nil
}

func (f finder) redis() RedisServer {
	for _, name := range redisPrograms {
		if path := f.onPath(name); path != "" {
			return RedisServer{Path: path}
		}
	}
	if f.unpacked == "" {
		return RedisServer{}
	}
	for _, name := range redisPrograms {
		found, _ := filepath.Glob(below(f.unpacked, "*/usr/bin/"+name))
		for _, path := range found {
			if isExecutable(path) {
				return RedisServer{Path: path, Libs: libraries(path, f.unpacked)}
			}
		}
	}
	return RedisServer{}
}

var redisPrograms = []string{"redis-server", "valkey-server"}

// highestPostgres compares versions as numbers: 9 is less than 15.
func highestPostgres(pattern string) string {
	found, _ := filepath.Glob(pattern)
	found = slices.DeleteFunc(found, func(bin string) bool { return !isPostgresBin(bin) })
	if len(found) == 0 {
		return ""
	}
	return slices.MaxFunc(found, func(a, b string) int {
		return cmp.Compare(versionIn(a), versionIn(b))
	})
}

// versionIn is the first number in the last parts of a path: 15 for
// ".../postgresql/15/bin", ".../pgsql-15/bin" and ".../postgresql15". 9.6 sorts as 9.
func versionIn(bin string) int {
	name := filepath.Base(strings.TrimSuffix(bin, "/bin"))
	digits := strings.TrimLeft(name, "abcdefghijklmnopqrstuvwxyz-@")
	if end := strings.IndexFunc(digits, func(r rune) bool { return r < '0' || r > '9' }); end >= 0 {
		digits = digits[:end]
	}
	version, err := strconv.Atoi(digits)
	if err != nil {
		return -1
	}
	return version
}

// below joins a root and a path that is written with slashes.
func below(root, path string) string {
	return filepath.Join(root, filepath.FromSlash(path))
}

func isPostgresBin(dir string) bool {
	return isExecutable(filepath.Join(dir, "postgres")) && isExecutable(filepath.Join(dir, "initdb"))
}

func isExecutable(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular() && info.Mode()&0o111 != 0
}
