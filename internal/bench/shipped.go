package bench

import (
	"context"
	"debug/elf"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"slices"
	"syscall"
	"time"
)

// shipped is the program as it is shipped, in a process of its own.
type shipped struct {
	born
	cmd *exec.Cmd
	// took is the time from the moment it was asked for to the first 200 of the readiness
	// of both halves.
	took time.Duration
}

// readyWithin is how long a start may take before it is given up.
const readyWithin = 20 * time.Second

// startShipped starts the program at path and waits until it is ready. What it logs goes to
// log.
func startShipped(ctx context.Context, path string, environ []string, log *os.File) (s *shipped, err error) {
	s = &shipped{}
	for _, address := range []*string{&s.DAO, &s.FOS} {
		if *address, err = freeAddress(ctx); err != nil {
			return nil, err
		}
	}
	// It is told to end by a signal; ctx is for what goes wrong before.
	s.cmd = exec.CommandContext(context.WithoutCancel(ctx), path, "serve")
	s.cmd.Env = append(slices.Clone(environ), "DAO_ADDR="+s.DAO, "FOS_ADDR="+s.FOS)
	s.cmd.Stderr = log
	begun := time.Now()
	if err := s.cmd.Start(); err != nil {
		return nil, fmt.Errorf("bench: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, readyWithin)
	defer cancel()
	for _, address := range []string{s.DAO, s.FOS} {
		if err := awaitReady(ctx, address); err != nil {
			return nil, errors.Join(fmt.Errorf("bench: %s does not become ready: %w", path, err), s.stop())
		}
	}
	s.took = time.Since(begun)
	return s, nil
}

// freeAddress is one that nobody listens on.
func freeAddress(ctx context.Context) (string, error) {
	socket, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", fmt.Errorf("bench: %w", err)
	}
	return socket.Addr().String(), socket.Close()
}

// askEvery is short beside a start, and costs the one that starts little.
const askEvery = time.Millisecond

func awaitReady(ctx context.Context, address string) error {
	for {
		if status, err := askReady(ctx, address); err == nil && status == 200 {
			return nil
		}
		select {
		case <-time.After(askEvery):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func askReady(ctx context.Context, address string) (status int, err error) {
	w, err := dial(ctx, address)
	if err != nil {
		return 0, err
	}
	defer w.close()
	status, _, err = w.do([]byte("GET /health HTTP/1.1\r\nHost: " + address + "\r\n\r\n"))
	return status, err
}

// memory is what it holds.
func (s *shipped) memory() resident { return memoryOf(s.cmd.Process.Pid) }

func (s *shipped) stop() error {
	if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return fmt.Errorf("bench: %w", err)
	}
	if err := s.cmd.Wait(); err != nil {
		return fmt.Errorf("bench: the program did not leave in order: %w", err)
	}
	return nil
}

// resident is the memory of a process that is in the machine's: all of it, what it never
// went beyond, and the part that is its own, the rest being its program's file.
type resident struct{ now, most, own int64 }

// binaryFile is a program's file: its bytes, and whether it needs no other one, neither an
// interpreter nor libraries.
type binaryFile struct {
	size   int64
	static bool
}

func binary(path string) (binaryFile, error) {
	about, err := os.Stat(path)
	if err != nil {
		return binaryFile{}, fmt.Errorf("bench: %w (make build)", err)
	}
	file, err := elf.Open(path)
	if err != nil {
		return binaryFile{size: about.Size()}, nil // of another system: not known
	}
	defer func() { _ = file.Close() }()
	libraries, err := file.ImportedLibraries()
	interpreted := slices.ContainsFunc(file.Progs, func(p *elf.Prog) bool { return p.Type == elf.PT_INTERP })
	return binaryFile{about.Size(), err == nil && len(libraries) == 0 && !interpreted}, nil
}
