package node

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"time"

	"github.com/g2g-net/g2g/node/gossip"
	"github.com/g2g-net/g2g/node/transport"
	"github.com/g2g-net/g2g/node/view"
	"github.com/g2g-net/g2g/node/wire"
	"github.com/g2g-net/g2g/pki"
)

// nominatorTimeout bounds how long an acceptor asks the nominator of a joiner's token, and peekTimeout how long it looks for one
// that it does not know: together less than the transport.UnprovenLife of a joiner that has proved nothing yet.
const (
	nominatorTimeout = 5 * time.Second
	peekTimeout      = 3 * time.Second
)

// Network is what this node shows to a joiner.
func (n doors) Network() (pki.Genesis, *view.Contact) {
	return n.member.Load().genesis, n.contact.Load()
}

// Accept brings the nominator's decision on a joiner: of this node, or of another over mutual TLS. Proven tells that the
// joiner holds the token that a nomination known here names.
func (n doors) Accept(ctx context.Context, reg wire.Registration, observed string) (chain pki.Chain, proven bool, err error) {
	if err := reg.Claim.Verify(); err != nil {
		n.refused(reg, false, err)
		return pki.Chain{}, false, err
	}
	if reg.Claim.Nominator == n.ID().Pin() {
		chain, err = n.Decide(ctx, reg.Claim)
		return chain, err == nil, err
	}
	nominator, proven, err := n.nominator(ctx, reg, observed)
	if proven && err == nil {
		err = transport.Proven(ctx) // asking may take longer than strangers have
	}
	if err == nil {
		chain, err = n.askNominator(ctx, reg, nominator)
	}
	if err != nil {
		n.refused(reg, proven, err)
	}
	return chain, proven || err == nil, err
}

// refused tells this node's operator why.
func (n *Node) refused(reg wire.Registration, proven bool, err error) {
	if refusal, ok := errors.AsType[*pki.Refusal](err); ok {
		proven = proven || refusal.Proven
	}
	n.tell(gossip.Notice{
		Kind: gossip.KindRefused, Severity: gossip.Warning, Peer: reg.Contact.ID, Name: reg.Contact.Name, Unproven: !proven,
		Detail: fmt.Sprintf("token %s: %v", reg.Claim.Binding.Token, err),
	})
}

// nominator finds the member that made the token: by the nomination, in the view, or at the addresses that the joiner forwarded.
func (n *Node) nominator(ctx context.Context, reg wire.Registration, observed string) (c *view.Contact, proven bool, err error) {
	var known bool
	if err := n.do(ctx, func(_ time.Time, m *gossip.Machine) {
		nomination, ok := m.Nomination(reg.Claim.Binding.Token)
		proven = ok && nomination.TokenKey == reg.Claim.TokenKey && nomination.Nominator.ID().Pin() == reg.Claim.Nominator
		c, known = m.Find(reg.Claim.Nominator)
	}); err != nil {
		return nil, false, err
	}
	if known {
		return c, proven, nil
	}
	c, err = n.peek(ctx, reg, observed)
	return c, proven, err
}

// peek finds a nominator that is not in the view. A stranger names the addresses, so loopback and link-local ones are dialled
// only for a joiner that came from there, and nothing is sent but a hello.
func (n *Node) peek(ctx context.Context, reg wire.Registration, observed string) (*view.Contact, error) {
	ctx, cancel := context.WithTimeout(ctx, peekTimeout)
	defer cancel()
	network := n.member.Load().genesis.Network().Pin()
	var errs []error
	for _, address := range reg.Addresses {
		c, err := n.peekAt(ctx, address, observed, network)
		if err == nil && c.ID.Pin() == reg.Claim.Nominator {
			return c, nil
		}
		errs = append(errs, err)
	}
	return nil, fmt.Errorf("the token's nominator is not known here and could not be reached: %w", errors.Join(errs...))
}

func (n *Node) peekAt(ctx context.Context, address, observed string, network pki.Pin) (*view.Contact, error) {
	ctx, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	conn, leaf, err := transport.DialRegistration(ctx, n.dialFor(observed), address, network)
	if err != nil {
		return nil, err
	}
	defer func() { _ = conn.Close() }()
	welcome, err := transport.Peek(ctx, conn, leaf, network)
	if err != nil {
		return nil, err
	}
	return welcome.Contact, nil
}

