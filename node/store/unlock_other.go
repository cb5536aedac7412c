//go:build !unix

package store

import "os"

// unlock has nothing to do: here a lock ends with its handle, mapped or not.
func unlock(*os.File) {}
