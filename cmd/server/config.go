package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"

	"github.com/hello-world-co-op/handoff/internal/config"
	"github.com/hello-world-co-op/handoff/internal/drift"
)

var (
	errFaults = errors.New("the configuration has faults")
	errDrift  = errors.New("the live environment differs from the manifest")
)

// aboutConfig shows what the environment comes to (check), which variables there are
// (names), or where a live environment differs from its manifest (drift). None of them
// prints a secret.
func aboutConfig(args []string, std streams) error {
	switch {
	case len(args) == 1 && args[0] == "check":
		return checkConfig(std.out)
	case len(args) == 1 && args[0] == "names":
		for _, v := range config.Variables() {
			if _, err := fmt.Fprintln(std.out, v.Name); err != nil {
				return err
			}
		}
		return nil
	case len(args) > 1 && args[0] == "drift":
		return findDrift(args[1:], std)
	}
	_, _ = io.WriteString(std.err, usage)
	return errUsage
}

func checkConfig(out io.Writer) error {
	report := config.Check(os.Environ())
	if err := report.Write(out); err != nil {
		return err
	}
	if len(report.Faults) > 0 {
		return fmt.Errorf("%w: %d", errFaults, len(report.Faults))
	}
	return nil
}

// findDrift compares the names on standard input with those of the manifest.
func findDrift(args []string, std streams) error {
	flags := flag.NewFlagSet("config drift", flag.ContinueOnError)
	flags.SetOutput(std.err)
	file := flags.String("manifest", "", "what should run: JSON of Kubernetes objects, or a .env file")
	if err := flags.Parse(args); err != nil || *file == "" || flags.NArg() > 0 {
		_, _ = io.WriteString(std.err, usage)
		return errUsage
	}
	opened, err := os.Open(*file)
	if err != nil {
		return err
	}
	defer func() { _ = opened.Close() }()
	manifest, err := drift.Read(opened)
	if err != nil {
		return fmt.Errorf("the manifest: %w", err)
	}
	live, err := drift.Read(std.in)
	if err != nil {
		return fmt.Errorf("standard input: %w", err)
	}
	findings, err := drift.Compare(manifest, live, config.ReaderOf)
	if err != nil {
		return err
	}
	for _, f := range findings {
		if _, err := fmt.Fprintln(std.out, f); err != nil {
			return err
		}
	}
	if len(findings) > 0 {
		return fmt.Errorf("%w: %d times", errDrift, len(findings))
	}
	containers, variables := live.Count()
	_, err = fmt.Fprintf(std.out, "no drift: %d variables of %d containers\n", variables, containers)
	return err
}
