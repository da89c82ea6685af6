//go:build !linux

package bench

import "time"

// The processor time and memory of others are read from /proc; elsewhere they are not known.

func ownProcessorTime() time.Duration { return 0 }

func processorTime([]int) time.Duration { return 0 }

func memoryOf(int) resident { return resident{} }
