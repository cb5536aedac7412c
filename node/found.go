package node

import (
	crand "crypto/rand"
	"errors"
	"fmt"
	"net"
	"path/filepath"
	"time"

	"github.com/g2g-net/g2g/node/config"
	"github.com/g2g-net/g2g/node/gossip"
	"github.com/g2g-net/g2g/node/store"
	"github.com/g2g-net/g2g/pki"
)

// FirstTokenLife is how long the tokens live that founding makes.
const FirstTokenLife = 30 * time.Minute

// Founded is what Found made.
type Founded struct {
	ID          string
	Network     string
	Name        string
	Files       []string
	ServerToken string // empty where the Registration address is not known before the node runs
	ClientToken string
	TokenLife   time.Duration
}

// Found makes the folder of a new network's first node: identity, founder key, configuration, genesis and the node's own
// admission. It refuses a folder that belongs to a network (ErrHasNetwork). A folder that a kill left half made is finished
// with the keys that are in it. A network without a name of its own has the node's.
func Found(dir string, cfg config.Config, network string) (Founded, error) {
	if err := cfg.Validate(); err != nil {
		return Founded{}, fmt.Errorf("found: %w", err)
	}
	if err := store.Create(dir); err != nil {
		return Founded{}, fmt.Errorf("found: %w", err)
	}
	d, err := store.Open(dir)
	if err != nil {
		return Founded{}, fmt.Errorf("found: %w", err)
	}
	if network == "" {
		network = cfg.Name
	}
	out := Founded{Name: cfg.Name, TokenLife: FirstTokenLife}
	err = d.Init(crand.Reader, config.Template(cfg), func(identity, founder *pki.Identity) (store.Founding, error) {
		return out.found(cfg, network, identity, founder)
	})
	if errors.Is(err, store.ErrHasNetwork) {
		err = ErrHasNetwork
	}
	if err := errors.Join(err, d.Close()); err != nil {
		return Founded{}, fmt.Errorf("found: %w", err)
	}
	for _, name := range []string{store.IdentityFile, store.FounderFile, store.ConfigFile, store.StateFile} {
		out.Files = append(out.Files, filepath.Join(dir, name))
	}
	return out, nil
}

func (out *Founded) found(cfg config.Config, network string, identity, founder *pki.Identity) (store.Founding, error) {
	now := time.Now()
	genesis, err := pki.Found(crand.Reader, founder, network, now)
	if err != nil {
		return store.Founding{}, err
	}
	chain, err := pki.AdmitRoot(founder, genesis, identity.Key(), now)
	if err != nil {
		return store.Founding{}, err
	}
	out.ID, out.Network = identity.ID().String(), genesis.Network().String()
	f := store.Founding{Genesis: genesis, Chain: chain}
	addresses := firstAddresses(cfg)
	if len(addresses) == 0 {
		return f, nil
	}
	for mode, text := range map[pki.Mode]*string{pki.Server: &out.ServerToken, pki.Client: &out.ClientToken} { // either order will do
		token, n, err := gossip.NewNomination(crand.Reader, identity, genesis.Network(), now,
			gossip.NominateRequest{Mode: mode, Life: FirstTokenLife, Uses: 1, Label: "init", Addresses: addresses})
		if err != nil {
			return store.Founding{}, err
		}
		sealed, err := n.Seal(identity)
		if err != nil {
			return store.Founding{}, err
		}
		f.Save.Nominations = append(f.Save.Nominations, gossip.SealedNomination{Nomination: n, Sealed: sealed})
		*text = token.Reveal()
	}
	return f, nil
}

// firstAddresses are the Registration addresses of a node that does not run yet: none where its port is not settled.
func firstAddresses(cfg config.Config) []string {
	_, gossipPort, err := net.SplitHostPort(cfg.Gossip.Listen)
	_, registerPort, err2 := net.SplitHostPort(cfg.Register.Listen)
	if err != nil || err2 != nil || gossipPort == "0" || registerPort == "0" {
		return nil
	}
	bound := cfg.Gossip.Listen
	if bound[0] == ':' {
		bound = "0.0.0.0" + bound
	}
	return registerAddresses(advertised(cfg.Gossip.Advertise, bound), cfg.Register.Listen)
}

// LeaveNetwork makes the folder of a node that does not run belong to no network again: genesis, admission, founder key and
// nominations go to an archive in it. The identity stays. It names the files that it made.
func LeaveNetwork(dir string) ([]string, error) {
	d, err := store.Open(dir)
	if err != nil {
		return nil, fmt.Errorf("leave network: %w", err)
	}
	files, err := d.Archive(time.Now())
	if errors.Is(err, store.ErrNoNetwork) {
		err = ErrNoNetwork
	}
	if err := errors.Join(err, d.Close()); err != nil {
		return nil, fmt.Errorf("leave network: %w", err)
	}
	return files, nil
}
