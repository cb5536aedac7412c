package gossip

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"net/netip"
	"slices"
	"time"

	"github.com/g2g-net/g2g/node/view"
	"github.com/g2g-net/g2g/pki"
)

// look judges the peers, and once a second sees to the active peers and the reserve.
func (m *Machine) look(now time.Time) {
	m.judge(now)
	m.askAgain(now)
	m.nextLook = now.Add(m.nextJudgement(now))
	if now.Before(m.nextRound) {
		if m.stirred.Equal(now) {
			m.nextLook = earliest(m.nextLook, m.nextRound)
		}
		return
	}
	m.nextRound = now.Add(m.looksApart(now) + roundSlack) // or with a beat before that: no round has a turn of its own between two of them for long
	for _, id := range m.view.Look(now) {
		m.forget(now, id)
	}
	m.unlink()
	m.sweep()
	m.seek(now)
	m.askUnreachable(now)
	m.askSilent(now)
	m.dialReserve(now)
	m.visit(now)
	m.verifyObserved(now)
	m.measure(now)
	m.tellOrder()
	if !now.Before(m.nextPrune) {
		m.nextPrune = now.Add(time.Minute)
		m.prune(now)
		m.unpace(now)
	}
	if m.reserve.dirty && !now.Before(m.nextSaveReserve) {
		m.saveReserve(now)
	}
}

func (m *Machine) saveReserve(now time.Time) {
	m.nextSaveReserve = now.Add(saveReserve)
	m.effects.Save.ReserveChanged = true
}

// aliveChanged notes that the alive set may be another one. Its hash is made when somebody asks for it, once for all that changed.
func (m *Machine) aliveChanged(now time.Time) {
	m.aliveNew = now
	m.reorder()
}

// alive is the hash over everybody alive here, this node among them.
func (m *Machine) alive() uint64 {
	if m.aliveNew.IsZero() {
		return m.aliveHash
	}
	if hash := m.hashAlive(); hash != m.aliveHash {
		m.aliveHash, m.aliveAt = hash, m.aliveNew
	}
	m.aliveNew = time.Time{}
	return m.aliveHash
}

func (m *Machine) hashAlive() uint64 {
	ids, all, untold := m.room.ids[:0], m.view.IDs(), m.mode() == pki.Server
	for i, e := range m.view.Walk() {
		if untold && m.id.Compare(all[i]) < 0 {
			ids = append(ids, m.id[:]...)
			untold = false
		}
		if e.State == view.Alive && e.Server() {
			ids = append(ids, all[i][:]...)
		}
	}
	if untold {
		ids = append(ids, m.id[:]...)
	}
	m.room.ids = ids
	sum := sha256.Sum256(ids)
	return binary.BigEndian.Uint64(sum[:])
}

// forget drops a peer that had to make place.
func (m *Machine) forget(now time.Time, id pki.ID) {
	m.deactivate(id)
	m.believe(id)
	m.detector.Forget(id)
	delete(m.attempts, id)
	m.aliveChanged(now)
}

// seek asks peers of the view to become active, until there are enough.
func (m *Machine) seek(now time.Time) {
	m.mix(now)
	want := m.wantActive(now)
	if len(m.active) >= want {
		return
	}
	if len(m.active) < fewActive {
		m.sought = nil // it may have been drawn of the few whom one member had introduced
	}
	joining := m.joining()
	for len(m.active)+joining < want && joining < firstDials {
		id, ok := m.nextSought(now)
		if !ok {
			return
		}
		joining++
		m.join(now, id)
	}
}

// joining is how many peers of the view are being joined.
func (m *Machine) joining() (n int) {
	for _, c := range m.calls {
		if _, join := c.req.(JoinRequest); join && m.view.Get(c.to) != nil {
			n++
		}
	}
	return n
}

// nextSought is a peer to join. One look at all of them finds the next few: most say no where everybody has enough.
func (m *Machine) nextSought(now time.Time) (pki.ID, bool) {
	if now.Sub(m.soughtAt) > soughtFor {
		m.sought = nil
	}
	if id, ok := m.takeSought(now); ok {
		return id, true
	}
	m.drawSought(now)
	return m.takeSought(now)
}

// takeSought takes the first that may still be joined, of those drawn.
func (m *Machine) takeSought(now time.Time) (pki.ID, bool) {
	return takeFirst(&m.sought, func(id pki.ID) bool {
		e := m.view.Get(id)
		return e != nil && !m.Active(id) && m.joinable(now, e, m.attempts[id])
	})
}

