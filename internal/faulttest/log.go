package faulttest

import (
	"bufio"
	"bytes"
	"encoding/json"
	"strings"
	"sync"
)

// serverLog keeps what a server logs, and hears from it where it listens.
type serverLog struct {
	mu        sync.Mutex
	text      bytes.Buffer
	listening map[string]string
}

// String is the log so far.
func (l *serverLog) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// read takes lines until the server has closed its end. It closes listens when all
// halves ("" is both) have said where they are.
func (l *serverLog) read(lines *bufio.Scanner, listens chan<- struct{}, halves string) {
	told := false
	for lines.Scan() {
		if l.take(lines.Bytes()); !told && l.knows(halves) {
			close(listens)
			told = true
		}
	}
}

// maxLog bounds what is kept of one server.
const maxLog = 8 << 20

func (l *serverLog) take(line []byte) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.text.Len() < maxLog {
		l.text.Write(line)
		l.text.WriteByte('\n')
	}
	var said struct{ Msg, Half, Addr string }
	if json.Unmarshal(line, &said) == nil && said.Msg == "listening" {
		l.listening[said.Half] = "http://" + said.Addr
	}
}

func (l *serverLog) knows(halves string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, half := range []string{"dao", "fos"} {
		if (halves == "" || strings.Contains(halves, half)) && l.listening[half] == "" {
			return false
		}
	}
	return true
}
