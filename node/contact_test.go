package node

import (
	"context"
	"encoding/binary"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"github.com/g2g-net/g2g/node/gossip"
	"github.com/g2g-net/g2g/node/view"
	"github.com/g2g-net/g2g/node/wire"
	"github.com/g2g-net/g2g/pki"
	"github.com/g2g-net/g2g/proto/gossippb"
)

func (a *attacker) push(victim *actor, beats []byte, contacts ...*gossippb.Envelope) error {
	_, err := a.gossip(victim).Push(context.Background(), &gossippb.PushRequest{Contacts: contacts, Beats: beats})
	return err
}

// invalid wants a message to be refused as a whole, with the reason.
func invalid(t *testing.T, err error, reason string) {
	t.Helper()
	if status.Code(err) != codes.InvalidArgument || status.Convert(err).Message() != reason {
		t.Errorf("got  %v\nwant %s", err, reason)
	}
}

// The attack: a server-mode member tells of others what they never said: contacts with a bent seal, sealed by itself in their
// name, of another network, or with a chain that was not given to them; and it introduces itself with somebody else's.
func TestMemberForgesContacts(t *testing.T) {
	inWorld(t, 5*time.Millisecond, func(w *world) {
		f := w.founder()
		n1 := w.joiner(1, f)
		w.settle()
		mallory, other := w.member("10.0.9.1", f, pki.Server), w.other(f)
		real := n1.contact.Load()
		theirs := wire.Envelope(real.Sealed)
		// The same payload, sealed by mallory.
		envelope, err := mallory.identity.Seal(pki.DomainContact, mallory.genesis.Network(), real.Sealed.Payload)
		if err != nil {
			t.Fatal(err)
		}
		// A stranger's contact, to which mallory lends its own chain, and one that is past its life.
		stranger := w.stranger("10.0.9.2", f)
		lent := stranger.bent(func(pb *gossippb.Contact) { pb.Chain = mallory.chain.Bytes() })
		expired := mallory.contact(func(c *view.Contact) { c.NotAfter = time.Now().Add(-time.Hour).Unix() })
		check := unchanged(f, n1)
		for _, c := range []struct {
			contact *gossippb.Envelope
			reason  string
		}{
			{forged(theirs), "read contact: the seal does not fit"},
			{wire.Envelope(envelope), "read contact: it names another key than the one that sealed it"},
			{wire.Envelope(other.contact().Sealed), "read contact: the seal does not fit"},
			{wire.Envelope(stranger.contact().Sealed), "read contact of " + stranger.ID().Short() + ": it has no chain"},
			{lent, "read contact of " + stranger.ID().Short() + ": the chain is " + mallory.ID().Short() + "'s"},
		} {
			invalid(t, mallory.push(f, nil, theirs, c.contact), "read push: "+c.reason)
			_, err := mallory.gossip(f).Join(context.Background(), &gossippb.JoinRequest{Contact: c.contact})
			invalid(t, err, "read join: "+c.reason)
		}
		// Past its life a contact is left out: the clock that says so may be this node's, and wrong.
		if err := mallory.push(f, nil, theirs, wire.Envelope(expired.Sealed)); err != nil {
			t.Errorf("a push with an expired contact: %v", err)
		}
		_, err = mallory.gossip(f).Join(context.Background(), &gossippb.JoinRequest{Contact: wire.Envelope(expired.Sealed)})
		invalid(t, err, "read join: read contact of "+mallory.ID().Short()+": it expired 1h ago")
		_, err = mallory.gossip(f).Join(context.Background(), &gossippb.JoinRequest{Contact: theirs})
		invalid(t, err, "read join: the contact is not the caller's")
		check()
		haltAll([]*actor{f, n1})
	})
}

// bent is the attacker's contact after a change that the gate at home would not let through, with a seal that fits.
func (a *attacker) bent(change func(*gossippb.Contact)) *gossippb.Envelope {
	a.w.t.Helper()
	var pb gossippb.Contact
	if err := proto.Unmarshal(a.contact().Sealed.Payload, &pb); err != nil {
		a.w.t.Fatal(err)
	}
	change(&pb)
	payload, err := proto.Marshal(&pb)
	if err != nil {
		a.w.t.Fatal(err)
	}
	envelope, err := a.identity.Seal(pki.DomainContact, a.genesis.Network(), payload)
	if err != nil {
		a.w.t.Fatal(err)
	}
	return wire.Envelope(envelope)
}

