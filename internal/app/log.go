package app

import (
	"io"
	"log/slog"
)

// NewLog returns a logger for machines (JSON) or people (text).
func NewLog(to io.Writer, level slog.Level, json bool) *slog.Logger {
	options := &slog.HandlerOptions{Level: level}
	if json {
		return slog.New(slog.NewJSONHandler(to, options))
	}
	return slog.New(slog.NewTextHandler(to, options))
}
