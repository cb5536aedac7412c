package store

import (
	"bytes"
	"errors"
	"fmt"

	"go.etcd.io/bbolt"

	"github.com/g2g-net/g2g/pki"
)

// Membership reads the network that the folder belongs to, and tells whether there is one. The chain is verified again, and
// must be identity.key's. Whatever is wrong is an error, never "no network".
func (d *Dir) Membership() (pki.Genesis, pki.Chain, bool, error) {
	var genesis pki.Genesis
	var chain pki.Chain
	err := d.view(func(tx *bbolt.Tx) (err error) {
		genesis, chain, err = membership(tx)
		return err
	})
	if err == nil && !genesis.IsZero() {
		err = d.checkSubject(chain)
	}
	if err != nil {
		return pki.Genesis{}, pki.Chain{}, false, fmt.Errorf("read membership: %w", err)
	}
	return genesis, chain, !genesis.IsZero(), nil
}

// membership is zero where the folder belongs to no network.
func membership(tx *bbolt.Tx) (pki.Genesis, pki.Chain, error) {
	g, err := get(tx, bucketNetwork, keyGenesis)
	if err != nil {
		return pki.Genesis{}, pki.Chain{}, err
	}
	c, err := get(tx, bucketNetwork, keyChain)
	if err != nil {
		return pki.Genesis{}, pki.Chain{}, err
	}
	member, err := get(tx, bucketMeta, keyMember)
	switch {
	case err != nil || g == nil && c == nil && member == nil:
		return pki.Genesis{}, pki.Chain{}, err
	case g == nil:
		return pki.Genesis{}, pki.Chain{}, fmt.Errorf("%w: the genesis is missing", ErrDamaged)
	case c == nil:
		return pki.Genesis{}, pki.Chain{}, fmt.Errorf("%w: the chain is missing", ErrDamaged)
	}
	return verifyMembership(g, c, member)
}

func verifyMembership(g, c, member []byte) (pki.Genesis, pki.Chain, error) {
	// Copies: what pki keeps of its input must outlive the transaction.
	genesis, err := pki.ParseGenesis(append([]byte(nil), g...))
	if err != nil {
		return pki.Genesis{}, pki.Chain{}, damaged(bucketNetwork, keyGenesis, "%w", err)
	}
	if id := genesis.Network(); !bytes.Equal(member, id[:]) {
		return pki.Genesis{}, pki.Chain{}, damaged(bucketMeta, keyMember, "it does not name network %s", id)
	}
	chain, err := pki.VerifyChain(append([]byte(nil), c...), genesis)
	if err != nil {
		return pki.Genesis{}, pki.Chain{}, damaged(bucketNetwork, keyChain, "%w", err)
	}
	return genesis, chain, nil
}

func (d *Dir) checkSubject(chain pki.Chain) error {
	identity, err := d.Identity()
	if err != nil {
		return err
	}
	if chain.Subject() != identity.Key() {
		return fmt.Errorf("%s is %s, but the chain in %s is %s's", IdentityFile, identity.ID(), StateFile, chain.Subject().ID())
	}
	return nil
}

// SaveMembership makes the folder one of a member. In a folder that belongs to the same network already it replaces the
// chain; in one that belongs to another it is ErrHasNetwork.
func (d *Dir) SaveMembership(genesis pki.Genesis, chain pki.Chain) error {
	err := d.checkMembership(genesis, chain)
	if err == nil {
		err = d.update("membership", func(tx *bbolt.Tx) error { return putMembership(tx, genesis, chain) })
	}
	if err != nil {
		return fmt.Errorf("save membership: %w", err)
	}
	return nil
}

// checkMembership keeps out what could not be read back.
func (d *Dir) checkMembership(genesis pki.Genesis, chain pki.Chain) error {
	if genesis.IsZero() || chain.IsZero() {
		return errors.New("it needs a genesis and a chain")
	}
	if _, err := pki.VerifyChain(chain.Bytes(), genesis); err != nil {
		return err
	}
	return d.checkSubject(chain)
}

func putMembership(tx *bbolt.Tx, genesis pki.Genesis, chain pki.Chain) error {
	held, _, err := membership(tx)
	if err != nil {
		return err
	}
	if !held.IsZero() && held.Network() != genesis.Network() {
		return fmt.Errorf("%w: %s", ErrHasNetwork, held.Network())
	}
	id := genesis.Network()
	if err := put(tx, bucketMeta, keyMember, id[:]); err != nil {
		return err
	}
	if err := put(tx, bucketNetwork, keyGenesis, genesis.Bytes()); err != nil {
		return err
	}
	return put(tx, bucketNetwork, keyChain, chain.Bytes())
}

// used tells whether the state is that of an identity: it has numbers, or belongs to a network.
func (d *Dir) used() (used bool, err error) {
	err = d.view(func(tx *bbolt.Tx) error {
		for _, at := range [][2]string{{bucketNetwork, keyGenesis}, {bucketNetwork, keyChain}, {bucketOwn, keyNumbers}} {
			used = used || tx.Bucket([]byte(at[0])).Get([]byte(at[1])) != nil
		}
		return nil
	})
	return used, err
}
