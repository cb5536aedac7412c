package gossip

import (
	"crypto/sha256"
	"encoding/binary"
	"net/netip"
	"slices"
	"time"

	"github.com/g2g-net/g2g/node/view"
	"github.com/g2g-net/g2g/pki"
)

// look is the once-a-second round: verdicts, active peers, reserve.
func (m *Machine) look(now time.Time) {
	m.nextLook = now.Add(lookEvery)
	for _, ch := range m.view.Look(now, m.cfg.Rule) {
		m.changed(now, ch)
	}
	m.sweep()
	m.seek(now)
	m.dialReserve(now)
	if !now.Before(m.nextPrune) {
		m.nextPrune = now.Add(time.Minute)
		m.prune(now)
	}
	if m.reserve.dirty && !now.Before(m.nextSaveReserve) {
		m.nextSaveReserve = now.Add(saveReserve)
		m.effects.Save.Reserve, m.effects.Save.ReserveChanged = m.reserve.list(), true
	}
}

func (m *Machine) changed(now time.Time, ch view.Change) {
	age := ch.Age(now).Round(time.Second / 10)
	switch ch.State {
	case view.Late:
		m.notice(KindLate, Warning, ch.ID, "its signature has not advanced for %s (limit %s)", age, m.cfg.Rule.Late)
	case view.Dead:
		m.deactivate(ch.ID)
		m.notice(KindDead, Error, ch.ID, "%s: its signature has not advanced for %s (limit %s)", ch.Reason, age, m.cfg.Rule.Dead)
	case view.Alive:
		m.notice(KindAlive, Info, ch.ID, "its signature advances")
	case view.Unheard, view.Left:
	}
	m.aliveChanged(now)
}

// aliveChanged makes the hash over everybody alive here, this node among them.
func (m *Machine) aliveChanged(now time.Time) {
	h := sha256.New()
	self := m.ID()
	told := false
	add := func(id pki.ID) { h.Write(id[:]) }
	for _, e := range m.view.Entries() {
		if !told && m.mode() == pki.Server && self.Compare(e.ID) < 0 {
			add(self)
			told = true
		}
		if e.State == view.Alive && e.Mode == pki.Server {
			add(e.ID)
		}
	}
	if !told && m.mode() == pki.Server {
		add(self)
	}
	hash := binary.BigEndian.Uint64(h.Sum(nil))
	if hash != m.aliveHash {
		m.aliveHash, m.aliveAt = hash, now
	}
}

// sweep forgets what was remembered of peers that are nowhere any more.
func (m *Machine) sweep() {
	if len(m.attempts) <= 2*(view.MaxServers+view.MaxClients) {
		return
	}
	for id, a := range m.attempts { // the order decides nothing: each is judged alone
		if m.view.Get(id) == nil && !a.joining && !a.exchanging && !m.reserve.has(id) {
			delete(m.attempts, id)
		}
	}
}

// forget drops a peer that had to make place.
func (m *Machine) forget(now time.Time, id pki.ID) {
	m.deactivate(id)
	delete(m.attempts, id)
	m.aliveChanged(now)
}

// seek asks peers of the view to become active, until there are enough.
func (m *Machine) seek(now time.Time) {
	var candidates []pki.ID
	joining := 0
	for _, e := range m.view.Entries() {
		a := m.attempt(e.ID)
		if a.joining {
			joining++
		} else if e.Mode == pki.Server && !e.State.Fallen() && !m.isActive(e.ID) && !now.Before(a.next) {
			candidates = append(candidates, e.ID)
		}
	}
	want := MaxActive
	if m.mode() == pki.Client {
		want = 3
	}
	for _, k := range m.cfg.Random.Perm(len(candidates)) {
		if len(m.active)+joining >= want {
			return
		}
		joining++
		m.join(now, candidates[k])
	}
}

// join introduces this node to a peer.
func (m *Machine) join(now time.Time, id pki.ID) {
	m.attempt(id).joining = true
	m.send(id, m.Greeting(now))
}

// dialReserve tries addresses of members that are not in the view: three a look while nobody is reached, else one now and
// then. It is what makes two halves of a network one again.
func (m *Machine) dialReserve(now time.Time) {
	n := isolatedDials
	if len(m.active) > 0 {
		if now.Before(m.nextReserve) {
			return
		}
		m.nextReserve = now.Add(reserveEvery)
		n = 1
	} else if m.published.IsZero() || m.beat.Sequence <= 1 {
		n = MaxActive // the first look after a start
	}
	var candidates []pki.ID
	for _, a := range m.reserve.entries {
		e := m.view.Get(a.ID)
		t := m.attempt(a.ID)
		if (e == nil || e.State == view.Dead || e.State == view.Unheard) && !t.joining && !now.Before(t.next) {
			candidates = append(candidates, a.ID)
		}
	}
	for i, k := range m.cfg.Random.Perm(len(candidates)) {
		if i < n {
			m.join(now, candidates[k])
		}
	}
}

