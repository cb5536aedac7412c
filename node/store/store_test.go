package store

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"slices"
	"testing"

	"github.com/g2g-net/g2g/node/gossip"
	"github.com/g2g-net/g2g/pki"
)

func TestCreate(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a", "b")
	if _, err := Open(path); !errors.Is(err, fs.ErrNotExist) {
		t.Fatalf("open of a folder that is not there: %v", err)
	}
	must(t, Create(path))
	must(t, Create(path))
	info, err := os.Stat(path)
	must(t, err)
	if runtime.GOOS != "windows" && info.Mode().Perm() != 0o700 {
		t.Errorf("mode %o", info.Mode().Perm())
	}
	open(t, path)
	if got := files(t, path); !slices.Equal(got, []string{StateFile}) {
		t.Errorf("%q", got)
	}
}

func TestSecondOpenIsBusy(t *testing.T) {
	d := founded(t)
	_, err := Open(d.Path())
	if !errors.Is(err, ErrBusy) {
		t.Fatal(err)
	}
	equal(t, err, "open folder "+d.Path()+": another process serves this folder")
	must(t, d.Close())
	open(t, d.Path())
}

// TestRaceForNewFolder opens with the attack: many make the same new folder's state at once, and each would like to win.
func TestRaceForNewFolder(t *testing.T) {
	path := t.TempDir()
	won := make(chan *Dir, 8)
	for range cap(won) {
		go func() {
			d, err := Open(path)
			if err != nil && !errors.Is(err, ErrBusy) {
				t.Error(err)
			}
			won <- d
		}()
	}
	var winners []*Dir
	for range cap(won) {
		if d := <-won; d != nil {
			winners = append(winners, d)
		}
	}
	if len(winners) != 1 {
		t.Fatalf("%d opened the folder", len(winners))
	}
	must(t, winners[0].SavePorts(1, 2))
	must(t, winners[0].Close())
	if a, b, err := open(t, path).Ports(); a != 1 || b != 2 || err != nil {
		t.Errorf("%d, %d, %v: the winner wrote to another file", a, b, err)
	}
}

func TestNewFolderIsEmpty(t *testing.T) {
	d := open(t, t.TempDir())
	genesis, chain, ok, err := d.Membership()
	if !genesis.IsZero() || !chain.IsZero() || ok || err != nil {
		t.Errorf("%v %v %v %v", genesis, chain, ok, err)
	}
	saved, err := d.Load()
	if !reflect.DeepEqual(saved, gossip.Saved{}) || err != nil {
		t.Errorf("%+v, %v", saved, err)
	}
	if a, b, err := d.Ports(); a != 0 || b != 0 || err != nil {
		t.Errorf("%d, %d, %v", a, b, err)
	}
	if _, err := d.Identity(); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
	if _, err := d.Founder(); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
	if _, err := d.Archive(now); !errors.Is(err, ErrNoNetwork) {
		t.Error(err)
	}
}

func TestInitAndReopen(t *testing.T) {
	d := filled(t)
	before := state(d)
	must(t, d.Close())
	d = open(t, d.Path())
	if after := state(d); after != before {
		t.Errorf("\ngot  %s\nwant %s", after, before)
	}
	saved := value(d.Load())
	want := more(d)
	if saved.Own != *want.Own || len(saved.Nominations) != 2 || !reflect.DeepEqual(saved.Claims, want.Claims) || !reflect.DeepEqual(saved.Reserve, want.Reserve) || !slices.Equal(saved.Services, want.Services) {
		t.Errorf("\ngot  %+v\nwant %+v", saved, want)
	}
	if a, b, err := d.Ports(); a != 7401 || b != 7402 || err != nil {
		t.Errorf("%d, %d, %v", a, b, err)
	}
	for _, name := range []string{IdentityFile, FounderFile, ConfigFile, StateFile} {
		info, err := os.Stat(filepath.Join(d.Path(), name))
		must(t, err)
		if runtime.GOOS != "windows" && info.Mode().Perm() != 0o600 {
			t.Errorf("%s has mode %o", name, info.Mode().Perm())
		}
	}
}

func TestSecondInitRefuses(t *testing.T) {
	d := founded(t)
	before := state(d)
	err := d.Init(rand.Reader, nil, found)
	if !errors.Is(err, ErrHasNetwork) {
		t.Error(err)
	}
	equal(t, err, "found network: the folder belongs to a network already")
	if state(d) != before {
		t.Error("it changed something")
	}
}

