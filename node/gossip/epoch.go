package gossip

import (
	"time"

	"github.com/g2g-net/g2g/pki"
)

// Rotate begins a new epoch: the driver mints the leaf that belongs to it, then performs the effects.
func (m *Machine) Rotate(now time.Time) (epoch uint64, err error) {
	old := m.own.Epoch
	m.own.Epoch = next(old, now)
	if err := m.publish(now); err != nil {
		m.own.Epoch = old
		return 0, err
	}
	m.accepted = false
	return m.own.Epoch, nil
}

// LeafRefused takes note that a peer refused this node's leaf because this node revoked its epoch: so it did in a run that this
// folder, a restored backup, knows nothing of. Where nobody has answered since the epoch began it begins a new one, and
// tries all peers again. What the peer says of epochs is not believed, so that a liar can cause no more than that.
func (m *Machine) LeafRefused(now time.Time) {
	if m.accepted || m.left || now.Before(m.nextRenewal) {
		return
	}
	m.nextRenewal = now.Add(renewalSpacing)
	old := m.own.Epoch
	if _, err := m.Rotate(now); err != nil {
		m.notice(KindRotated, Error, pki.ID{}, "%v", err)
		return
	}
	m.notice(KindRotated, Warning, pki.ID{}, "peers hold epoch %d for revoked: a restored backup; a later one begins", old)
	for _, a := range m.attempts { // the order decides nothing: each is changed alone
		a.next, a.tried = time.Time{}, time.Time{}
	}
}

// RevokeLeaves has every leaf of this node refused that is older than the one in use, on open connections too. The driver has
// shown the new leaf to the active peers before. They are all told at once.
func (m *Machine) RevokeLeaves(now time.Time) error {
	old := m.own.MinEpoch
	m.own.MinEpoch = m.own.Epoch
	if err := m.publish(now); err != nil {
		m.own.MinEpoch = old
		return err
	}
	m.tellActive(now)
	m.stir(now)
	return nil
}
