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
	"strings"
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
	if saved.Own != *want.Own || len(saved.Nominations) != 2 || !reflect.DeepEqual(saved.Claims, want.Claims) || !reflect.DeepEqual(saved.Reserve, want.Reserve) {
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

func TestKeyFiles(t *testing.T) {
	d := open(t, t.TempDir())
	identity := value(d.EnsureIdentity(rand.Reader))
	if again := value(d.EnsureIdentity(rand.Reader)); again.ID() != identity.ID() {
		t.Error("a second identity was made")
	}
	path := filepath.Join(d.Path(), IdentityFile)
	if read := value(ReadKey(path)); read.ID() != identity.ID() {
		t.Error("another identity was read")
	}
	if runtime.GOOS != "windows" {
		for _, mode := range []fs.FileMode{0o640, 0o604, 0o620, 0o601} {
			must(t, os.Chmod(path, mode))
			_, err := d.Identity()
			equal(t, err, fmt.Sprintf("read key identity.key: mode %04o lets others at it: chmod 600 %s", mode, path))
			_, err = d.EnsureIdentity(rand.Reader)
			equal(t, err, fmt.Sprintf("read key identity.key: mode %04o lets others at it: chmod 600 %s", mode, path))
			_, err = ReadKey(path)
			equal(t, err, fmt.Sprintf("read key %s: mode %04o lets others at it: chmod 600 %s", path, mode, path))
		}
		must(t, os.Chmod(path, 0o400))
		value(d.Identity())
		must(t, os.Chmod(path, 0o600))
	}
	for text, want := range map[string]string{
		"":                           "read key identity.key: parse identity: no PEM block of type PRIVATE KEY",
		"secret":                     "read key identity.key: parse identity: no PEM block of type PRIVATE KEY",
		strings.Repeat("x", 4<<10+1): "read key identity.key: it is over the bound of 4096 bytes",
	} {
		must(t, os.WriteFile(path, []byte(text), 0o600))
		_, err := d.EnsureIdentity(rand.Reader)
		equal(t, err, want)
	}
	must(t, os.Remove(path))
	must(t, os.Mkdir(path, 0o700))
	_, err := d.Identity()
	equal(t, err, "read key identity.key: it is no regular file")
}

// TestKeyVolumeNotMounted opens with the accident: the key is a link to a place that is not there today.
func TestKeyVolumeNotMounted(t *testing.T) {
	d := open(t, t.TempDir())
	if err := os.Symlink("volume/identity.key", filepath.Join(d.Path(), IdentityFile)); err != nil {
		t.Skip(err)
	}
	if _, err := d.EnsureIdentity(rand.Reader); !errors.Is(err, fs.ErrExist) {
		t.Errorf("%v: a new identity would have taken the place of the old one", err)
	}
}

func TestLostIdentityIsNotReplaced(t *testing.T) {
	d := founded(t)
	must(t, os.Remove(filepath.Join(d.Path(), IdentityFile)))
	_, err := d.EnsureIdentity(rand.Reader)
	equal(t, err, "make identity: identity.key is missing, but state.db is that of an identity: put the key back from a backup, or begin with a new folder")
	if _, _, ok, err := d.Membership(); ok || !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("%v, %v", ok, err)
	}
}