func TestInitKeepsConfig(t *testing.T) {
	d := open(t, t.TempDir())
	must(t, d.WriteFile(ConfigFile, []byte("# mine"), 0o600))
	must(t, d.Init(rand.Reader, []byte("# other"), found))
	if got := value(os.ReadFile(filepath.Join(d.Path(), ConfigFile))); string(got) != "# mine" {
		t.Errorf("%q", got)
	}
}

func TestWriteFile(t *testing.T) {
	d := open(t, t.TempDir())
	for _, data := range []string{"one", "a longer two", ""} {
		must(t, d.WriteFile("note", []byte(data), 0o600))
		if got := value(os.ReadFile(filepath.Join(d.Path(), "note"))); string(got) != data {
			t.Errorf("%q", got)
		}
	}
	for _, name := range []string{"", ".", "..", "../x", "a/b", "/x", IdentityFile, FounderFile, StateFile} {
		equal(t, d.WriteFile(name, nil, 0o600), fmt.Sprintf("write %q: it is no name for a file that may be written", name))
	}
}

func TestSaveMembership(t *testing.T) {
	d := open(t, t.TempDir())
	identity := value(d.EnsureIdentity(rand.Reader))
	founder := value(pki.NewIdentity(rand.Reader))
	f := value(found(identity, founder))
	must(t, d.SaveMembership(f.Genesis, f.Chain))
	genesis, chain, ok, err := d.Membership()
	if err != nil || !ok || genesis.Network() != f.Genesis.Network() || !bytes.Equal(chain.Bytes(), f.Chain.Bytes()) {
		t.Errorf("%v %v %v %v", genesis, chain, ok, err)
	}
	renewed := value(pki.AdmitRoot(founder, f.Genesis, identity.Key(), now.Add(1e9)))
	must(t, d.SaveMembership(f.Genesis, renewed))
	if _, chain, _, _ := d.Membership(); !bytes.Equal(chain.Bytes(), renewed.Bytes()) {
		t.Error("the chain was not replaced")
	}
	before := state(d)
	away := value(found(identity, value(pki.NewIdentity(rand.Reader))))
	err = d.SaveMembership(away.Genesis, away.Chain)
	if !errors.Is(err, ErrHasNetwork) {
		t.Error(err)
	}
	equal(t, err, "save membership: the folder belongs to a network already: "+f.Genesis.Network().String())
	equal(t, d.SaveMembership(f.Genesis, away.Chain), "save membership: verify chain: link 1: it belongs to network "+away.Genesis.Network().String()+", this one is "+f.Genesis.Network().String())
	equal(t, d.SaveMembership(pki.Genesis{}, pki.Chain{}), "save membership: it needs a genesis and a chain")
	if state(d) != before {
		t.Error("a refusal changed something")
	}
}

func TestClosedFolder(t *testing.T) {
	d := founded(t)
	must(t, d.Close())
	if _, err := d.Load(); !errors.Is(err, fs.ErrClosed) {
		t.Error(err)
	}
	if err := d.SavePorts(1, 2); !errors.Is(err, fs.ErrClosed) {
		t.Error(err)
	}
	must(t, d.Close())
}

func TestInitPassesRefusalsOn(t *testing.T) {
	d := open(t, t.TempDir())
	refuse := func(*pki.Identity, *pki.Identity) (Founding, error) { return Founding{}, errFault }
	if err := d.Init(rand.Reader, nil, refuse); !errors.Is(err, errFault) {
		t.Error(err)
	}
	equal(t, d.Init(rand.Reader, nil, func(i, f *pki.Identity) (Founding, error) {
		out, err := found(f, i)
		return out, err
	}), "found network: identity.key is "+value(d.Identity()).ID().String()+", but the chain in state.db is "+value(d.Founder()).ID().String()+"'s")
	equal(t, d.Init(rand.Reader, nil, func(*pki.Identity, *pki.Identity) (Founding, error) { return Founding{}, nil }), "found network: it needs a genesis and a chain")
	if _, _, ok, err := d.Membership(); ok || err != nil {
		t.Errorf("%v, %v", ok, err)
	}
}

func TestCreateRefuses(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	must(t, os.WriteFile(path, nil, 0o600))
	if err := Create(path); err == nil {
		t.Error("a file was taken for a folder")
	}
	if _, err := Open(path); err == nil {
		t.Error("a file was opened as a folder")
	}
}
