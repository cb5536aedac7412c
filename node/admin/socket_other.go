//go:build !unix

package admin

import "io/fs"

// restrict has nothing to do where the folder's access list holds for the socket in it.
func restrict(string) error { return nil }

// private is true where every user has a temp folder of their own.
func private(_, _ fs.FileInfo) bool { return true }
