package node

import (
	"context"
	"encoding/base32"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/g2g-net/g2g/node/gossip"
	"github.com/g2g-net/g2g/node/store"
	"github.com/g2g-net/g2g/pki"
)

// backup copies the folder of a node that does not run.
func (a *actor) backup() string {
	a.w.t.Helper()
	to := filepath.Join(a.w.t.TempDir(), "backup")
	if err := os.CopyFS(to, os.DirFS(a.dir)); err != nil {
		a.w.t.Fatal(err)
	}
	if err := os.Chmod(filepath.Join(to, store.IdentityFile), 0o600); err != nil {
		a.w.t.Fatal(err)
	}
	return to
}

// The attack: a disk is stolen, and the thief runs the node a second time elsewhere. He is that node as long as nobody evicts it,
// and both the owner's own node and the peers tell their operators.
func TestStolenDiskIsNoticed(t *testing.T) {
	inWorld(t, 5*time.Millisecond, func(w *world) {
		f := w.founder()
		n1 := w.joiner(1, f)
		w.settle()
		n1.halt()
		clone := w.actor(2)
		clone.dir, clone.cfg.Name = n1.backup(), n1.cfg.Name
		n1.start()
		w.allAlive(10*time.Second, []*actor{f, n1}, 1)
		clone.start()
		w.until(time.Minute, "somebody raises an alarm", func() bool { return len(n1.notices(gossip.KindClone))+len(f.notices(gossip.KindClone)) > 0 })
		t.Logf("the owner is told %q", n1.notices(gossip.KindClone))
		t.Logf("a peer is told %q", f.notices(gossip.KindClone))
		haltAll([]*actor{f, n1, clone})
	})
}

// The attack: who has the disk looks for tokens in it. There are public halves only.
func TestStolenDiskHoldsNoToken(t *testing.T) {
	inWorld(t, 5*time.Millisecond, func(w *world) {
		f := w.founder()
		token := f.token(gossip.NominateRequest{})
		secret := token.Reveal()
		raw, err := base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding).DecodeString(strings.TrimPrefix(secret, "g2gs1_"))
		if err != nil {
			t.Fatal(err)
		}
		seed := string(raw[8+2*pki.PinSize:][:16]) // behind the expiry and the pins of network and nominator
		f.halt()
		for _, name := range []string{store.StateFile, store.IdentityFile, store.FounderFile, store.ConfigFile} {
			data, err := os.ReadFile(filepath.Join(f.dir, name))
			if err != nil {
				t.Fatal(err)
			}
			if strings.Contains(string(data), secret) || strings.Contains(string(data), seed) {
				t.Errorf("%s holds the token", name)
			}
		}
	})
}

// The fault: a node is set back to a backup of its folder. Its contact goes on from the newest one that its peers hold, and it is
// listed again within seconds; uses of its tokens that its peers have heard of count.
func TestRolledBackNodeComesBack(t *testing.T) {
	inWorld(t, 5*time.Millisecond, func(w *world) {
		f := w.founder()
		n1 := w.joiner(1, f)
		token := n1.token(gossip.NominateRequest{})
		w.settle()
		n1.halt()
		old := n1.backup()
		for range 3 { // its incarnation and its contact's sequence go on
			n1.start()
			w.allAlive(10*time.Second, []*actor{f, n1}, 1)
			n1.halt()
		}
		n1.start()
		n2 := w.outsider(2)
		if _, err := n2.Join(context.Background(), token, ""); err != nil {
			t.Fatal(err)
		}
		w.settle()
		held := f.peer(n1.ID()).Contact
		n1.halt()
		n1.dir = old
		n1.start()
		took := w.allAlive(20*time.Second, []*actor{f, n1, n2}, 2)
		t.Logf("listed again after %s", took)
		if now := f.peer(n1.ID()).Contact; now.Sequence <= held.Sequence || now.Incarnation <= held.Incarnation {
			t.Errorf("sequence %d after %d, incarnation %d after %d", now.Sequence, held.Sequence, now.Incarnation, held.Incarnation)
		}
		w.settle()
		if n := n1.nomination(token.ID()); n.Used != 1 {
			t.Errorf("the use of its token is forgotten: %d", n.Used)
		}
		thief := w.outsider(3)
		thief.refused(token, "", "the token is used up: 1 of 1, last by "+n2.ID().String(), f, n1, n2)
		haltAll([]*actor{f, n1, n2, thief})
	})
}

// TestRestoredWithinTheSecond restores a backup of a node that has rotated many times and then revoked its leaves just now, so that its lowest
// epoch lies ahead of the clock by which the backup numbers its own. Its peers refuse it, and nobody else tells it why: it begins
// epochs until one is accepted.
func TestRestoredWithinTheSecond(t *testing.T) {
	inWorld(t, 5*time.Millisecond, func(w *world) {
		a := w.founder()
		b, c := w.joiner(1, a), w.joiner(2, a)
		nodes := []*actor{a, b, c}
		w.allAlive(10*time.Second, nodes, 2)
		w.pass(20 * time.Second) // the addresses are on disk, and contacts may change often
		b.halt()
		backup := copyFolder(t, b.dir)
		b.start()
		w.allAlive(10*time.Second, nodes, 2)
		w.pass(20 * time.Second)
		for i := range 5 {
			if _, err := b.Rotate(context.Background(), i == 4); err != nil {
				t.Fatal(err)
			}
		}
		w.pass(100 * time.Millisecond)
		revoked := b.contact.Load().MinEpoch
		b.halt()
		b.dir = backup
		b.start()
		if epoch := b.leaf.Load().Claims.Epoch; epoch >= revoked {
			t.Fatalf("the backup begins with epoch %d, the lowest accepted is %d: nothing is tried", epoch, revoked)
		}
		t.Logf("alive again after %s", w.allAlive(20*time.Second, nodes, 2))
		began := b.contact.Load().Epoch
		w.pass(time.Minute)
		if got := b.contact.Load().Epoch; got < revoked || got != began {
			t.Errorf("epoch %d, then %d; it had revoked up to %d", began, got, revoked)
		}
		haltAll(nodes)
	})
}

// A node that starts again verifies no chain that it verified before it ended, but all contacts, which are new.
func TestChainsAreVerifiedOnce(t *testing.T) {
	inWorld(t, 5*time.Millisecond, func(w *world) {
		a := w.founder()
		b, c := w.joiner(1, a), w.joiner(2, a)
		nodes := []*actor{a, b, c}
		w.allAlive(10*time.Second, nodes, 2)
		w.pass(20 * time.Second) // the reserve is on disk
		haltAll(nodes)
		for _, n := range nodes {
			n.start()
		}
		w.allAlive(20*time.Second, nodes, 2)
		for _, n := range nodes {
			if counts := n.member.Load().gate.Counts(); counts.Chains != 0 || counts.Contacts < 2 {
				t.Errorf("%s verified %d chains and %d contacts", n.name, counts.Chains, counts.Contacts)
			}
		}
		haltAll(nodes)
	})
}
