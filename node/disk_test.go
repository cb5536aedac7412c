package node

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/g2g-net/g2g/node/config"
	"github.com/g2g-net/g2g/node/gossip"
	"github.com/g2g-net/g2g/node/store"
	"github.com/g2g-net/g2g/pki"
)

// returnLimit bounds how long a node that has failed time and again, as in these tests, is held back before it is listed again.
const returnLimit = time.Minute

var errDisk = errors.New("the disk is gone")

// A disk is that of one folder. It fails at one step that would change the folder, or the process dies there: then it writes
// and dials no more, and the folder as it was is put aside.
type disk struct {
	t      *testing.T
	actor  *actor
	folder string // the actor's when the faults began: the folders of others ask too
	dies   bool
	at     int // the step, from 1

	mu   sync.Mutex
	n    int
	what string // the step that failed; empty while none has
	left string // the folder as the process that died left it
	undo func()
}

// breaks begins to count the steps of an actor's folder.
func (a *actor) breaks(at int, dies bool) *disk {
	d := &disk{t: a.w.t, actor: a, folder: a.dir, dies: dies, at: at}
	d.undo = store.InjectFaults(d.ask)
	return d
}

func (d *disk) ask(folder, step string) error {
	if folder != d.folder {
		return nil
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.n++
	switch {
	case d.n == d.at:
		d.what = step
		if d.dies {
			d.left = copyFolder(d.t, d.folder)
			d.actor.cut.Store(true)
		}
		return errDisk
	case d.dies && d.n > d.at:
		return errDisk
	}
	return nil
}

// mended ends the faults, and gives the actor the folder that there is now. It tells whether there was a fault at all.
func (d *disk) mended() (failed bool) {
	d.undo()
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.left != "" {
		d.actor.dir = d.left
	}
	d.actor.cut.Store(false)
	return d.what != ""
}

func (d *disk) String() string { return fmt.Sprintf("step %d (%s), dies %t", d.at, d.what, d.dies) }

// during runs the node for as long as a story of it takes. What failed is the story or the node.
func (a *actor) during(story func() error) error {
	if err := a.open(); err != nil {
		return err
	}
	defer func() { a.Node = nil }()
	select {
	case <-a.Ready():
	case err := <-a.done:
		a.stop()
		return fmt.Errorf("it did not start: %w", err)
	}
	err := story()
	a.stop()
	return errors.Join(err, <-a.done)
}

// own reads a node's own numbers off its disk, while it does not run.
func (a *actor) own() gossip.Own {
	a.w.t.Helper()
	d, err := store.Open(a.dir)
	if err != nil {
		a.w.t.Fatal(err)
	}
	saved, err := d.Load()
	if err := errors.Join(err, d.Close()); err != nil {
		a.w.t.Fatal(err)
	}
	return saved.Own
}

// heardNothingUnsaved compares what a peer holds of a node that does not run with that node's disk.
func (a *actor) heardNothingUnsaved(id pki.ID, peers ...*actor) {
	a.w.t.Helper()
	own := a.own()
	for _, p := range peers {
		if e := p.peer(id); e != nil {
			c := e.Contact
			if c.Sequence > own.Sequence || c.Incarnation > own.Incarnation || c.Epoch > own.Epoch || c.MinEpoch > own.MinEpoch {
				a.w.t.Errorf("%s holds sequence %d, incarnation %d, epochs %d and %d; on its disk is %+v", p.name, c.Sequence, c.Incarnation, c.Epoch, c.MinEpoch, own)
			}
		}
		if leaf, ok := p.member.Load().registry.Leaf(id); ok && leaf.Epoch > own.Epoch {
			a.w.t.Errorf("%s was shown a leaf of epoch %d; on its disk is %+v", p.name, leaf.Epoch, own)
		}
	}
}

// everyStep tells a story once for each step at which the disk can break, in both ways, until none is left.
func everyStep(t *testing.T, tell func(w *world, step int, dies bool) (broke bool)) {
	for _, dies := range []bool{false, true} {
		t.Run(fmt.Sprintf("dies %t", dies), func(t *testing.T) {
			inWorld(t, 5*time.Millisecond, func(w *world) {
				step := 1
				for tell(w, step, dies) {
					step++
				}
				t.Logf("%d steps", step-1)
				if step < 10 {
					t.Error("too few to be all")
				}
			})
		})
	}
}

// said reports a fault that nobody was told. Unlinking a temporary name and sweeping may fail: the next start does it.
func (d *disk) said(err error) {
	d.t.Helper()
	if err == nil && !strings.HasPrefix(d.what, "unlink ") {
		d.t.Errorf("%s: the fault was kept quiet", d)
	}
	if err != nil && !strings.Contains(err.Error(), errDisk.Error()) {
		d.t.Errorf("%s: the error does not say so: %v", d, err)
	}
}

// The fault: the disk fails, or the process dies, at each step of founding a network. Founding again goes on with the keys that are
// there, or says that the network is founded; then the node serves.
func TestFoundingBreaksAnywhere(t *testing.T) {
	everyStep(t, func(w *world, step int, dies bool) bool {
		a := w.actor(0)
		a.cfg = config.Default() // its ports are settled, so that there are tokens
		d := a.breaks(step, dies)
		_, err := Found(a.dir, a.cfg, "test")
		broke := d.mended()
		if broke {
			d.said(err)
		} else if err != nil {
			t.Fatal(err)
		}
		keys := map[string]string{}
		for _, name := range []string{store.IdentityFile, store.FounderFile} {
			if data, err := os.ReadFile(filepath.Join(a.dir, name)); err == nil {
				keys[name] = string(data)
			}
		}
		f, err := Found(a.dir, a.cfg, "test")
		if err != nil && !errors.Is(err, ErrHasNetwork) {
			t.Fatalf("%s: founding again: %v", d, err)
		}
		a.start()
		if !a.Info().Member || err == nil && (f.ID != a.ID().String() || f.ServerToken == "" || len(a.picture().Nominations) != 2) {
			t.Errorf("%s: member %t, founded %+v", d, a.Info().Member, f)
		}
		a.halt()
		for name, data := range keys {
			if got, err := os.ReadFile(filepath.Join(a.dir, name)); err != nil || string(got) != data {
				t.Errorf("%s: another %s (%v)", d, name, err)
			}
		}
		return broke
	})
}

// The fault: the joiner's disk fails, or the joiner dies, at each step from an empty folder to its goodbye as a member. Started again
// from what is there it is the member that it was, or it joins with the same token, whose one use is counted once.
func TestJoiningBreaksAnywhere(t *testing.T) {
	var f, acceptor *actor
	everyStep(t, func(w *world, step int, dies bool) bool {
		if step == 1 {
			f = w.founder()
			acceptor = w.joiner(1, f)
		}
		token := f.token(gossip.NominateRequest{})
		joiner := w.actor(10 + step)
		d := joiner.breaks(step, dies)
		var id pki.ID
		err := joiner.during(func() error {
			id = joiner.ID()
			_, err := joiner.Join(context.Background(), token, acceptor.Info().Register)
			if err == nil {
				w.pass(time.Second)
			}
			return err
		})
		broke := d.mended()
		if broke {
			d.said(err)
		} else if err != nil {
			t.Fatal(err)
		}
		if !id.IsZero() {
			joiner.heardNothingUnsaved(id, f, acceptor)
		}
		joiner.start()
		if !id.IsZero() && joiner.ID() != id {
			t.Errorf("%s: it comes back as another node", d)
		}
		if !joiner.Info().Member {
			if err == nil {
				t.Errorf("%s: its membership is gone", d)
			}
			if _, err := joiner.Join(context.Background(), token, acceptor.Info().Register); err != nil {
				t.Errorf("%s: again: %v", d, err)
			}
		}
		if n := f.nomination(token.ID()); n.Used != 1 || n.Users[0].Joiner != joiner.ID() {
			t.Errorf("%s: used %d times", d, n.Used)
		}
		w.until(20*time.Second, "all list the joiner", func() bool { return listed(f, joiner) && listed(acceptor, joiner) && listed(joiner, f, acceptor) })
		joiner.halt()
		if !broke {
			haltAll([]*actor{f, acceptor})
		}
		return broke
	})
}

// The fault: the nominator's disk fails, or the nominator dies, at each step while somebody joins by its token. The joiner is admitted
// for good or not at all, and then joins with the same token once the nominator is back.
func TestNominatorBreaksAnywhere(t *testing.T) {
	var acceptor, f *actor
	var id pki.ID
	everyStep(t, func(w *world, step int, dies bool) bool {
		if step == 1 {
			acceptor = w.founder()
			f = w.joiner(1, acceptor)
			id = f.ID()
			f.halt()
		}
		joiner := w.outsider(10 + step)
		var token pki.Token
		minted := false
		d := f.breaks(step, dies)
		var joined error
		err := f.during(func() error {
			var err error
			if token, _, err = f.Nominate(context.Background(), gossip.NominateRequest{Life: time.Hour, Uses: 1, Mode: pki.Server}); err != nil {
				return err
			}
			minted = true
			w.pass(3 * time.Second) // the acceptor hears of it
			_, joined = joiner.Join(context.Background(), token, acceptor.Info().Register)
			w.pass(6 * time.Second)
			return nil
		})
		broke := d.mended()
		if broke {
			d.said(err)
		} else if err != nil || joined != nil {
			t.Fatal(err, joined)
		}
		f.heardNothingUnsaved(id, acceptor)
		f.start()
		w.until(returnLimit, "the nominator is back", func() bool { return listed(acceptor, f) && listed(f, acceptor) })
		switch {
		case !minted:
			haltAll([]*actor{joiner, f})
			return broke
		case joined != nil: // the acceptor may wait a moment before it dials the nominator again
			w.until(10*time.Second, "it joins with the same token", func() bool {
				_, err := joiner.Join(context.Background(), token, acceptor.Info().Register)
				return err == nil
			})
		}
		if n := f.nomination(token.ID()); n.Used != 1 || n.Users[0].Joiner != joiner.ID() {
			t.Errorf("%s: used %d times", d, n.Used)
		}
		w.until(20*time.Second, "all list the joiner", func() bool { return listed(f, joiner) && listed(acceptor, joiner) && listed(joiner, f, acceptor) })
		haltAll([]*actor{joiner, f})
		if !broke {
			acceptor.halt()
		}
		return broke
	})
}

// promises are what a node said that it has done.
type promises struct {
	token           pki.TokenID
	revoked         bool
	services        []string
	epoch, minEpoch uint64
}

// serve does all that a member keeps on its disk, and takes down what it was told is done.
func (p *promises) serve(w *world, a *actor) (err error) {
	ctx := context.Background()
	token, _, err := a.Nominate(ctx, gossip.NominateRequest{Life: time.Hour, Uses: 1, Mode: pki.Client})
	if err != nil {
		return err
	}
	p.token = token.ID()
	if err := a.AddService(ctx, "mesh.example:7401"); err != nil {
		return err
	}
	p.services = []string{"mesh.example:7401"}
	rotated, err := a.Rotate(ctx, false)
	if err != nil {
		return err
	}
	p.epoch = rotated.Leaf.Epoch
	w.pass(2 * time.Second) // the peers hear of it
	if rotated, err = a.Rotate(ctx, true); err != nil {
		return err
	}
	p.minEpoch = rotated.MinEpoch
	w.pass(2 * time.Second)
	if _, err = a.Revoke(ctx, p.token.String()); err != nil {
		return err
	}
	p.revoked = true
	p.services = nil
	err = a.RemoveService(ctx, "mesh.example:7401")
	if err == nil {
		w.pass(6 * time.Second) // the reserve is saved
	}
	return err
}

// kept compares them with what the node knows after its next start.
func (p *promises) kept(d *disk, a *actor) {
	a.w.t.Helper()
	if !p.token.IsZero() {
		if n := a.nomination(p.token); p.revoked && n.RevokedAt == 0 {
			a.w.t.Errorf("%s: a token that was taken back counts again", d)
		}
	}
	if c := a.contact.Load(); c.Epoch <= p.epoch || c.MinEpoch < p.minEpoch {
		a.w.t.Errorf("%s: epochs %d and %d, promised were %d and %d", d, c.Epoch, c.MinEpoch, p.epoch, p.minEpoch)
	}
	list, err := a.Services(context.Background())
	if err != nil {
		a.w.t.Fatal(err)
	}
	for _, s := range p.services {
		if !slices.ContainsFunc(list, func(e gossip.Service) bool { return e.Address == s && e.Origin == "added" }) {
			a.w.t.Errorf("%s: service %s is forgotten", d, s)
		}
	}
}

// The fault: a member's disk fails, or the member dies, at each step while it starts, nominates, rotates, revokes and says goodbye.
// Started again from what is there it is the same member, nothing that it promised is forgotten, and nothing that a peer heard of it
// is ahead of it.
func TestServingBreaksAnywhere(t *testing.T) {
	var f, n1, n2 *actor
	var id pki.ID
	everyStep(t, func(w *world, step int, dies bool) bool {
		if step == 1 {
			f = w.founder()
			n1, n2 = w.joiner(1, f), w.joiner(2, f)
			id = n2.ID()
			n2.halt()
		}
		var p promises
		d := n2.breaks(step, dies)
		err := n2.during(func() error {
			w.pass(2 * time.Second) // it is listed
			return p.serve(w, n2)
		})
		broke := d.mended()
		if broke {
			d.said(err)
		} else if err != nil {
			t.Fatal(err)
		}
		n2.heardNothingUnsaved(id, f, n1)
		n2.start()
		if n2.ID() != id || !n2.Info().Member {
			t.Errorf("%s: %s, member %t", d, n2.ID(), n2.Info().Member)
		}
		p.kept(d, n2)
		w.until(returnLimit, "all list it", func() bool { return listed(f, n2) && listed(n1, n2) && listed(n2, f, n1) })
		if told := n2.notices(gossip.KindClone); len(told) > 0 {
			t.Errorf("%s: peers knew more than it did: %q", d, told)
		}
		n2.halt()
		if !broke {
			haltAll([]*actor{f, n1})
		}
		return broke
	})
}