func TestForeignIdentity(t *testing.T) {
	d := founded(t)
	old := value(d.Identity())
	other := value(pki.NewIdentity(rand.Reader))
	must(t, os.WriteFile(filepath.Join(d.Path(), IdentityFile), value(other.MarshalPEM()), 0o600))
	_, _, ok, err := d.Membership()
	equal(t, err, fmt.Sprintf("read membership: identity.key is %s, but the chain in state.db is %s's", other.ID(), old.ID()))
	if ok {
		t.Error("the error comes with a membership")
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

func TestOwnNumbersNeverGoBack(t *testing.T) {
	d := founded(t)
	before := state(d)
	for want, own := range map[string]gossip.Own{
		"save: own contact sequence 9 is below 10, which was saved before": {Sequence: 9, Incarnation: 9, Epoch: 99, MinEpoch: 9},
		"save: own incarnation 0 is below 1, which was saved before":       {Sequence: 99, Epoch: 99, MinEpoch: 9},
		"save: own epoch 19 is below 20, which was saved before":           {Sequence: 99, Incarnation: 9, Epoch: 19, MinEpoch: 9},
		"save: own lowest epoch 4 is below 5, which was saved before":      {Sequence: 99, Incarnation: 9, Epoch: 99, MinEpoch: 4},
	} {
		equal(t, d.Save(gossip.Save{Own: &own, ReserveChanged: true}), want)
		if state(d) != before {
			t.Error("a refusal changed something")
		}
	}
	must(t, d.Save(gossip.Save{Own: &gossip.Own{Sequence: 10, Incarnation: 1, Epoch: 20, MinEpoch: 5}}))
}

func TestDropNomination(t *testing.T) {
	d := filled(t)
	saved := value(d.Load())
	claimed := saved.Claims[0].Token
	must(t, d.Save(gossip.Save{DropNominations: []pki.TokenID{claimed, {1, 2, 3}}}))
	after := value(d.Load())
	if len(after.Nominations) != 1 || after.Nominations[0].TokenID() == claimed || len(after.Claims) != 0 || len(after.Reserve) != 2 {
		t.Errorf("%+v", after)
	}
	// What is put and dropped at once is gone.
	must(t, d.Save(gossip.Save{Nominations: saved.Nominations, Claims: saved.Claims, DropNominations: []pki.TokenID{claimed}}))
	if again := value(d.Load()); !reflect.DeepEqual(again, after) {
		t.Errorf("%+v", again)
	}
}

func TestReserveIsReplaced(t *testing.T) {
	d := filled(t)
	must(t, d.Save(gossip.Save{Reserve: nil, Own: ownOf(d)}))
	if n := len(value(d.Load()).Reserve); n != 2 {
		t.Errorf("%d in reserve after a save that did not name it", n)
	}
	must(t, d.Save(gossip.Save{Reserve: []gossip.Address{{ID: pki.ID{9}, Addresses: []string{"[::1]:1"}}}, ReserveChanged: true}))
	if got := value(d.Load()).Reserve; len(got) != 1 || got[0].ID != (pki.ID{9}) {
		t.Errorf("%+v", got)
	}
	must(t, d.Save(gossip.Save{ReserveChanged: true}))
	if n := len(value(d.Load()).Reserve); n != 0 {
		t.Errorf("%d in reserve", n)
	}
}

func TestSaveRefusals(t *testing.T) {
	d := filled(t)
	before := state(d)
	id := pki.ID{7}
	many := make([]gossip.Address, MaxReserve+1)
	claims := make([]gossip.ClaimRecord, MaxClaims+1)
	for i := range claims {
		claims[i] = gossip.ClaimRecord{Joiner: pki.ID{byte(i >> 16), byte(i >> 8), byte(i)}, Chain: []byte{1}}
	}
	for want, s := range map[string]gossip.Save{
		"save: 1001 addresses in reserve are over the bound of 1000":                     {Reserve: many, ReserveChanged: true},
		`save: reserve: address "x": no port`:                                            {Reserve: []gossip.Address{{ID: id, Addresses: []string{"x"}}}, ReserveChanged: true},
		"save: reserve: " + id.Short() + " heard at 0 s with 17 addresses":               {Reserve: []gossip.Address{{ID: id, Addresses: make([]string, 17)}}, ReserveChanged: true},
		"save: reserve: " + id.Short() + " heard at -1 s with 1 addresses":               {Reserve: []gossip.Address{{ID: id, Heard: -1, Addresses: make([]string, 1)}}, ReserveChanged: true},
		"save: claim of token 0700000000000000: a time of 0 s and a chain of 0 bytes":    {Claims: []gossip.ClaimRecord{{Token: pki.TokenID{7}}}},
		"save: claim of token 0700000000000000: a time of -1 s and a chain of 1 bytes":   {Claims: []gossip.ClaimRecord{{Token: pki.TokenID{7}, At: -1, Chain: []byte{1}}}},
		"save: claim of token 0700000000000000: a time of 0 s and a chain of 4097 bytes": {Claims: []gossip.ClaimRecord{{Token: pki.TokenID{7}, Chain: make([]byte, 4097)}}},
		"save: over 65536 claims": {Claims: claims},
	} {
		equal(t, d.Save(s), want)
		if state(d) != before {
			t.Fatalf("%s, but something changed", want)
		}
	}
}

func TestNominationsAreBounded(t *testing.T) {
	d := filled(t)
	n := value(d.Load()).Nominations[0]
	var many []gossip.SealedNomination
	for i := range MaxNominations - 1 { // two are there
		n.TokenKey = pki.Key{1, byte(i), byte(i >> 8)}
		many = append(many, n)
	}
	equal(t, d.Save(gossip.Save{Nominations: many}), "save: over 2048 nominations")
	must(t, d.Save(gossip.Save{Nominations: many[1:]}))
	// At the bound one may come for one that goes.
	must(t, d.Save(gossip.Save{Nominations: many[:1], DropNominations: []pki.TokenID{many[1].TokenID()}}))
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

func ownOf(d *Dir) *gossip.Own {
	own := value(d.Load()).Own
	return &own
}

// TestUnreadableFounderKey: what cannot be read is not taken for what is not there.
func TestUnreadableFounderKey(t *testing.T) {
	d := open(t, t.TempDir())
	path := filepath.Join(d.Path(), FounderFile)
	must(t, os.Mkdir(path, 0o700))
	equal(t, d.Init(rand.Reader, nil, found), "found network: read key founder.key: it is no regular file")
	must(t, os.Remove(path))
	must(t, d.Init(rand.Reader, nil, found))
	must(t, os.Remove(path))
	must(t, os.Mkdir(path, 0o700))
	before := state(d)
	if _, err := d.Archive(now); err == nil {
		t.Error("the founder key was left behind without a word")
	}
	if state(d) != before {
		t.Error("a refusal changed something")
	}
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
