//go:build unix

package store

import (
	"os"
	"syscall"
)

// unlock lets go of bbolt's lock. Closing is not enough while the file is mapped, which it stays when bbolt gave up half-way.
func unlock(f *os.File) { _ = syscall.Flock(int(f.Fd()), syscall.LOCK_UN) }
