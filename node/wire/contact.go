package wire

import (
	"bytes"
	"errors"
	"fmt"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/g2g-net/g2g/node/view"
	"github.com/g2g-net/g2g/pki"
	"github.com/g2g-net/g2g/proto/gossippb"
)

// MaxContactLife bounds how far ahead of this clock a contact's not_after may lie. Contacts live for three leaf lives.
const MaxContactLife = 90 * 24 * time.Hour

// Contact accepts the contact of a member.
func (g *Gate) Contact(now time.Time, pb *gossippb.Envelope) (*view.Contact, error) {
	return g.contact(now, pb, checkMember)
}

// JoinerContact accepts the contact of a stranger who asks for admission: one with no chain, and the mode that it asks for.
func (g *Gate) JoinerContact(now time.Time, pb *gossippb.Envelope) (*view.Contact, error) {
	return g.contact(now, pb, checkJoiner)
}

func checkMember(c *view.Contact) error {
	switch {
	case c.Chain.IsZero():
		return errors.New("it has no chain")
	case c.Chain.Subject() != c.Key:
		return fmt.Errorf("the chain is %s's", c.Chain.Subject().ID().Short())
	case c.Chain.Mode() != c.Mode:
		return fmt.Errorf("it says %s mode, its chain %s mode", c.Mode, c.Chain.Mode())
	}
	return nil
}

func checkJoiner(c *view.Contact) error {
	if !c.Chain.IsZero() {
		return errors.New("it has a chain already")
	}
	return nil
}

// contact verifies the seal, then parses, then checks what the clock and the place of the message ask for.
func (g *Gate) contact(now time.Time, pb *gossippb.Envelope, standing func(*view.Contact) error) (*view.Contact, error) {
	e, err := ParseEnvelope(pb)
	if err != nil {
		return nil, fmt.Errorf("read contact: %w", err)
	}
	hash := envelopeHash(e)
	c, known := g.contacts.get(hash)
	if known {
		g.counts.known.Add(1)
	} else {
		g.counts.contacts.Add(1)
		if c, err = g.open(e); err != nil {
			return nil, fmt.Errorf("read contact: %w", err)
		}
	}
	if err = standing(c); err == nil {
		err = checkLife(now, c.NotAfter)
	}
	if err != nil {
		return nil, fmt.Errorf("read contact of %s: %w", c.ID.Short(), err)
	}
	if !known {
		g.contacts.put(hash, c)
	}
	return c, nil
}

// open does all that does not depend on the clock.
func (g *Gate) open(e pki.Envelope) (*view.Contact, error) {
	if err := e.Verify(pki.DomainContact, g.network); err != nil {
		return nil, err
	}
	var pb gossippb.Contact
	if err := proto.Unmarshal(e.Payload, &pb); err != nil {
		return nil, errors.New("the payload is no contact")
	}
	if !bytes.Equal(pb.GetNetwork(), g.network[:]) {
		return nil, errors.New("it names another network")
	}
	if !bytes.Equal(pb.GetKey(), e.Key[:]) {
		return nil, errors.New("it names another key than the one that sealed it")
	}
	c, err := parseContact(&pb)
	if err != nil {
		return nil, err
	}
	if len(pb.GetChain()) > 0 {
		if c.Chain, err = g.chain(pb.GetChain()); err != nil {
			return nil, err
		}
	}
	c.Key, c.ID, c.Sealed = e.Key, e.Key.ID(), e
	return c, nil
}

