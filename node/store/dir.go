// Package store keeps the node's folder: bbolt and key files.
//
// What must survive a crash is on disk when a function here returns without an error. A process that is killed at any
// moment leaves the folder as it was before the call or as it is after it.
package store

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"sync"

	"go.etcd.io/bbolt"
)

// The files of a folder.
const (
	IdentityFile = "identity.key" // PEM, PKCS #8, mode 0600
	FounderFile  = "founder.key"  // the same; only a founder's folder has one
	ConfigFile   = "g2g.toml"
	StateFile    = "state.db"
	SamplesFile  = "samples.db" // the node's data; none before the first load
)

var (
	// ErrBusy is a folder that another process, or another Dir of this one, holds open. Nothing was changed.
	ErrBusy = errors.New("another process serves this folder")
	// ErrHasNetwork is a folder that belongs to a network already. Nothing was changed.
	ErrHasNetwork = errors.New("the folder belongs to a network already")
	// ErrNoNetwork is a folder that belongs to no network. Nothing was changed.
	ErrNoNetwork = errors.New("the folder belongs to no network")
	// ErrDamaged is a state file that is not as it was written. Nothing of it is believed, and nothing was changed: the
	// way out is a backup.
	ErrDamaged = errors.New(StateFile + " is damaged")
)

// A Dir is an open folder. It is safe for concurrent use.
//
//  1. While it is open no other process opens the folder: bbolt's lock on state.db says so.
//  2. No file is ever seen half written: each is made under another name and then given its own.
//  3. A key file is never replaced.
type Dir struct {
	path string
	root *os.Root
	file *os.File // under db: it holds the lock
	db   *bbolt.DB

	mu     sync.Mutex
	broken error // set by the first access that found the file's pages damaged; nothing touches db afterwards

	samples Samples
}

// Create makes a folder, with those above it, that only this user can enter. One that is there stays as it is.
func Create(path string) error {
	if err := os.MkdirAll(path, 0o700); err != nil {
		return fmt.Errorf("create folder: %w", err)
	}
	return nil
}

// Open takes the folder, which must exist, for this process. It makes the state file if there is none, and finishes what a
// process that was killed left undone.
func Open(path string) (*Dir, error) {
	absolute, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("open folder: %w", err)
	}
	root, err := os.OpenRoot(absolute)
	if err != nil {
		return nil, fmt.Errorf("open folder: %w", err)
	}
	d := &Dir{path: absolute, root: root}
	d.samples.folder = d
	if err := d.open(); err != nil {
		_ = d.Close()
		return nil, fmt.Errorf("open folder %s: %w", absolute, err)
	}
	return d, nil
}

func (d *Dir) open() error {
	info, err := d.root.Stat(StateFile)
	if errors.Is(err, fs.ErrNotExist) {
		if err := d.createState(StateFile, schema, slices.Sorted(maps.Keys(keys))); err != nil {
			return fmt.Errorf("make %s: %w", StateFile, err)
		}
		info, err = d.root.Stat(StateFile)
	}
	switch {
	case err != nil:
		return err
	case info.Size() == 0: // bbolt would take it for a new one
		return fmt.Errorf("%w: it is empty", ErrDamaged)
	}
	if err := d.openState(StateFile); err != nil {
		return err
	}
	if err := d.checkSchema(); err != nil {
		return err
	}
	if err := d.finishArchive(); err != nil {
		return err
	}
	return d.sweep()
}

// Close lets go of the folder.
func (d *Dir) Close() error {
	return errors.Join(d.samples.close(), d.closeState(), d.root.Close())
}

func (d *Dir) closeState() (err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	switch {
	case d.db != nil && d.broken == nil:
		err = guard(d.db.Close)
	case d.file != nil: // the database may hold its own locks for ever: let go of the file only
		unlock(d.file)
		err = d.file.Close()
	}
	d.db, d.file = nil, nil
	d.broken = fs.ErrClosed
	return err
}

// Path is the folder's absolute path.
func (d *Dir) Path() string { return d.path }
