package admin

import (
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

func wantMode(t *testing.T, path string, want fs.FileMode) {
	t.Helper()
	info, err := os.Lstat(path)
	must(t, err)
	if runtime.GOOS != "windows" && info.Mode().Perm() != want {
		t.Errorf("%s has mode %o, want %o", path, info.Mode().Perm(), want)
	}
}

func wantGone(t *testing.T, paths ...string) {
	t.Helper()
	for _, path := range paths {
		if _, err := os.Lstat(path); err == nil {
			t.Errorf("%s is still there", path)
		}
	}
}

func wantError(t *testing.T, l net.Listener, path string, err error, want string) {
	t.Helper()
	if l != nil || path != "" {
		t.Errorf("an error came with the value %v, %q", l, path)
	}
	if err == nil || err.Error() != want {
		t.Errorf("refused with\n\t%v, want\n\t%s", err, want)
	}
}

// answers tells whether somebody listens at the path.
func answers(path string) bool {
	conn, err := net.Dial("unix", path)
	if err == nil {
		_ = conn.Close()
	}
	return err == nil
}

func TestListen(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "admin.sock")
	if got := SocketPath(dir); got != path {
		t.Errorf("before: %q, want %q", got, path)
	}
	l, got, err := Listen(dir)
	must(t, err)
	if got != path || SocketPath(dir) != path || !answers(path) {
		t.Errorf("listens at %q, SocketPath %q, want %q", got, SocketPath(dir), path)
	}
	wantMode(t, path, 0o600)
	must(t, l.Close())
	wantGone(t, path, filepath.Join(dir, "admin.path"))
}

func TestListenTwice(t *testing.T) {
	for _, dir := range []string{t.TempDir(), longDir(t)} {
		l, path, err := Listen(dir)
		must(t, err)
		second, none, err := Listen(dir)
		wantError(t, second, none, err, fmt.Sprintf("open the admin socket: another process serves %q", path))
		if !answers(path) || SocketPath(dir) != path {
			t.Error("the first does not answer any more")
		}
		must(t, l.Close())
	}
}

// abandon leaves the socket as a process that was killed does.
func abandon(t *testing.T, l net.Listener) {
	t.Helper()
	if short, ok := l.(*shortListener); ok {
		l = short.Listener
	}
	l.(*net.UnixListener).SetUnlinkOnClose(false)
	must(t, l.Close())
}

func TestListenAfterADeadProcess(t *testing.T) {
	for _, dir := range []string{t.TempDir(), longDir(t)} {
		l, old, err := Listen(dir)
		must(t, err)
		abandon(t, l)
		if _, err := os.Lstat(old); err != nil || answers(old) {
			t.Fatalf("no stale socket: %v", err)
		}
		l, path, err := Listen(dir)
		must(t, err)
		if !answers(path) || SocketPath(dir) != path {
			t.Errorf("%q does not answer", path)
		}
		if path != old {
			wantGone(t, old, filepath.Dir(old))
		}
		must(t, l.Close())
	}
}

func TestListenKeepsWhatIsNoSocket(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "admin.sock")
	must(t, os.WriteFile(path, []byte("precious"), 0o600))
	l, none, err := Listen(dir)
	wantError(t, l, none, err, fmt.Sprintf("open the admin socket: %q is in the way: it is no socket", path))
	if b, _ := os.ReadFile(path); string(b) != "precious" {
		t.Errorf("the file holds %q", b)
	}
}

func TestListenWithoutAFolder(t *testing.T) {
	if l, path, err := Listen(filepath.Join(t.TempDir(), "none")); err == nil || l != nil || path != "" {
		t.Errorf("listens at %q", path)
	}
}

// longDir is a folder whose own socket's path would be one byte too long, with a temp folder of the test's own.
func longDir(t *testing.T) string {
	t.Helper()
	t.Setenv("TMPDIR", t.TempDir())
	t.Setenv("TMP", os.Getenv("TMPDIR"))
	base := t.TempDir()
	dir := filepath.Join(base, strings.Repeat("x", maxSocketPath+1-len(base)-len("//admin.sock")))
	must(t, os.Mkdir(dir, 0o700))
	if got := len(filepath.Join(dir, socketFile)); got != maxSocketPath+1 {
		t.Fatalf("the path has %d bytes", got)
	}
	return dir
}

