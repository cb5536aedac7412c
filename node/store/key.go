package store

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"

	"github.com/g2g-net/g2g/pki"
)

// maxKeyFile bounds a key file, in bytes.
const maxKeyFile = 4 << 10

// Identity reads identity.key. The error is fs.ErrNotExist where there is none.
func (d *Dir) Identity() (*pki.Identity, error) { return d.key(IdentityFile) }

// Founder reads founder.key. The error is fs.ErrNotExist where there is none.
func (d *Dir) Founder() (*pki.Identity, error) { return d.key(FounderFile) }

// ReadKey reads a key file that stands anywhere.
func ReadKey(path string) (*pki.Identity, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("read key: %w", err)
	}
	defer f.Close()
	key, err := parseKey(f, path)
	if err != nil {
		return nil, fmt.Errorf("read key %s: %w", path, err)
	}
	return key, nil
}

func (d *Dir) key(name string) (*pki.Identity, error) {
	f, err := d.root.Open(name)
	if err != nil {
		return nil, fmt.Errorf("read key: %w", err)
	}
	defer f.Close()
	key, err := parseKey(f, filepath.Join(d.path, name))
	if err != nil {
		return nil, fmt.Errorf("read key %s: %w", name, err)
	}
	return key, nil
}

// parseKey reads a key from a regular file that nobody but its owner can read.
func parseKey(f *os.File, path string) (*pki.Identity, error) {
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, errors.New("it is no regular file")
	}
	if perm := info.Mode().Perm(); runtime.GOOS != "windows" && perm&0o077 != 0 {
		return nil, fmt.Errorf("mode %04o lets others at it: chmod 600 %s", perm, path)
	}
	data, err := io.ReadAll(io.LimitReader(f, maxKeyFile+1))
	if err != nil {
		return nil, err
	}
	if len(data) > maxKeyFile {
		return nil, fmt.Errorf("it is over the bound of %d bytes", maxKeyFile)
	}
	return pki.ParseIdentity(data)
}

// EnsureIdentity reads identity.key, or makes it. It makes none for a folder whose state another identity wrote: the key was
// lost then, and a new one would be a stranger with a member's papers.
func (d *Dir) EnsureIdentity(random io.Reader) (*pki.Identity, error) {
	key, err := d.Identity()
	if !errors.Is(err, fs.ErrNotExist) {
		return key, err
	}
	used, err := d.used()
	if err != nil {
		return nil, fmt.Errorf("make identity: %w", err)
	}
	if used {
		return nil, fmt.Errorf("make identity: %s is missing, but %s is that of an identity: put the key back from a backup, or begin with a new folder", IdentityFile, StateFile)
	}
	return d.makeKey(IdentityFile, random)
}

// EnsureFounder reads founder.key, or makes it.
func (d *Dir) EnsureFounder(random io.Reader) (*pki.Identity, error) {
	key, err := d.Founder()
	if !errors.Is(err, fs.ErrNotExist) {
		return key, err
	}
	return d.makeKey(FounderFile, random)
}

func (d *Dir) makeKey(name string, random io.Reader) (*pki.Identity, error) {
	key, err := pki.NewIdentity(random)
	if err != nil {
		return nil, fmt.Errorf("make %s: %w", name, err)
	}
	data, err := key.MarshalPEM()
	if err != nil {
		return nil, fmt.Errorf("make %s: %w", name, err)
	}
	defer clear(data)
	if err := d.place(name, 0o600, false, contents(data)); err != nil {
		return nil, fmt.Errorf("make %s: %w", name, err)
	}
	return key, nil
}

// sameFiles tells whether two files of the folder hold the same bytes.
func (d *Dir) sameFiles(a, b string) (bool, error) {
	first, err := d.root.ReadFile(a)
	if err != nil {
		return false, err
	}
	second, err := d.root.ReadFile(b)
	return err == nil && bytes.Equal(first, second), err
}
