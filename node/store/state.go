package store

import (
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"time"

	"go.etcd.io/bbolt"
	bbolterrors "go.etcd.io/bbolt/errors"
)

// schema numbers the layout of state.db. A change that an older g2g would misread needs a higher one.
const schema = 2

// lockWait is how long Open waits for the folder: a process that is just ending gets this long.
const lockWait = 200 * time.Millisecond

// firstMapping is how many bytes of a database are mapped into memory from the first, more than a small network needs. To map anew as it grows
// would take a good part of the writes while a node starts. The file is as long, but has no blocks where nothing is.
const firstMapping = 256 << 10

// The buckets of state.db, and the keys of those that hold single values.
const (
	bucketMeta        = "meta"
	bucketNetwork     = "network"
	bucketOwn         = "own"
	bucketNominations = "nominations" // token ID -> envelope
	bucketClaims      = "claims"      // token ID, joiner's ID -> time, chain
	bucketReserve     = "reserve"     // ID -> time, lowest epoch, addresses, hash of the chain

	keySchema   = "schema"
	keyMember   = "member"   // the network's ID, so that a network that vanished is no folder without one
	keyArchived = "archived" // while Archive is at work: the name that founder.key has got
	keyGenesis  = "genesis"
	keyChain    = "chain"
	keyNumbers  = "numbers"
	keyPorts    = "ports"
	keyServices = "services"
)

// keys lists the keys that may stand in a bucket; the other buckets have keys of a fixed length.
var keys = map[string][]string{
	bucketMeta:        {keySchema, keyMember, keyArchived},
	bucketNetwork:     {keyGenesis, keyChain},
	bucketOwn:         {keyNumbers, keyPorts, keyServices},
	bucketNominations: nil,
	bucketClaims:      nil,
	bucketReserve:     nil,
}

// createState makes a database of a layout, with empty buckets. Where another process was faster, that one's stays.
func (d *Dir) createState(file string, layout uint32, buckets []string) error {
	temporary := file + "." + rand.Text() + temporarySuffix
	defer func() { _ = d.root.Remove(temporary) }() // where all went well it is gone already
	if err := d.step("make %s", file); err != nil {
		return err
	}
	db, err := bbolt.Open(temporary, 0o600, d.options(temporary, os.O_EXCL, nil))
	if err != nil {
		return err
	}
	err = db.Update(func(tx *bbolt.Tx) error {
		for _, name := range buckets {
			if _, err := tx.CreateBucket([]byte(name)); err != nil {
				return err
			}
		}
		return put(tx, bucketMeta, keySchema, binary.BigEndian.AppendUint32(nil, layout))
	})
	if err := errors.Join(err, db.Close()); err != nil {
		return err
	}
	if err := d.name(temporary, file, false); err != nil {
		// The other process may have swept the temporary file away, too.
		if _, missing := d.root.Stat(file); missing != nil {
			return err
		}
	}
	return d.syncFolder(file)
}

// options make bbolt work inside the folder, on one file, and keep that file in opened.
func (d *Dir) options(name string, flags int, opened **os.File) *bbolt.Options {
	return &bbolt.Options{
		Timeout:         lockWait,
		FreelistType:    bbolt.FreelistMapType,
		NoStatistics:    true,
		InitialMmapSize: firstMapping,
		OpenFile: func(_ string, flag int, mode fs.FileMode) (*os.File, error) {
			if flags&os.O_EXCL == 0 {
				flag &^= os.O_CREATE
			}
			f, err := d.root.OpenFile(name, flag|flags, mode)
			if opened != nil && *opened == nil {
				*opened = f
			}
			return f, err
		},
	}
}

func (d *Dir) openState(name string) error {
	var file *os.File
	err := guard(func() (err error) {
		d.db, err = bbolt.Open(filepath.Join(d.path, name), 0o600, d.options(name, 0, &file))
		return err
	})
	switch {
	case err == nil:
		d.file = file
		return nil
	case errors.Is(err, bbolterrors.ErrTimeout):
		return ErrBusy
	case errors.Is(err, ErrDamaged): // bbolt gave up half-way
		d.file = file // Close lets go of it
		return err
	case errors.Is(err, bbolterrors.ErrInvalid), errors.Is(err, bbolterrors.ErrChecksum), errors.Is(err, bbolterrors.ErrVersionMismatch):
		return fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	return err
}

// guard turns what bbolt does about broken pages, a panic, into an error; so too a fault where the file is shorter than it says.
func guard(access func() error) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%w: %v", ErrDamaged, p)
		}
	}()
	return access()
}

// view reads in one transaction.
func (d *Dir) view(read func(*bbolt.Tx) error) error {
	return d.access(func(db *bbolt.DB) error { return db.View(read) })
}

// update writes in one transaction, which is on disk when it returns without an error.
func (d *Dir) update(what string, write func(*bbolt.Tx) error) error {
	return d.access(func(db *bbolt.DB) error {
		if err := d.step("begin %s", what); err != nil {
			return err
		}
		err := db.Update(func(tx *bbolt.Tx) error {
			if err := write(tx); err != nil {
				return err
			}
			return d.step("commit %s", what)
		})
		if err != nil {
			return err
		}
		return d.step("end %s", what)
	})
}

// access keeps to one transaction at a time: a node has few, and a broken file must not be touched a second time.
func (d *Dir) access(use func(*bbolt.DB) error) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.broken != nil {
		return d.broken
	}
	finished := false
	err := guard(func() error {
		err := use(d.db)
		finished = true
		return err
	})
	if !finished {
		d.broken = err
	}
	return err
}

// checkSchema refuses a state file that is not of this layout, or that has buckets or keys that this layout does not know.
func (d *Dir) checkSchema() error {
	return d.view(func(tx *bbolt.Tx) error {
		b, err := get(tx, bucketMeta, keySchema)
		if err != nil {
			return err
		}
		if len(b) != 4 {
			return damaged(bucketMeta, keySchema, "%d bytes where 4 are needed", len(b))
		}
		if v := binary.BigEndian.Uint32(b); v != schema {
			return fmt.Errorf("%s has schema %d, this g2g knows %d: use the g2g that wrote it, or a newer one", StateFile, v, schema)
		}
		return checkNames(tx)
	})
}

func checkNames(tx *bbolt.Tx) error {
	err := tx.ForEach(func(name []byte, b *bbolt.Bucket) error {
		known, ok := keys[string(name)]
		if !ok {
			return fmt.Errorf("%w: bucket %.40q is unknown", ErrDamaged, name)
		}
		if known == nil {
			return nil
		}
		return b.ForEach(func(k, _ []byte) error {
			if !slices.Contains(known, string(k)) {
				return fmt.Errorf("%w: key %.40q in %s is unknown", ErrDamaged, k, name)
			}
			return nil
		})
	})
	if err != nil {
		return err
	}
	for name := range keys {
		if tx.Bucket([]byte(name)) == nil {
			return fmt.Errorf("%w: bucket %s is missing", ErrDamaged, name)
		}
	}
	return nil
}
