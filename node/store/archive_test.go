package store

import (
	"crypto/rand"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"testing"

	"github.com/g2g-net/g2g/node/gossip"
	"github.com/g2g-net/g2g/pki"
)

func TestArchive(t *testing.T) {
	d := filled(t)
	identity, founder, before := value(d.Identity()), value(d.Founder()), value(d.Load())
	made := value(d.Archive(now))
	copied, key := filepath.Join(d.Path(), "archive-1800000000.db"), filepath.Join(d.Path(), "founder-1800000000.key")
	if !slices.Equal(made, []string{copied, key}) {
		t.Errorf("%q", made)
	}
	if got := value(ReadKey(key)); got.ID() != founder.ID() {
		t.Error("the archived founder key is another")
	}
	if got, want := files(t, d.Path()), []string{"archive-1800000000.db", "founder-1800000000.key", ConfigFile, IdentityFile, StateFile}; !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
	if _, _, ok, err := d.Membership(); ok || err != nil {
		t.Errorf("%v, %v", ok, err)
	}
	if after := value(d.Load()); !reflect.DeepEqual(after, gossip.Saved{Own: before.Own}) {
		t.Errorf("%+v", after)
	}
	if a, b, err := d.Ports(); a != 7401 || b != 7402 || err != nil {
		t.Errorf("%d, %d, %v", a, b, err)
	}
	if again := value(d.EnsureIdentity(rand.Reader)); again.ID() != identity.ID() {
		t.Error("the identity changed")
	}
	equal(t, d.Save(gossip.Save{Own: &gossip.Own{Sequence: 1, Incarnation: 9, Epoch: 99, MinEpoch: 9}}), "save: own contact sequence 1 is below 11, which was saved before")

	// The copy is a whole state: put into a folder with the identity, it is the old member.
	old := t.TempDir()
	must(t, os.WriteFile(filepath.Join(old, StateFile), value(os.ReadFile(copied)), 0o600))
	must(t, os.WriteFile(filepath.Join(old, IdentityFile), value(os.ReadFile(filepath.Join(d.Path(), IdentityFile))), 0o600))
	if got := value(open(t, old).Load()); !reflect.DeepEqual(got, before) {
		t.Errorf("\ngot  %+v\nwant %+v", got, before)
	}

	// The folder can found or join again, and leave again, but not under the same names.
	again := func(identity, founder *pki.Identity) (Founding, error) {
		f, err := found(identity, founder)
		f.Save.Own = nil
		return f, err
	}
	must(t, d.Init(rand.Reader, nil, again))
	_, err := d.Archive(now)
	if !errors.Is(err, fs.ErrExist) {
		t.Error(err)
	}
	if _, _, ok, err := d.Membership(); !ok || err != nil {
		t.Errorf("%v, %v", ok, err)
	}
	value(d.Archive(now.Add(1e9)))
}

func TestArchiveWithoutFounderKey(t *testing.T) {
	d := filled(t)
	must(t, os.Remove(filepath.Join(d.Path(), FounderFile)))
	if made := value(d.Archive(now)); len(made) != 1 {
		t.Errorf("%q", made)
	}
	must(t, d.Close())
	open(t, d.Path())
}
