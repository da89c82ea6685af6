package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"time"

	"github.com/hello-world-co-op/handoff/internal/config"
)

// healthcheck asks the readiness of the halves, and of the listener for gateways, that
// this container's environment configures; the image has no shell and no curl.
func healthcheck(ctx context.Context) error {
	c, err := config.Load(os.Environ())
	if err != nil {
		return fmt.Errorf("the configuration has faults:\n%w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, 3*time.Second)
	defer cancel()
	for listener, addr := range map[string]string{"the dao half": c.DAO.Addr, "the fos half": c.FOS.Addr, "the listener for gateways": c.FOS.AuthzAddr} {
		if addr == "" {
			continue
		}
		if err := ask(ctx, addr); err != nil {
			return fmt.Errorf("%s: %w", listener, err)
		}
	}
	return nil
}

func ask(ctx context.Context, addr string) error {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return err
	}
	if ip := net.ParseIP(host); host == "" || (ip != nil && ip.IsUnspecified()) {
		host = "127.0.0.1"
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+net.JoinHostPort(host, port)+"/health", http.NoBody)
	if err != nil {
		return err
	}
	// No proxy of the environment stands between a container and its own loopback.
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	answer, err := client.Do(request)
	if err != nil {
		return err
	}
	defer func() { _ = answer.Body.Close() }()
	if answer.StatusCode != http.StatusOK {
		body, _ := io.ReadAll(io.LimitReader(answer.Body, 1<<10))
		return fmt.Errorf("not ready: %d %s", answer.StatusCode, body)
	}
	return nil
}