// parseContact takes the fields that stand for themselves.
func parseContact(pb *gossippb.Contact) (*view.Contact, error) {
	if low, high := pb.GetProtocolMin(), pb.GetProtocolMax(); !speaks(low, high) {
		return nil, fmt.Errorf("it speaks protocol %d to %d, this node %d", low, high, ProtocolVersion)
	}
	m, err := parseMode(pb.GetMode())
	if err != nil {
		return nil, err
	}
	if len(pb.GetAnchor()) != len(view.Link{}) {
		return nil, fmt.Errorf("anchor of %d bytes where %d are needed", len(pb.GetAnchor()), len(view.Link{}))
	}
	c := &view.Contact{
		Name:        pb.GetName(),
		Mode:        m,
		Sequence:    pb.GetSequence(),
		NotAfter:    pb.GetNotAfter(),
		Epoch:       pb.GetEpoch(),
		MinEpoch:    pb.GetMinEpoch(),
		Incarnation: pb.GetIncarnation(),
		Anchor:      view.Link(pb.GetAnchor()),
		Period:      time.Duration(pb.GetPeriodMs()) * time.Millisecond,
		Addresses:   pb.GetAddresses(),
		Services:    pb.GetServices(),
		Serves:      pb.GetServes(),
		Left:        pb.GetLeft(),
	}
	return c, checkFields(c)
}

// speaks tells whether a range of protocol versions holds the one spoken here.
func speaks(low, high uint32) bool { return low <= ProtocolVersion && ProtocolVersion <= high }

// checkFields reports what is wrong with the fields of a contact, whoever made it.
func checkFields(c *view.Contact) error {
	if err := pki.CheckName(c.Name); err != nil {
		return err
	}
	switch {
	case !c.Mode.Valid():
		return fmt.Errorf("unknown %s", c.Mode)
	case c.Sequence == 0:
		return errors.New("sequence 0 where 1 is the first")
	case c.Incarnation == 0:
		return errors.New("incarnation 0 where 1 is the first")
	case c.Epoch < c.MinEpoch:
		return fmt.Errorf("epoch %d is below its own lowest accepted, %d", c.Epoch, c.MinEpoch)
	case c.Period < view.MinPeriod || c.Period > view.MaxPeriod:
		return fmt.Errorf("period of %s where %s to %s are allowed", c.Period, view.MinPeriod, view.MaxPeriod)
	case c.Mode == pki.Client && len(c.Addresses) > 0:
		return errors.New("a client-mode member has no addresses")
	}
	if err := checkAddresses("addresses", c.Addresses, view.MaxAddresses); err != nil {
		return err
	}
	if err := checkAddresses("services", c.Services, view.MaxServices); err != nil {
		return err
	}
	return checkServes(c)
}

// checkServes reports what is wrong with what a contact says is served. Names are ordered, so that none stands twice.
func checkServes(c *view.Contact) error {
	switch {
	case len(c.Serves) > view.MaxServes:
		return fmt.Errorf("%d names of gRPC services are over the bound of %d", len(c.Serves), view.MaxServes)
	case c.Mode == pki.Client && len(c.Serves) > 0:
		return errors.New("a client-mode member serves nothing")
	}
	for i, name := range c.Serves {
		if err := pki.CheckServiceName(name); err != nil {
			return err
		}
		if i > 0 && name <= c.Serves[i-1] {
			return fmt.Errorf("service name %q: it stands twice, or before one that comes first", name)
		}
	}
	return nil
}

// checkAddresses reports the first address that nobody can dial, that stands twice or that is one too many.
func checkAddresses(what string, list []string, bound int) error {
	if len(list) > bound {
		return fmt.Errorf("%d %s are over the bound of %d", len(list), what, bound)
	}
	seen := make(map[string]bool, len(list))
	for _, a := range list {
		if err := pki.CheckAddress(a); err != nil {
			return fmt.Errorf("%s: %w", what, err)
		}
		if seen[a] {
			return fmt.Errorf("%s: %q stands twice", what, a)
		}
		seen[a] = true
	}
	return nil
}

// untimely is a contact that is good but for what this clock says of it.
type untimely string

func (u untimely) Error() string { return string(u) }

func checkLife(now time.Time, notAfter int64) error {
	switch at := now.Unix(); {
	case now.Add(-pki.Tolerance).Unix() > notAfter:
		return untimely(fmt.Sprintf("it expired %s ago", pki.Span(at-max(notAfter, 0))))
	case now.Add(MaxContactLife).Unix() < notAfter:
		return untimely(fmt.Sprintf("it lives for more than %d days: is a clock wrong?", MaxContactLife/(24*time.Hour)))
	}
	return nil
}
