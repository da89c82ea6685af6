package config

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"strings"
)

// maxSecretFile is far above any key list and far below what could hurt: a path
// to a disk image or to /dev/zero must not fill the memory at start.
const maxSecretFile = 64 << 10

// readSecretFile puts the content of the file that name_FILE names where the
// variable itself would be.
func (l *loader) readSecretFile(name string) {
	path := strings.TrimSpace(l.env[name+fileSuffix])
	if path == "" {
		return
	}
	content, problem := l.secretFile(name, path)
	if problem == "" {
		l.env[name] = content
		return
	}
	l.faults.add(name+fileSuffix, problem)
	l.faults.shut[name] = true
	delete(l.env, name)
}

// secretFile returns the content without its trailing line breaks, or what is
// wrong. An empty file is a fault, not "not set": whoever names a file means to
// set the secret, and a service token lost this way would switch the exchange off.
func (l *loader) secretFile(name, path string) (content, problem string) {
	if l.env[name] != "" {
		return "", name + " is set too; only one of the two may be"
	}
	raw, err := readBounded(path)
	if err != nil {
		return "", "the file " + reason(err)
	}
	content = strings.TrimRight(string(raw), "\r\n")
	if content == "" {
		return "", "the file is empty"
	}
	if strings.ContainsRune(content, 0) {
		return "", "the file holds a NUL byte, which no environment variable could"
	}
	return content, ""
}

var (
	errNotRegular = errors.New("is not a regular file")
	errTooLong    = errors.New("is longer than 64 KiB")
)

func readBounded(path string) (content []byte, err error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	// Opening a named pipe would wait for a writer, perhaps for ever.
	if !info.Mode().IsRegular() {
		return nil, errNotRegular
	}
	file, err := os.Open(path) //nolint:gosec // G304: naming the file is what the operator's variable is for
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	content, err = io.ReadAll(io.LimitReader(file, maxSecretFile+1))
	if err == nil && len(content) > maxSecretFile {
		err = errTooLong
	}
	return content, err
}

// reason says why a file could not be read, without its path: a secret that was
// put into X_FILE by mistake would otherwise stand in the error.
func reason(err error) string {
	switch {
	case errors.Is(err, errNotRegular), errors.Is(err, errTooLong):
		return err.Error()
	case errors.Is(err, fs.ErrNotExist):
		return "does not exist (the variable takes a path, not the secret)"
	case errors.Is(err, fs.ErrPermission):
		return "may not be read by this process"
	default:
		return "cannot be read"
	}
}
