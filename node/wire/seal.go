package wire

import (
	"fmt"
	"slices"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/g2g-net/g2g/node/view"
	"github.com/g2g-net/g2g/pki"
	"github.com/g2g-net/g2g/proto/gossippb"
)

// SealContact seals what a node says about itself, and returns it with ID, Key and Sealed filled in. It refuses what a gate
// would refuse, but for what a gate asks of the clock.
func SealContact(identity *pki.Identity, network pki.NetworkID, c view.Contact) (*view.Contact, error) {
	sealed, err := payload(identity, network, c)
	if err != nil {
		return nil, fmt.Errorf("seal contact: %w", err)
	}
	if sealed.Sealed, err = identity.Seal(pki.DomainContact, network, sealed.Sealed.Payload); err != nil {
		return nil, fmt.Errorf("seal contact: %w", err)
	}
	return sealed, nil
}

// payload is the contact with all but its seal.
func payload(identity *pki.Identity, network pki.NetworkID, c view.Contact) (*view.Contact, error) {
	c.Key, c.ID = identity.Key(), identity.ID()
	// A contact is immutable.
	c.Addresses, c.Services, c.Serves = slices.Clone(c.Addresses), slices.Clone(c.Services), slices.Clone(c.Serves)
	if err := checkOwn(&c); err != nil {
		return nil, err
	}
	b, err := proto.Marshal(contactPayload(network, &c))
	if err != nil {
		return nil, err
	}
	if len(b) > pki.MaxPayload {
		return nil, fmt.Errorf("%d bytes are over the bound of %d: %w", len(b), pki.MaxPayload, largestPart(&c))
	}
	c.Sealed = pki.Envelope{Key: c.Key, Payload: b}
	return &c, nil
}

func checkOwn(c *view.Contact) error {
	if err := checkFields(c); err != nil {
		return err
	}
	if c.Period%time.Millisecond != 0 {
		return fmt.Errorf("period of %s is no whole number of milliseconds", c.Period)
	}
	if c.Chain.IsZero() {
		return nil
	}
	return checkMember(c)
}

func contactPayload(network pki.NetworkID, c *view.Contact) *gossippb.Contact {
	return &gossippb.Contact{
		Network:     network[:],
		Key:         c.Key[:],
		Name:        c.Name,
		Mode:        mode(c.Mode),
		Sequence:    c.Sequence,
		NotAfter:    c.NotAfter,
		Epoch:       c.Epoch,
		MinEpoch:    c.MinEpoch,
		Incarnation: c.Incarnation,
		Anchor:      c.Anchor[:],
		PeriodMs:    uint32(c.Period / time.Millisecond), //nolint:gosec // at most view.MaxPeriod
		Addresses:   c.Addresses,
		Services:    c.Services,
		Serves:      c.Serves,
		Chain:       c.Chain.Bytes(),
		Left:        c.Left,
		ProtocolMin: ProtocolVersion,
		ProtocolMax: ProtocolVersion,
	}
}

// largestPart says which part an operator could make smaller.
func largestPart(c *view.Contact) error {
	addresses, services, chain, serves := size(c.Addresses), size(c.Services), len(c.Chain.Bytes()), size(c.Serves)
	switch {
	case serves >= max(addresses, services, chain):
		return fmt.Errorf("the names of its %d gRPC services take %d of them", len(c.Serves), serves)
	case services >= addresses && services >= chain:
		return fmt.Errorf("its %d services take %d of them", len(c.Services), services)
	case addresses >= chain:
		return fmt.Errorf("its %d addresses take %d of them", len(c.Addresses), addresses)
	}
	return fmt.Errorf("its chain of %d links takes %d of them", c.Chain.Depth(), chain)
}

func size(list []string) (n int) {
	for _, s := range list {
		n += len(s)
	}
	return n
}