func TestListenInALongFolder(t *testing.T) {
	dir := longDir(t)
	l, path, err := Listen(dir)
	must(t, err)
	if len(path) > maxSocketPath || !strings.HasPrefix(path, os.Getenv("TMPDIR")) || SocketPath(dir) != path || !answers(path) {
		t.Errorf("listens at %q, SocketPath %q", path, SocketPath(dir))
	}
	wantMode(t, path, 0o600)
	wantMode(t, filepath.Dir(path), 0o700)
	wantMode(t, filepath.Join(dir, "admin.path"), 0o600)
	t.Chdir(filepath.Dir(dir))
	if got := SocketPath(filepath.Base(dir)); got != path {
		t.Errorf("from the folder above it is %q", got)
	}
	must(t, l.Close())
	_ = l.Close()
	wantGone(t, path, filepath.Dir(path), filepath.Join(dir, "admin.path"))
	if got := SocketPath(dir); got != filepath.Join(dir, "admin.sock") {
		t.Errorf("afterwards it is %q", got)
	}
}

func TestPathOfExactlyTheBound(t *testing.T) {
	dir := longDir(t)
	shorter := dir[:len(dir)-1]
	must(t, os.Rename(dir, shorter))
	l, path, err := Listen(shorter)
	must(t, err)
	if path != filepath.Join(shorter, "admin.sock") || !answers(path) {
		t.Errorf("listens at %q", path)
	}
	must(t, l.Close())
}

func TestListenInALongFolderWithALongTempFolder(t *testing.T) {
	dir := longDir(t)
	t.Setenv("TMPDIR", dir)
	t.Setenv("TMP", dir)
	l, path, err := Listen(dir)
	if err == nil || l != nil || !strings.HasSuffix(err.Error(), "is over 100 bytes too: set the temp folder to a shorter path") {
		t.Errorf("listens at %q: %v", path, err)
	}
	entries, err := os.ReadDir(dir)
	must(t, err)
	if len(entries) > 0 {
		t.Errorf("it left %v", entries)
	}
}

func TestMovedFolder(t *testing.T) {
	dir := longDir(t)
	l, old, err := Listen(dir)
	must(t, err)
	abandon(t, l)
	moved := filepath.Join(t.TempDir(), "m")
	must(t, os.Rename(dir, moved))
	l, path, err := Listen(moved)
	must(t, err)
	if path != filepath.Join(moved, "admin.sock") || SocketPath(moved) != path {
		t.Errorf("listens at %q, SocketPath %q", path, SocketPath(moved))
	}
	wantGone(t, old, filepath.Join(moved, "admin.path"))
	must(t, l.Close())
}

// A pointer counts only to a place that nobody else can have made: whoever listens there is given tokens.
func TestPointersThatDoNotCount(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("temp folders are each user's own")
	}
	dir, elsewhere := t.TempDir(), t.TempDir()
	mine, open, file := filepath.Join(elsewhere, "g2g-1"), filepath.Join(elsewhere, "g2g-2"), filepath.Join(elsewhere, "g2g-3")
	link, other := filepath.Join(elsewhere, "g2g-4"), filepath.Join(elsewhere, "other")
	must(t, os.Mkdir(mine, 0o700))
	must(t, os.Mkdir(other, 0o700))
	must(t, os.Mkdir(open, 0o700))
	must(t, os.Chmod(open, 0o755))
	must(t, os.WriteFile(file, nil, 0o600))
	must(t, os.Symlink(mine, link))
	at := func(folder string) string { return filepath.Join(folder, "admin.sock") + "\n" }
	for _, c := range []struct {
		name, text string
		counts     bool
	}{
		{"good", at(mine), true},
		{"empty", "", false},
		{"relative", "g2g-1/admin.sock", false},
		{"no socket's name", filepath.Join(mine, "passwd"), false},
		{"no folder of ours", at(other), false},
		{"open to others", at(open), false},
		{"a file", at(file), false},
		{"a link", at(link), false},
		{"swept", at(filepath.Join(elsewhere, "g2g-5")), false},
		{"too long", at(filepath.Join("/"+strings.Repeat("x", 200), "g2g-1")), false},
	} {
		t.Run(c.name, func(t *testing.T) {
			pointer := filepath.Join(dir, "admin.path")
			must(t, os.WriteFile(pointer, []byte(c.text), 0o600))
			want := filepath.Join(dir, "admin.sock")
			if c.counts {
				want = strings.TrimSpace(c.text)
			}
			if got := SocketPath(dir); got != want {
				t.Errorf("got %q, want %q", got, want)
			}
			l, _, err := Listen(dir) // which clears it
			must(t, err)
			wantGone(t, pointer)
			must(t, l.Close())
		})
	}
	if _, err := os.Lstat(open); err != nil {
		t.Error("a folder that is not ours was touched")
	}
}