// The attack: a member replays old contacts and beats of a peer, to bring back its old addresses while it lives, and the peer
// itself when it is long gone.
func TestReplayedContactsBringNobodyBack(t *testing.T) {
	inWorld(t, 5*time.Millisecond, func(w *world) {
		f := w.founder()
		n1, n2 := w.joiner(1, f), w.joiner(2, f)
		nodes := []*actor{f, n1, n2}
		w.allAlive(10*time.Second, nodes, 2)
		mallory := w.member("10.0.9.1", f, pki.Server)
		old := wire.Envelope(n2.contact.Load().Sealed)
		id := n2.ID()
		n2.halt()
		n2.start() // a new contact
		w.allAlive(10*time.Second, nodes, 2)
		sequence := f.peer(id).Sequence
		if err := mallory.push(f, nil, old); err != nil {
			t.Error(err)
		}
		if p := f.peer(id); p.Sequence != sequence || p.State != view.Alive {
			t.Errorf("sequence %d, %s", p.Sequence, p.State)
		}
		last, beat := wire.Envelope(n2.contact.Load().Sealed), mallory.lastBeat(f, n2)
		n2.kill()
		w.until(time.Minute, "n2 is dead", func() bool { return f.peer(id) != nil && f.peer(id).State == view.Dead })
		if err := mallory.push(f, beat, last); err != nil {
			t.Error(err)
		}
		if p := f.peer(id); p.State != view.Dead {
			t.Errorf("a replayed beat made it %s", p.State)
		}
		w.pass(view.Forget + time.Minute)
		if p := f.peer(id); p != nil {
			t.Fatalf("it is still listed: %s", p.State)
		}
		for contact, beat := range map[*gossippb.Envelope][]byte{old: nil, last: beat} {
			if err := mallory.push(f, beat, contact); err != nil {
				t.Error(err)
			}
			w.settle()
			if f.alive() != 1 || f.peer(id) != nil {
				t.Errorf("a replay brought it back: %d alive", f.alive())
			}
		}
		haltAll([]*actor{f, n1})
	})
}

// lastBeat asks the victim, as an exchange does, for the newest beat of a peer, and turns it into one for a push.
func (a *attacker) lastBeat(victim, of *actor) []byte {
	a.w.t.Helper()
	c := of.contact.Load()
	asked := wire.Encode(gossip.ExchangeRequest{Salt: 1, Digest: []view.Version{{Hash: view.SaltedHash(1, of.ID()), Contact: uint32(c.Sequence)}}})
	resp, err := a.gossip(victim).Exchange(context.Background(), asked.(*gossippb.ExchangeRequest))
	if err != nil {
		a.w.t.Fatal(err)
	}
	for b := resp.GetBeats(); len(b) >= 24; b = b[24:] {
		if binary.BigEndian.Uint16(b) == 0 {
			return b[:24]
		}
	}
	a.w.t.Fatalf("no beat of %s", of.name)
	return nil
}

// The attack: a member makes up beats, to keep a peer alive that has stopped, or to run ahead of one that lives. Only the peer
// itself knows the next rung of its ladder; the liar is named to the operator.
func TestMemberMakesUpBeats(t *testing.T) {
	inWorld(t, 5*time.Millisecond, func(w *world) {
		f := w.founder()
		n1 := w.joiner(1, f)
		w.allAlive(10*time.Second, []*actor{f, n1}, 1)
		mallory := w.member("10.0.9.1", f, pki.Server)
		beat := mallory.lastBeat(f, n1)
		id := n1.ID()
		before := f.peer(id).BeatSequence
		sequence := binary.BigEndian.Uint16(beat[4:])
		contact := wire.Envelope(n1.contact.Load().Sealed)
		for _, ahead := range []uint16{1, 100, view.LadderLength - sequence} {
			binary.BigEndian.PutUint16(beat[4:], sequence+ahead)
			if err := mallory.push(f, beat, contact); err != nil {
				t.Error(err)
			}
		}
		if after := f.peer(id).BeatSequence; after > before+1 { // its own next may have come
			t.Errorf("it went from %d to %d", before, after)
		}
		if got := f.notices(gossip.KindMisbehaved); len(got) != 1 || got[0] != "told a beat of n1 that is not on its ladder" {
			t.Errorf("the operator is told %q", got)
		}
		haltAll([]*actor{f, n1})
	})
}
