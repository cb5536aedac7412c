package store

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"go.etcd.io/bbolt"
)

// Archive ends the folder's membership, so that it can join another network, and returns the files that it made: a copy of
// the whole state, and the founder key under another name. What belonged to the network goes: genesis, chain, nominations,
// claims, reserve, the services that were added. Identity, own numbers and ports stay, since the identity's numbers must never go back.
//
// The transaction in the middle decides: killed before it, the folder is a member's as before, with copies beside it that
// nobody needs; killed after it, the next Open finishes.
func (d *Dir) Archive(now time.Time) ([]string, error) {
	made, err := d.archive(now.Unix())
	if err != nil {
		return nil, fmt.Errorf("archive: %w", err)
	}
	return made, nil
}

func (d *Dir) archive(unix int64) ([]string, error) {
	if has, err := d.hasNetwork(); err != nil || !has {
		return nil, errors.Join(err, noNetwork(has))
	}
	state, founder := fmt.Sprintf("archive-%d.db", unix), fmt.Sprintf("founder-%d.key", unix)
	if err := d.copyState(state); err != nil {
		return nil, fmt.Errorf("copy %s to %s: %w", StateFile, state, err)
	}
	made := []string{filepath.Join(d.path, state)}
	key, err := d.root.ReadFile(FounderFile)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		founder = ""
	case err != nil:
		return nil, err
	default:
		if err := d.place(founder, 0o600, false, contents(key)); err != nil {
			return nil, fmt.Errorf("copy %s to %s: %w", FounderFile, founder, err)
		}
		clear(key)
		made = append(made, filepath.Join(d.path, founder))
	}
	if err := d.update("archive", func(tx *bbolt.Tx) error { return dropNetwork(tx, founder) }); err != nil {
		return nil, err
	}
	return made, d.finishArchive()
}

func noNetwork(has bool) error {
	if has {
		return nil
	}
	return ErrNoNetwork
}

// hasNetwork reads no more than it must, but fails where Membership would fail for the state's sake.
func (d *Dir) hasNetwork() (has bool, err error) {
	err = d.view(func(tx *bbolt.Tx) error {
		genesis, _, err := membership(tx)
		has = !genesis.IsZero()
		return err
	})
	return has, err
}

func (d *Dir) copyState(name string) error {
	return d.place(name, 0o600, false, func(f *os.File) error {
		return d.view(func(tx *bbolt.Tx) error {
			_, err := tx.WriteTo(f)
			return err
		})
	})
}

func dropNetwork(tx *bbolt.Tx, founder string) error {
	for _, bucket := range []string{bucketNetwork, bucketNominations, bucketClaims, bucketReserve} {
		if err := clearBucket(tx, bucket); err != nil {
			return err
		}
	}
	if err := tx.Bucket([]byte(bucketOwn)).Delete([]byte(keyServices)); err != nil {
		return err
	}
	if err := tx.Bucket([]byte(bucketMeta)).Delete([]byte(keyMember)); err != nil || founder == "" {
		return err
	}
	return put(tx, bucketMeta, keyArchived, []byte(founder))
}

// finishArchive removes the founder key of a network that was left, once it has another name.
func (d *Dir) finishArchive() error {
	var founder string
	err := d.view(func(tx *bbolt.Tx) error {
		b, err := get(tx, bucketMeta, keyArchived)
		founder = string(b)
		return err
	})
	if err != nil || founder == "" {
		return err
	}
	same, err := d.sameFiles(FounderFile, founder)
	switch {
	case errors.Is(err, fs.ErrNotExist): // removed already, or no copy of it: then it stays
	case err != nil:
		return err
	case same:
		if err := d.step("remove %s", FounderFile); err != nil {
			return err
		}
		if err := d.root.Remove(FounderFile); err != nil {
			return err
		}
		if err := d.syncFolder(FounderFile); err != nil {
			return err
		}
	}
	return d.update("end of archive", func(tx *bbolt.Tx) error {
		return tx.Bucket([]byte(bucketMeta)).Delete([]byte(keyArchived))
	})
}
