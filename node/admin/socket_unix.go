//go:build unix

package admin

import (
	"io/fs"
	"os"
	"syscall"
)

// restrict lets only the user connect.
func restrict(path string) error { return os.Chmod(path, 0o600) }

// private tells whether the owner of the node's folder, and nobody else, can be in a folder.
func private(folder, home fs.FileInfo) bool {
	f, ok := folder.Sys().(*syscall.Stat_t)
	h, also := home.Sys().(*syscall.Stat_t)
	return ok && also && f.Uid == h.Uid && folder.Mode().Perm()&0o077 == 0
}
