package cmd

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"path/filepath"

	"github.com/g2g-net/g2g/node/config"
)

var errPending = errors.New("package node has not landed")

type running struct {
	stop context.CancelFunc
	done chan struct{}
	err  error
}

func start(context.Context, string, config.Config, *slog.Logger) (*running, error) {
	return nil, errPending
}
func (r *running) Stop() error    { return errPending }
func (r *running) info() nodeInfo { return nodeInfo{} }
func (r *running) join(context.Context, string, string) (joinedView, error) {
	return joinedView{}, errPending
}
func found(string, config.Config, foundOptions) (foundedView, error) {
	return foundedView{}, errPending
}
func giveUpNetwork(string) error                          { return errPending }
func hasNetwork(error) bool                               { return false }
func nodeCode(error) (int, bool)                          { return 0, false }
func nodeLog(io.Writer, config.Log) (*slog.Logger, error) { return quietLog(), nil }
func quietLog() *slog.Logger                              { return slog.New(slog.DiscardHandler) }
func socketPath(dir string) string                        { return filepath.Join(dir, "admin.sock") }