// takeFirst takes the first of a list that is still good, and throws away those before it.
func takeFirst[T any](list *[]T, good func(T) bool) (one T, ok bool) {
	for len(*list) > 0 {
		one, *list = (*list)[0], (*list)[1:]
		if good(one) {
			return one, true
		}
	}
	var none T
	return none, false
}

func (m *Machine) joinable(now time.Time, e *view.Entry, a *attempt) bool {
	return e.Server() && !e.State.Fallen() && (a == nil || !a.joining && m.due(now, a))
}

// drawSought draws soughtAtOnce of those that may be joined.
func (m *Machine) drawSought(now time.Time) {
	candidates := m.room.places[:0] // places in the view
	active, all := ascending(m.active), m.view.IDs()
	for i, e := range m.view.Walk() {
		if !active.has(all[i]) && m.joinable(now, e, m.attempts[all[i]]) {
			candidates = append(candidates, i)
		}
	}
	m.room.places = candidates
	m.cfg.Random.Shuffle(len(candidates), func(i, j int) { candidates[i], candidates[j] = candidates[j], candidates[i] })
	if len(m.active) >= fewActive { // whom this node visited, which were drawn at random as well: that needs no handshake
		first := 0
		for k, i := range candidates {
			if m.connected(now, all[i]) {
				candidates[first], candidates[k] = i, candidates[first]
				first++
			}
		}
	}
	m.sought, m.soughtAt = make([]pki.ID, 0, min(len(candidates), soughtAtOnce)), now
	for _, i := range candidates[:cap(m.sought)] {
		m.sought = append(m.sought, all[i])
	}
}

// mix parts now and then with one active peer where there are as many as there may be, in a network that is larger than a view. Two halves of it
// that were apart for long would else find each other, and no place for a link from one to the other.
func (m *Machine) mix(now time.Time) {
	switch {
	case len(m.active) < MaxActive || !m.view.Full():
	case m.nextMix.IsZero():
		m.nextMix = now.Add(m.spread(mixEvery))
	case !now.Before(m.nextMix):
		m.nextMix = now.Add(m.spread(mixEvery))
		m.part(now, m.active[m.cfg.Random.IntN(len(m.active))])
	}
}

// askUnreachable asks one peer, if its time has come, that could not be reached from here while its beats went on by others. A mark
// that was never looked at again would leave the peer to its age alone.
func (m *Machine) askUnreachable(now time.Time) {
	if !m.unreachable {
		return
	}
	m.unreachable = false
	for _, e := range m.view.Entries() {
		m.unreachable = m.unreachable || e.Unreachable
		if e.Unreachable && judgeable(e) && m.doubts[e.ID] == nil && !m.attempt(e.ID).joining && m.due(now, m.attempt(e.ID)) {
			m.sendProbe(now, e)
			return
		}
	}
}

// wantActive is how many active peers to seek now: a few at once, then one now and then, since each costs a handshake in both
// directions. The last places are asked for seldom: in most networks everybody else has enough, too, and would say no.
func (m *Machine) wantActive(now time.Time) int {
	switch {
	case m.mode() == pki.Client:
		return clientActive
	case m.busy(now):
		return startActive
	case len(m.active) < soonActive:
		return soonActive
	case now.Before(m.nextTopUp):
		return 0
	}
	m.nextTopUp = now.Add(m.spread(lastRetry))
	if len(m.active) < enoughActive {
		m.nextTopUp = now.Add(m.spread(topUpEvery))
	}
	return min(len(m.active)+1, MaxActive)
}

// join introduces this node to a peer.
func (m *Machine) join(now time.Time, id pki.ID) {
	a := m.attempt(id)
	a.joining, a.tried = true, now
	m.send(now, id, m.Greeting(now))
	if m.busy(now) {
		m.effects.Sends[len(m.effects.Sends)-1].Timeout = busyJoinTimeout
	}
}

