package cmd

import (
	"context"
	"io"
	"log/slog"
	"sync/atomic"

	"github.com/g2g-net/g2g/node/config"
)

// A nodeLog is the log of a node, whose level and format can change while it is written.
type nodeLog struct {
	*slog.Logger
	level *slog.LevelVar
	json  *atomic.Bool
}

func newNodeLog(w io.Writer, c config.Log) (nodeLog, error) {
	l := nodeLog{level: new(slog.LevelVar), json: new(atomic.Bool)}
	options := &slog.HandlerOptions{Level: l.level}
	l.Logger = slog.New(eitherHandler{json: l.json, lines: slog.NewJSONHandler(w, options), text: slog.NewTextHandler(w, options)})
	return l, l.set(c)
}

// set makes another level and format count from the next line on. It changes nothing where it fails.
func (l nodeLog) set(c config.Log) error {
	if err := l.level.UnmarshalText([]byte(c.Level)); err != nil {
		return err
	}
	l.json.Store(c.Format == "json")
	return nil
}

// An eitherHandler writes each record in the format of the moment.
type eitherHandler struct {
	json        *atomic.Bool
	lines, text slog.Handler
}

func (h eitherHandler) current() slog.Handler {
	if h.json.Load() {
		return h.lines
	}
	return h.text
}

// Enabled is the same for both: they share the level.
func (h eitherHandler) Enabled(ctx context.Context, level slog.Level) bool {
	return h.current().Enabled(ctx, level)
}

func (h eitherHandler) Handle(ctx context.Context, r slog.Record) error {
	return h.current().Handle(ctx, r)
}

func (h eitherHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return eitherHandler{h.json, h.lines.WithAttrs(attrs), h.text.WithAttrs(attrs)}
}

func (h eitherHandler) WithGroup(name string) slog.Handler {
	return eitherHandler{h.json, h.lines.WithGroup(name), h.text.WithGroup(name)}
}
