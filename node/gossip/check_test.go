package gossip

import (
	"time"

	"github.com/g2g-net/g2g/node/view"
	"github.com/g2g-net/g2g/pki"
)

// size counts what a message carries.
func size(m Message) (n int) {
	contacts, beats := carried(m)
	n = len(contacts) + len(beats)
	switch m := m.(type) {
	case ExchangeRequest:
		n += len(m.Digest)
	case NominationsRequest:
		n += len(m.Versions)
	case NominationsResponse:
		n += len(m.Nominations)
	}
	return n
}

func carried(m Message) (contacts []*view.Contact, beats []IndexedBeat) {
	switch m := m.(type) {
	case JoinRequest:
		return []*view.Contact{m.Contact}, nil
	case JoinResponse:
		return append([]*view.Contact{m.Contact}, m.Contacts...), nil
	case ExchangeRequest:
		return nil, m.Beats
	case ExchangeResponse:
		return m.Contacts, m.Beats
	case PushRequest:
		return m.Contacts, m.Beats
	case HintResponse:
		return m.Contacts, m.Beats
	case ProbeResponse:
		if m.Contact != nil {
			contacts = []*view.Contact{m.Contact}
		}
		if m.Beat.Sequence > 0 {
			beats = []IndexedBeat{m.Beat}
		}
		return contacts, beats
	}
	return nil, nil
}

// told is the signature that a message carries.
func told(m Message) *view.Summary {
	switch m := m.(type) {
	case ExchangeRequest:
		return m.Summary
	case ExchangeResponse:
		return m.Summary
	}
	return nil
}

// checkMessage holds what leaves a machine to the bounds that wire has, to invariant 3 of Machine, and to the modes: nobody but
// itself tells of a client-mode member.
func (a *actor) checkMessage(m Message) {
	t := a.w.t
	contacts, beats := carried(m)
	for _, c := range contacts {
		if c.ID == a.ID() && c.Sequence > a.disk.Own.Sequence {
			t.Fatalf("%s tells its sequence %d, saved is %d", a.name, c.Sequence, a.disk.Own.Sequence)
		}
		if c.Mode == pki.Client && c.ID != a.ID() {
			t.Fatalf("%s passes on a client-mode member", a.name)
		}
		if c.NotAfter < a.w.now.Unix() {
			t.Fatalf("%s passes on a contact past its life", a.name)
		}
	}
	bound, places := 0, 0
	if s := told(m); s != nil {
		a.tellings++
		if s.ID != a.ID() {
			t.Fatalf("%s tells the signature of another", a.name)
		}
	}
	switch m := m.(type) {
	case JoinResponse:
		bound = 1 + MaxIntroduced
	case JoinRequest:
		bound = 1
	case ExchangeRequest:
		places = len(m.Digest)
		if len(m.Digest) > MaxDigest {
			t.Fatalf("%s sends a digest of %d", a.name, len(m.Digest))
		}
	case ExchangeResponse:
		bound, places = MaxContacts, MaxDigest+len(m.Contacts)
	case PushRequest:
		bound, places = MaxPushed, len(m.Contacts)
	case ProbeResponse:
		bound, places = 1, 1
	case HintRequest:
		if len(m.Hints) > MaxHints {
			t.Fatalf("%s sends %d hints", a.name, len(m.Hints))
		}
	case HintResponse:
		bound, places = MaxContacts, MaxHints+len(m.Contacts)
	case NominationsRequest:
		if len(m.Versions) > MaxVersions {
			t.Fatalf("%s sends %d versions", a.name, len(m.Versions))
		}
	case NominationsResponse:
		if len(m.Nominations) > MaxNominationBatch {
			t.Fatalf("%s sends %d nominations", a.name, len(m.Nominations))
		}
	}
	if len(contacts) > bound || len(beats) > MaxBeats {
		t.Fatalf("%s sends %d contacts and %d beats in a %T", a.name, len(contacts), len(beats), m)
	}
	seen := map[int]bool{}
	for _, b := range beats {
		if b.Index < 0 || b.Index >= places || seen[b.Index] || b.Sequence == 0 || b.Sequence > view.LadderLength {
			t.Fatalf("%s sends beat %d at place %d of %d in a %T", a.name, b.Sequence, b.Index, places, m)
		}
		seen[b.Index] = true
	}
}

// A version is what must never go back.
type version struct{ contact, incarnation, beat uint64 }

// check holds a machine to what must be so at any time, whatever breaks around it.
func (a *actor) check() {
	t, w := a.w.t, a.w
	if len(a.active) > MaxActive || len(a.pending) > maxPending || len(a.reserve.entries) > MaxReserve {
		t.Fatalf("%s: %d active, %d pending, %d in reserve", a.name, len(a.active), len(a.pending), len(a.reserve.entries))
	}
	if bound := 3*(view.MaxServers+view.MaxClients) + MaxReserve; len(a.attempts) > bound || len(a.calls) > bound {
		t.Fatalf("%s: %d attempts and %d calls are remembered", a.name, len(a.attempts), len(a.calls))
	}
	for _, e := range a.view.Entries() {
		old, is := a.seen[e.ID], version{e.Sequence, e.Incarnation, e.BeatSequence}
		if old == is && w.count%16 > 0 {
			continue // its age is looked at now and then
		}
		if is.contact < old.contact || is.incarnation < old.incarnation || is.incarnation == old.incarnation && is.beat < old.beat {
			t.Fatalf("%s: %s goes back from %+v to %+v", a.name, e.Name, old, is)
		}
		a.seen[e.ID] = is
		if e.BeatSequence == 0 || e.State == view.Unheard || !w.strict {
			continue // an unheard peer is as old as its contact, and passed on to nobody
		}
		made, ok := w.beats[beatKey{e.ID, e.Incarnation, e.BeatSequence}]
		if age, truth := e.Age(w.now), w.now.Sub(made); !ok || age > truth || age < truth-20*time.Second {
			t.Fatalf("%s: beat %d of %s is %s old, the truth is %s (made: %t)", a.name, e.BeatSequence, e.Name, age, truth, ok)
		}
	}
}
