package store

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/g2g-net/g2g/pki"
)

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
