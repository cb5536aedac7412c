package store

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
)

const temporarySuffix = ".new"

// WriteFile puts a file into the folder, or replaces it: whoever reads it, also after a crash, finds the old or the new one.
func (d *Dir) WriteFile(name string, data []byte, perm fs.FileMode) error {
	if name == "." || name != filepath.Base(name) || !filepath.IsLocal(name) || slices.Contains([]string{IdentityFile, FounderFile, StateFile, SamplesFile}, name) {
		return fmt.Errorf("write %q: it is no name for a file that may be written", name)
	}
	if err := d.place(name, perm, true, contents(data)); err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	return nil
}

func contents(data []byte) func(*os.File) error {
	return func(f *os.File) error {
		_, err := f.Write(data)
		return err
	}
}

// place makes a file under a name of its own, brings it to the disk and then gives it its name. Without replace the name
// must be free: fs.ErrExist otherwise.
func (d *Dir) place(name string, perm fs.FileMode, replace bool, write func(*os.File) error) error {
	temporary := name + "." + rand.Text() + temporarySuffix
	if err := d.writeTemporary(temporary, perm, write); err != nil {
		_ = d.root.Remove(temporary)
		return err
	}
	if err := d.name(temporary, name, replace); err != nil {
		_ = d.root.Remove(temporary)
		return err
	}
	return d.syncFolder(name)
}

func (d *Dir) writeTemporary(temporary string, perm fs.FileMode, write func(*os.File) error) error {
	if err := d.step("make %s", stem(temporary)); err != nil {
		return err
	}
	f, err := d.root.OpenFile(temporary, os.O_RDWR|os.O_CREATE|os.O_EXCL, perm)
	if err != nil {
		return err
	}
	err = write(f)
	if err == nil {
		err = d.step("sync %s", stem(temporary))
	}
	if err == nil {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}

// name gives a temporary file its name. A link, unlike a rename, never replaces; where the file system has no links, the
// folder's lock is what keeps others from taking the name in between.
func (d *Dir) name(temporary, name string, replace bool) error {
	if err := d.step("name %s", name); err != nil {
		return err
	}
	if replace {
		return d.root.Rename(temporary, name)
	}
	err := d.root.Link(temporary, name)
	if err == nil {
		if err := d.step("unlink %s", name); err != nil {
			return err
		}
		return d.root.Remove(temporary)
	}
	if _, missing := d.root.Lstat(name); !errors.Is(missing, fs.ErrNotExist) {
		return err
	}
	return d.root.Rename(temporary, name)
}

// syncFolder brings a change of names to the disk. Windows neither offers nor needs it.
func (d *Dir) syncFolder(name string) error {
	if err := d.step("sync folder after %s", name); err != nil {
		return err
	}
	if runtime.GOOS == "windows" {
		return nil
	}
	f, err := d.root.Open(".")
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

// sweep removes what processes that were killed left under temporary names: keys among it, that nobody ever used. The
// folder's lock is held, so nobody is at work on them; one that is just about to lose the race for a new state file makes
// another.
func (d *Dir) sweep() error {
	f, err := d.root.Open(".")
	if err != nil {
		return err
	}
	entries, err := f.ReadDir(-1)
	if err := errors.Join(err, f.Close()); err != nil {
		return err
	}
	for _, e := range entries {
		if !isTemporary(e.Name()) {
			continue
		}
		if err := d.step("sweep %s", stem(e.Name())); err != nil {
			return err
		}
		_ = d.root.Remove(e.Name()) // one that cannot be removed does no harm
	}
	return nil
}

// isTemporary tells the names that place makes from those that people make.
func isTemporary(name string) bool {
	whole, ok := strings.CutSuffix(name, temporarySuffix)
	dot := strings.LastIndexByte(whole, '.')
	return ok && dot > 0 && len(whole)-dot-1 == len(rand.Text()) && strings.Trim(whole[dot+1:], "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567") == ""
}

// stem is the name that a temporary file is to get.
func stem(temporary string) string {
	whole := strings.TrimSuffix(temporary, temporarySuffix)
	return whole[:strings.LastIndexByte(whole, '.')]
}