// Introduce takes the contacts that an acceptor gave to this joiner.
func (m *Machine) Introduce(now time.Time, from pki.ID, contacts []*view.Contact) {
	m.learnAll(now, from, contacts)
	m.seek(now)
}

// Meet takes a joiner that this node, as its acceptor, dialled back: the contact it was ready with and its answer. Only now
// are its addresses passed on.
func (m *Machine) Meet(now time.Time, contact *view.Contact, resp JoinResponse) {
	m.learn(now, contact.ID, contact)
	m.joined(now, &call{to: contact.ID}, resp)
}

// Greeting is how this node introduces itself, outside of the calls that the machine makes.
func (m *Machine) Greeting(now time.Time) JoinRequest {
	return JoinRequest{Contact: m.contact, Beat: m.ownBeat(now), Active: m.mode() == pki.Server, Urgent: len(m.active) < 2}
}

// Introduction draws whom a joiner is introduced to: this node and some of its peers.
func (m *Machine) Introduction(joiner pki.ID) []*view.Contact {
	others := m.introduce(joiner)
	return append([]*view.Contact{m.contact}, others[:min(len(others), MaxIntroduced-1)]...)
}

// Find gives the contact of a peer by the pin that a token carries of it.
func (m *Machine) Find(pin pki.Pin) (*view.Contact, bool) {
	for _, e := range m.view.Entries() {
		if e.ID.Pin() == pin {
			return e.Contact, true
		}
	}
	return nil, false
}

// Hosts are the IP addresses at which members are known, those that rest in the reserve among them.
func (m *Machine) Hosts() map[netip.Addr]struct{} {
	hosts := map[netip.Addr]struct{}{}
	add := func(addresses []string) {
		for _, a := range addresses {
			if p, err := netip.ParseAddrPort(a); err == nil {
				hosts[p.Addr().Unmap()] = struct{}{}
			}
		}
	}
	for _, e := range m.view.Entries() {
		add(e.Addresses)
	}
	for _, a := range m.reserve.entries {
		add(a.Addresses)
	}
	return hosts
}

func (m *Machine) rebuildTrust() {
	t := &pki.Trust{Genesis: m.cfg.Genesis, MinEpoch: map[pki.ID]uint64{}}
	for _, e := range m.view.Entries() {
		if e.MinEpoch > 0 {
			t.MinEpoch[e.ID] = e.MinEpoch
		}
	}
	m.trust = t
	m.effects.Trust = true
}

// reserve keeps where members could be reached once, ordered by ID, at most MaxReserve.
type reserve struct {
	entries []Address
	dirty   bool
}

func newReserve(saved []Address, now time.Time) reserve {
	var r reserve
	for _, a := range saved {
		if now.Sub(time.Unix(a.Heard, 0)) <= ReserveLife {
			r.entries = append(r.entries, a)
		}
	}
	slices.SortFunc(r.entries, func(a, b Address) int { return a.ID.Compare(b.ID) })
	return r
}

func (r *reserve) find(id pki.ID) (int, bool) {
	return slices.BinarySearchFunc(r.entries, id, func(a Address, id pki.ID) int { return a.ID.Compare(id) })
}

func (r *reserve) has(id pki.ID) bool {
	_, ok := r.find(id)
	return ok
}

func (r *reserve) addresses(id pki.ID) []string {
	if i, ok := r.find(id); ok {
		return r.entries[i].Addresses
	}
	return nil
}

// keep takes a contact's addresses. In a full reserve the one heard longest ago makes place.
func (r *reserve) keep(now time.Time, c *view.Contact) {
	i, ok := r.find(c.ID)
	if ok && slices.Equal(r.entries[i].Addresses, c.Addresses) || len(c.Addresses) == 0 {
		return
	}
	r.dirty = true
	if ok {
		r.entries[i].Addresses = c.Addresses
		return
	}
	if len(r.entries) >= MaxReserve {
		oldest := 0
		for k, a := range r.entries {
			if a.Heard < r.entries[oldest].Heard {
				oldest = k
			}
		}
		r.entries = slices.Delete(r.entries, oldest, oldest+1)
		i, _ = r.find(c.ID)
	}
	r.entries = slices.Insert(r.entries, i, Address{ID: c.ID, Addresses: c.Addresses, Heard: now.Unix()})
}

func (r *reserve) heard(now time.Time, id pki.ID) {
	if i, ok := r.find(id); ok {
		r.entries[i].Heard = now.Unix()
		r.dirty = true
	}
}

// list is a copy for the disk.
func (r *reserve) list() []Address {
	r.dirty = false
	return slices.Clone(r.entries)
}

// refresh renews the time of every address whose peer is alive, at most once an hour each.
func (r *reserve) refresh(now time.Time, v *view.View) {
	for _, e := range v.Entries() {
		if i, ok := r.find(e.ID); ok && e.State == view.Alive && now.Unix()-r.entries[i].Heard > 3600 {
			r.heard(now, e.ID)
		}
	}
}
