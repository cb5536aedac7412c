//go:build unix

package admin

import (
	"io/fs"
	"os"
	"syscall"
)

// restrict lets only the user connect.
func restrict(path string) error { return os.Chmod(path, 0o600) }

// private tells whether only the owner of the node's folder, or root, can be in a folder.
func private(folder, home fs.FileInfo) bool {
	f, ok := folder.Sys().(*syscall.Stat_t)
	h, also := home.Sys().(*syscall.Stat_t)
	return ok && also && (f.Uid == h.Uid || f.Uid == 0) && folder.Mode().Perm()&0o077 == 0
}