// dialReserve tries addresses of members that are not in the view, the one tried longest ago first: three a look while nobody
// is reached, else one a reserveEvery, or where all of them were lost long ago a reserveLater, or a reserveCalm. It is what makes two halves of
// a network one again.
func (m *Machine) dialReserve(now time.Time) {
	if len(m.active) == 0 {
		n := isolatedDials
		if m.published.IsZero() || m.beat.Sequence <= 1 {
			n = firstDials // the first look after a start
		}
		m.dialLost(now, n)
		m.nextReserve = now.Add(reserveEvery)
		return
	}
	if now.Before(m.nextReserve) {
		return
	}
	candidates, recent, fallen := m.lost(now, 1)
	if m.nextReserve = now.Add(reserveEvery); len(candidates) == 0 {
		return
	}
	switch {
	case recent:
	case m.calm(now) && !fallen:
		m.nextReserve = now.Add(reserveCalm)
	default:
		m.nextReserve = now.Add(reserveLater)
	}
	for _, id := range candidates {
		m.join(now, id)
	}
}

// A candidate is a member of the reserve that this node may dial.
type candidate struct {
	id       pki.ID
	stranger bool // to a full view, which has no place for it
	tried    time.Time
	draw     uint64 // decides between those that were tried at one time
}

func (a candidate) compare(b candidate) int {
	switch {
	case a.stranger == b.stranger:
		return cmp.Or(a.tried.Compare(b.tried), cmp.Compare(a.draw, b.draw))
	case a.stranger:
		return 1
	}
	return -1 // who is held for dead may be back, and none of those with whom this node talks may hold it
}

// lost are at most so many members of the reserve that this node neither reaches nor has tried just now, the one tried longest ago
// first, whether one of all of them was alive not long ago, and whether one is still held that is dead. In a network that is larger than a view
// most of the reserve is only not in it, and nobody is lost: recent then tells of those who died.
func (m *Machine) lost(now time.Time, most int) (ids []pki.ID, recent, fallen bool) {
	first := make([]candidate, 0, most+1)
	full, held, all, k := m.view.Full(), m.view.Walk(), m.view.IDs(), 0
	for i := range m.reserve.entries { // both are ordered, so that one walk goes along with the other
		a := &m.reserve.entries[i]
		for k < len(all) && all[k].Compare(a.ID) < 0 {
			k++
		}
		there := k < len(all) && all[k] == a.ID
		if there && held[k].State != view.Dead && held[k].State != view.Unheard {
			continue
		}
		fallen = fallen || there && held[k].State == view.Dead
		c := candidate{id: a.ID, stranger: full && !there, draw: m.cfg.Random.Uint64()}
		if t := m.attempts[a.ID]; t != nil {
			c.tried = t.tried
			lately := now.Sub(t.tried) < isolatedRetry
			if len(m.active) == 0 { // whom it dialled may only have been about to start
				lately = !m.due(now, t)
			}
			if t.joining || lately {
				continue
			}
		}
		recent = recent || (there || !full) && now.Unix()-a.Heard < int64(recentlyLost/time.Second)
		at, _ := slices.BinarySearchFunc(first, c, candidate.compare)
		if at < most {
			first = slices.Insert(first, at, c)
			first = first[:min(most, len(first))]
		}
	}
	for _, c := range first {
		ids = append(ids, c.id)
	}
	return ids, recent, fallen
}

// Introduce takes the contacts that an acceptor gave to this joiner. They are saved at once: a member that is killed now and
// knows no address would stay alone.
func (m *Machine) Introduce(now time.Time, from pki.ID, contacts []*view.Contact) {
	m.learnAll(now, from, contacts)
	m.saveReserve(now)
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
	return JoinRequest{Contact: m.contact, Beat: m.ownBeat(now), Active: m.mode() == pki.Server, Urgent: len(m.active) < fewActive}
}

// Introduction draws whom a joiner is introduced to: this node and some of its peers.
func (m *Machine) Introduction(joiner pki.ID) []*view.Contact {
	others := m.introduce(joiner)
	return append([]*view.Contact{m.contact}, others[:min(len(others), MaxIntroduced-1)]...)
}

// Addresses are where a peer can be dialled, by its contact or by the reserve.
func (m *Machine) Addresses(id pki.ID) []string {
	if e := m.view.Get(id); e != nil {
		return e.Addresses
	}
	return m.reserve.addresses(id)
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
	epochs := m.view.MinEpochs()
	for _, a := range m.reserve.entries {
		if a.MinEpoch > epochs[a.ID] {
			epochs[a.ID] = a.MinEpoch
		}
	}
	m.trust = &pki.Trust{Genesis: m.cfg.Genesis, MinEpoch: epochs}
	m.effects.Trust = true
}
