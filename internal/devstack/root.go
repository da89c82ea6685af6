package devstack

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// ModuleRoot returns the nearest folder at or above the working directory that
// holds a go.mod. A test runs in its package's folder, "make run" at the root.
func ModuleRoot() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", fmt.Errorf("devstack: %w", err)
	}
	for at := dir; ; at = filepath.Dir(at) {
		if info, err := os.Stat(filepath.Join(at, "go.mod")); err == nil && info.Mode().IsRegular() {
			return at, nil
		}
		if at == filepath.Dir(at) {
			return "", errors.New("devstack: no go.mod at or above " + dir)
		}
	}
}
