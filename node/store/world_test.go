package store

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"go.etcd.io/bbolt"

	"github.com/g2g-net/g2g/node/gossip"
	"github.com/g2g-net/g2g/node/view"
	"github.com/g2g-net/g2g/pki"
)

var now = time.Unix(1_800_000_000, 0)

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func value[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func equal(t testing.TB, err error, want string) {
	t.Helper()
	if err == nil {
		t.Fatalf("no error, want %q", want)
	}
	if err.Error() != want {
		t.Errorf("got  %q\nwant %q", err, want)
	}
}

func open(t testing.TB, path string) *Dir {
	t.Helper()
	d, err := Open(path)
	must(t, err)
	t.Cleanup(func() { _ = d.Close() })
	return d
}

// found makes what Init needs out of two keys.
func found(identity, founder *pki.Identity) (Founding, error) {
	genesis, err := pki.Found(bytes.NewReader(make([]byte, 16)), founder, "home", now)
	if err != nil {
		return Founding{}, err
	}
	chain, err := pki.AdmitRoot(founder, genesis, identity.Key(), now)
	if err != nil {
		return Founding{}, err
	}
	n, err := nominate(identity, genesis, 1)
	return Founding{Genesis: genesis, Chain: chain, Save: gossip.Save{
		Own: &gossip.Own{Sequence: 10, Incarnation: 1, Epoch: 20, MinEpoch: 5}, Nominations: []gossip.SealedNomination{n},
	}}, err
}

// nominate seals the nomination of a token that the seed makes.
func nominate(identity *pki.Identity, genesis pki.Genesis, seed byte) (gossip.SealedNomination, error) {
	token, err := pki.NewToken(bytes.NewReader(bytes.Repeat([]byte{seed}, 16)), pki.Server, now.Add(time.Hour), genesis.Network(), identity.ID(), nil)
	if err != nil {
		return gossip.SealedNomination{}, err
	}
	n := pki.Nomination{
		Network: genesis.Network(), Nominator: identity.Key(), TokenKey: token.Key(), Mode: pki.Server,
		NotBefore: now.Unix(), NotAfter: now.Unix() + 3600, Uses: 1, Version: 1,
	}
	e, err := n.Seal(identity)
	return gossip.SealedNomination{Nomination: n, Sealed: e}, err
}

// founded is an open folder of a network's first member.
func founded(t testing.TB) *Dir {
	t.Helper()
	d := open(t, t.TempDir())
	must(t, d.Init(rand.Reader, []byte("name = \"oak\"\n"), found))
	return d
}

// filled is a founded folder with something in every bucket.
func filled(t testing.TB) *Dir {
	t.Helper()
	d := founded(t)
	must(t, d.SavePorts(7401, 7402))
	must(t, d.Save(more(d)))
	return d
}

// more is what a machine might save: a second nomination, claims, a reserve.
func more(d *Dir) gossip.Save {
	genesis, _, _, err := d.Membership()
	if err != nil {
		panic(err)
	}
	n := value(nominate(value(d.Identity()), genesis, 2))
	return gossip.Save{
		Own:         &gossip.Own{Sequence: 11, Incarnation: 2, Epoch: 21, MinEpoch: 5},
		Nominations: []gossip.SealedNomination{n},
		Claims: []gossip.ClaimRecord{
			{Token: n.TokenID(), Joiner: pki.ID{1}, At: now.Unix(), Chain: []byte("chain 1")},
			{Token: n.TokenID(), Joiner: pki.ID{2}, At: now.Unix() + 1, Chain: []byte("chain 2")},
		},
		Reserve: []gossip.Address{
			{Located: &view.Located{ID: pki.ID{1}, Addresses: []string{"10.0.0.1:7401", "a.example.org:1"}, Chain: [32]byte{7}}, Heard: now.Unix(), MinEpoch: 1<<64 - 1},
			reserved(pki.ID{2}),
		},
		ReserveChanged:  true,
		Services:        []string{"seeds.example.org:7401", "[::1]:7401"},
		ServicesChanged: true,
	}
}

// reserved is an address of a member that was never heard.
func reserved(id pki.ID, addresses ...string) gossip.Address {
	return gossip.Address{Located: &view.Located{ID: id, Addresses: addresses}}
}

// files lists the folder.
func files(t testing.TB, path string) (names []string) {
	t.Helper()
	entries, err := os.ReadDir(path)
	must(t, err)
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

// state prints everything that a folder holds, for comparison.
func state(d *Dir) string {
	genesis, chain, ok, err := d.Membership()
	s := fmt.Sprintf("%x %x %v %v\n", genesis.Network(), chain.Bytes(), ok, err)
	saved, err := d.Load()
	s += fmt.Sprintf("%+v %v\n", saved, err)
	a, b, err := d.Ports()
	s += fmt.Sprintf("%d %d %v\n", a, b, err)
	for _, name := range []string{IdentityFile, FounderFile, ConfigFile} {
		data, err := os.ReadFile(filepath.Join(d.path, name))
		s += fmt.Sprintf("%q %v\n", data, errors.Is(err, os.ErrNotExist))
	}
	return s
}

// edit changes a closed state file.
func edit(t testing.TB, path string, change func(*bbolt.Tx) error) {
	t.Helper()
	db, err := bbolt.Open(filepath.Join(path, StateFile), 0o600, nil)
	must(t, err)
	must(t, db.Update(change))
	must(t, db.Close())
}

// copyFolder makes a copy of a closed folder.
func copyFolder(t testing.TB, from string) string {
	t.Helper()
	to := t.TempDir()
	for _, name := range files(t, from) {
		data, err := os.ReadFile(filepath.Join(from, name))
		must(t, err)
		must(t, os.WriteFile(filepath.Join(to, name), data, 0o600))
	}
	return to
}

// failing makes the n-th step fail, that one alone, until undo, and lists all.
func failing(n int) (steps *[]string, undo func()) {
	steps = new([]string)
	return steps, InjectFaults(func(_, step string) error {
		*steps = append(*steps, step)
		if len(*steps) == n {
			return errFault
		}
		return nil
	})
}

var errFault = errors.New("the disk is gone")
