package store

import (
	"errors"
	"fmt"
	"io"
	"io/fs"

	"go.etcd.io/bbolt"

	"github.com/g2g-net/g2g/node/gossip"
	"github.com/g2g-net/g2g/pki"
)

// A Founding is what makes a folder that of a new network's first member.
type Founding struct {
	Genesis pki.Genesis
	Chain   pki.Chain   // the member's own
	Save    gossip.Save // its first nominations and numbers
}

// Init founds a network in the folder: identity.key, founder.key, g2g.toml (one that is there stays), then, in one
// transaction, all that found makes of the two keys. Only that transaction founds; killed before it, the next Init goes on
// with the same keys. A folder that belongs to a network is ErrHasNetwork.
func (d *Dir) Init(random io.Reader, config []byte, found func(identity, founder *pki.Identity) (Founding, error)) error {
	if err := d.found(random, config, found); err != nil {
		return fmt.Errorf("found network: %w", err)
	}
	return nil
}

func (d *Dir) found(random io.Reader, config []byte, found func(identity, founder *pki.Identity) (Founding, error)) error {
	if has, err := d.hasNetwork(); err != nil || has {
		return errors.Join(err, hasNetwork(has))
	}
	identity, err := d.EnsureIdentity(random)
	if err != nil {
		return err
	}
	founder, err := d.EnsureFounder(random)
	if err != nil {
		return err
	}
	if _, err := d.root.Lstat(ConfigFile); errors.Is(err, fs.ErrNotExist) {
		if err := d.place(ConfigFile, 0o600, false, contents(config)); err != nil {
			return fmt.Errorf("write %s: %w", ConfigFile, err)
		}
	} else if err != nil {
		return err
	}
	f, err := found(identity, founder)
	if err != nil {
		return err
	}
	if err := d.checkMembership(f.Genesis, f.Chain); err != nil {
		return err
	}
	return d.update("founding", func(tx *bbolt.Tx) error {
		if err := putMembership(tx, f.Genesis, f.Chain); err != nil {
			return err
		}
		return save(tx, f.Save)
	})
}

func hasNetwork(has bool) error {
	if has {
		return ErrHasNetwork
	}
	return nil
}
