//go:build !linux

package devstack

import "syscall"

// Only Linux lets a process ask to be signalled when its parent dies; elsewhere
// the reaper ends the servers of an owner that was killed.
func diesWithParent(*syscall.SysProcAttr, syscall.Signal) {}

func workingDirectory(int) string { return "" }

func descendants(int) []int { return nil }

func processesOf(_, _ string) []int { return nil }