// dialFor dials for somebody whose host was observed. What a name leads to is judged like an address, before a byte is sent.
func (n *Node) dialFor(observed string) transport.Dialer {
	return func(ctx context.Context, address string) (net.Conn, error) {
		if err := dialable(address, observed); err != nil {
			return nil, err
		}
		conn, err := n.opt.Dial(ctx, address)
		if err != nil {
			return nil, err
		}
		if err := dialable(conn.RemoteAddr().String(), observed); err != nil {
			_ = conn.Close()
			return nil, err
		}
		return conn, nil
	}
}

// dialable refuses to be sent to this host's own or its link's services by somebody who is not there.
func dialable(address, observed string) error {
	a, err := netip.ParseAddrPort(address)
	if err != nil {
		return nil //nolint:nilerr // a name: dialFor judges what it leads to
	}
	to := a.Addr().Unmap()
	from, err := netip.ParseAddr(observed)
	switch {
	case to.IsUnspecified() || to.IsMulticast():
		return fmt.Errorf("address %s is nobody's", address)
	case to.IsLoopback() && (err != nil || !from.IsLoopback()):
		return fmt.Errorf("address %s is loopback, the joiner came from %s", address, observed)
	case to.IsLinkLocalUnicast() && (err != nil || !from.IsLinkLocalUnicast()):
		return fmt.Errorf("address %s is link-local, the joiner came from %s", address, observed)
	}
	return nil
}

func (n *Node) askNominator(ctx context.Context, reg wire.Registration, nominator *view.Contact) (pki.Chain, error) {
	ctx, cancel := context.WithTimeout(ctx, nominatorTimeout)
	defer cancel()
	m := n.member.Load()
	conn, err := m.pool.Conn(nominator.ID, nominator.Addresses)
	if err != nil {
		return pki.Chain{}, err
	}
	chain, err := transport.AskClaim(ctx, conn, m.gate, nominator.ID, reg)
	if refusal, ok := errors.AsType[*pki.Refusal](err); ok {
		return pki.Chain{}, refusal
	}
	if err != nil {
		return pki.Chain{}, fmt.Errorf("its nominator %s (%s) cannot be reached: %w", nominator.Name, nominator.ID.Short(), err)
	}
	return chain, nil
}

// Peers are whom a joiner is introduced to.
func (n doors) Peers(ctx context.Context, joiner pki.ID) (out []*view.Contact) {
	_ = n.do(ctx, func(_ time.Time, m *gossip.Machine) { out = m.Introduction(joiner) })
	return out
}

// DialBack dials a server-mode joiner back, expecting exactly its identity, and exchanges the first data with it. A client-mode
// joiner has no listener: it comes by itself.
func (n doors) DialBack(ctx context.Context, contact *view.Contact, observed string) error {
	if contact.Mode == pki.Client {
		return nil
	}
	err := n.dialBack(ctx, contact, observed)
	if err != nil {
		n.tell(gossip.Notice{
			Kind: gossip.KindUnreached, Severity: gossip.Warning, Peer: contact.ID, Name: contact.Name,
			Detail: fmt.Sprintf("admitted here, but %v", err),
		})
	}
	return err
}

func (n *Node) dialBack(ctx context.Context, contact *view.Contact, observed string) error {
	addresses := slices.DeleteFunc(slices.Clone(contact.Addresses), func(a string) bool { return dialable(a, observed) != nil })
	if len(addresses) == 0 {
		return fmt.Errorf("dial back: none of %v can be dialled from here", contact.Addresses)
	}
	m := n.member.Load()
	conn, err := m.pool.Conn(contact.ID, addresses)
	if err != nil {
		return fmt.Errorf("dial back: %w", err)
	}
	var greeting gossip.JoinRequest
	if err := n.do(ctx, func(now time.Time, m *gossip.Machine) { greeting = m.Greeting(now) }); err != nil {
		return fmt.Errorf("dial back: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, 2*gossip.CallTimeout)
	defer cancel()
	resp, err := transport.Ask(ctx, conn, m.gate, greeting)
	if err != nil {
		return fmt.Errorf("dial back to %v: %w", addresses, err)
	}
	return n.do(ctx, func(now time.Time, m *gossip.Machine) { m.Meet(now, contact, resp.(gossip.JoinResponse)) })
}
