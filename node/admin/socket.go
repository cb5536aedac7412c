package admin

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
)

const (
	socketFile  = "admin.sock"
	pointerFile = "admin.path" // holds the socket's path where the one in the folder is too long
	shortPrefix = "g2g-"       // of the folder in the system's temp folder that holds such a socket

	// maxSocketPath bounds a socket's path, in bytes. Systems take 103 and more.
	maxSocketPath = 100
)

// SocketPath is what clients of the node in the folder dial, whether or not one runs.
func SocketPath(dir string) string {
	dir = absolute(dir)
	if path, ok := pointedPath(dir); ok {
		return path
	}
	return filepath.Join(dir, socketFile)
}

// absolute makes the length of a path, and so the choice, independent of where the process stands.
func absolute(dir string) string {
	if abs, err := filepath.Abs(dir); err == nil {
		return abs
	}
	return dir // the working folder is gone; dialling will tell
}

// pointedPath reads the pointer, if it names a socket's place of ours. Temp folders are swept, and anybody can make one
// there again, with a socket that would be given tokens: so it counts only if nobody but the node's user can be in it.
func pointedPath(dir string) (string, bool) {
	b, err := os.ReadFile(filepath.Join(dir, pointerFile))
	path := strings.TrimSpace(string(b))
	if err != nil || len(path) > maxSocketPath || !filepath.IsAbs(path) || filepath.Base(path) != socketFile ||
		!strings.HasPrefix(filepath.Base(filepath.Dir(path)), shortPrefix) {
		return "", false
	}
	folder, err := os.Lstat(filepath.Dir(path)) //nolint:gosec // the look is what judges the path
	if err != nil || !folder.IsDir() {
		return "", false
	}
	home, err := os.Stat(dir)
	return path, err == nil && private(folder, home)
}

// Listen opens the admin socket of the node in the folder, and gives the path that SocketPath gives from now on. A socket
// that a dead process left is replaced, one that a live process serves is not. Only the user may connect: the socket's mode
// is 0600, and the folder's is 0700 already, for the moment before that is set. Close removes what Listen made.
func Listen(dir string) (net.Listener, string, error) {
	l, path, err := listen(absolute(dir))
	if err != nil {
		return nil, "", fmt.Errorf("open the admin socket: %w", err)
	}
	return l, path, nil
}

func listen(dir string) (net.Listener, string, error) {
	if err := removeStale(dir); err != nil {
		return nil, "", err
	}
	path := filepath.Join(dir, socketFile)
	if len(path) > maxSocketPath {
		return listenShort(dir)
	}
	l, err := listenAt(path)
	return l, path, err
}

func listenAt(path string) (net.Listener, error) {
	l, err := net.Listen("unix", path)
	if err != nil {
		return nil, err
	}
	if err := restrict(path); err != nil {
		_ = l.Close()
		return nil, err
	}
	return l, nil
}

// listenShort opens the socket in a new folder of its own, whose name nobody can know before.
func listenShort(dir string) (net.Listener, string, error) {
	folder, err := os.MkdirTemp("", shortPrefix)
	if err != nil {
		return nil, "", err
	}
	path := absolute(filepath.Join(folder, socketFile))
	if len(path) > maxSocketPath {
		_ = os.Remove(folder)
		return nil, "", fmt.Errorf("%q is over %d bytes too: set the temp folder to a shorter path", path, maxSocketPath)
	}
	l, err := listenAt(path)
	if err != nil {
		_ = os.Remove(folder)
		return nil, "", err
	}
	short := &shortListener{Listener: l, folder: folder, pointer: filepath.Join(dir, pointerFile)}
	if err := replaceFile(short.pointer, path+"\n"); err != nil {
		_ = short.Close()
		return nil, "", err
	}
	return short, path, nil
}

// replaceFile writes a file that readers see whole or not at all.
func replaceFile(path, text string) error {
	next := path + ".new"
	if err := os.WriteFile(next, []byte(text), 0o600); err != nil {
		return err
	}
	return os.Rename(next, path)
}

// A shortListener removes its socket's folder and the pointer to it when it is closed.
type shortListener struct {
	net.Listener
	folder  string
	pointer string
	once    sync.Once
}

// Close closes the socket. Only the first time can remove anything, so that a successor's files are safe.
func (l *shortListener) Close() error {
	err := l.Listener.Close()
	l.once.Do(func() {
		_ = os.Remove(l.pointer)
		_ = os.Remove(l.folder)
	})
	return err
}

// removeStale clears what a dead process left, in the folder and where the pointer leads.
func removeStale(dir string) error {
	if path, ok := pointedPath(dir); ok {
		if err := removeDead(path); err != nil {
			return err
		}
		_ = os.Remove(filepath.Dir(path)) // fails if somebody put something else there
	}
	if err := os.Remove(filepath.Join(dir, pointerFile)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return removeDead(filepath.Join(dir, socketFile))
}

// removeDead removes a socket that nobody serves.
func removeDead(path string) error {
	info, err := os.Lstat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return err
	case info.Mode().Type() != fs.ModeSocket:
		return fmt.Errorf("%q is in the way: it is no socket", path)
	}
	conn, err := net.Dial("unix", path)
	if err == nil {
		_ = conn.Close()
		return fmt.Errorf("another process serves %q", path)
	}
	if !errors.Is(err, syscall.ECONNREFUSED) && !errors.Is(err, windowsRefused) {
		return fmt.Errorf("cannot tell whether a process serves %q: %w", path, err)
	}
	return os.Remove(path)
}

// windowsRefused is WSAECONNREFUSED, for which package syscall has no name elsewhere.
const windowsRefused = syscall.Errno(10061)
