package gossip

import (
	"fmt"
	"time"

	"github.com/g2g-net/g2g/node/view"
	"github.com/g2g-net/g2g/pki"
)

// next is the epoch or the incarnation after one. It never goes back, also not behind a backup that is restored: peers
// would take what follows for old.
func next(number uint64, now time.Time) uint64 {
	return max(number+1, uint64(max(0, now.Unix())))
}

// climb begins a new incarnation with a new ladder, and publishes the contact that goes with it. On error the old ones stand:
// beats of a ladder whose anchor nobody was told would be taken for lies.
func (m *Machine) climb(now time.Time) error {
	own, ladder, beat := m.own, m.ladder, m.beat
	m.own.Incarnation = next(m.own.Incarnation, now)
	higher, err := view.NewLadder(m.cfg.Secrets, m.ID(), m.own.Incarnation)
	if err == nil {
		m.ladder, m.beat = higher, view.Beat{}
		err = m.publish(now)
	}
	if err != nil {
		m.own, m.ladder, m.beat = own, ladder, beat
		return fmt.Errorf("begin incarnation: %w", err)
	}
	return nil
}

// publish makes and tells a new contact. On error the old one stands.
func (m *Machine) publish(now time.Time) error {
	sequence := max(m.own.Sequence+1, uint64(max(0, now.UnixMilli())))
	c, err := m.cfg.Seal(view.Contact{
		Name: m.cfg.Name, Mode: m.cfg.Chain.Mode(), Sequence: sequence, NotAfter: now.Add(contactLives * m.cfg.LeafLife).Unix(),
		Epoch: m.own.Epoch, MinEpoch: m.own.MinEpoch, Incarnation: m.own.Incarnation, Anchor: m.ladder.Anchor(), Period: m.cfg.Period,
		Addresses: m.cfg.Addresses, Services: m.services.addresses(), Serves: m.cfg.Serves, Chain: m.cfg.Chain, Left: m.left,
	})
	if err != nil {
		return fmt.Errorf("publish contact: %w", err)
	}
	m.own.Sequence, m.contact = sequence, c
	own := m.own
	m.effects.Save.Own = &own
	m.queue(now, m.ID())
	if m.mode() == pki.Client && !m.left {
		for _, id := range m.active { // nobody passes a client's contact on
			m.join(now, id)
		}
	}
	return nil
}

// tellActive tells this node's contact to every active peer, beside what is pushed on.
func (m *Machine) tellActive(now time.Time) {
	for _, id := range m.active {
		if m.mode() == pki.Client {
			m.send(now, id, JoinRequest{Contact: m.contact})
		} else {
			m.send(now, id, PushRequest{Contacts: []*view.Contact{m.contact}})
		}
	}
}

// Leave says goodbye: the contact says so from now on, and the active peers are told at once.
func (m *Machine) Leave(now time.Time) {
	if m.left {
		return
	}
	m.left = true
	if err := m.publish(now); err != nil {
		m.notice(KindLeft, Error, pki.ID{}, "%v", err)
		return
	}
	m.saveReserve(now)
	m.pending = nil
	m.tellActive(now)
}
