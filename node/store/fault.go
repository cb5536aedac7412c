package store

import (
	"fmt"
	"sync/atomic"
)

// beforeWrite is asked before each step that changes a folder.
var beforeWrite atomic.Pointer[func(folder, step string) error]

// InjectFaults has every step that changes a folder, named by its absolute path, ask first: an error stops there. Tests, and
// nothing else, use it to end a process or to make a disk fail at every step in turn. What it returns takes it back.
func InjectFaults(ask func(folder, step string) error) (undo func()) {
	beforeWrite.Store(&ask)
	return func() { beforeWrite.CompareAndSwap(&ask, nil) }
}

// step tells that the folder is about to change, or that it just has.
func (d *Dir) step(format string, args ...any) error {
	ask := beforeWrite.Load()
	if ask == nil {
		return nil
	}
	return (*ask)(d.path, fmt.Sprintf(format, args...))
}
