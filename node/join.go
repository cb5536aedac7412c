package node

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/g2g-net/g2g/node/admin"
	"github.com/g2g-net/g2g/node/gossip"
	"github.com/g2g-net/g2g/node/transport"
	"github.com/g2g-net/g2g/node/view"
	"github.com/g2g-net/g2g/node/wire"
	"github.com/g2g-net/g2g/pki"
)

// Joined is what became of a registration that was accepted.
type Joined = admin.Joined

// JoinTimeout bounds a whole attempt to join, with all addresses of its token.
const JoinTimeout = 90 * time.Second

// crowdedPause is how long a joiner waits, half of it more or less, where too many join at once.
const crowdedPause = time.Second

// Join registers this node with the network of the token, at the address if one is given. The node must run and belong to
// no network. A token that was used by this very node before admits it again.
func (n *Node) Join(ctx context.Context, token pki.Token, at string) (Joined, error) {
	n.joining.Lock()
	defer n.joining.Unlock()
	if n.member.Load() != nil {
		return Joined{}, fmt.Errorf("join: %w", ErrHasNetwork)
	}
	addresses := token.Addresses
	if at != "" {
		if err := pki.CheckAddress(at); err != nil {
			return Joined{}, fmt.Errorf("join: %w: %w", admin.ErrInvalid, err)
		}
		addresses = []string{at}
	}
	if len(addresses) == 0 {
		return Joined{}, fmt.Errorf("join: %w: the token carries no address, so one must be given", admin.ErrInvalid)
	}
	ctx, cancel := context.WithTimeout(ctx, JoinTimeout)
	defer cancel()
	p, err := n.listen(token.Mode)
	if err != nil {
		return Joined{}, fmt.Errorf("join: %w", err)
	}
	joined, err := n.joinAt(ctx, token, addresses, p)
	if err != nil && n.member.Load() == nil {
		p.close()
	}
	return joined, err
}

// also is an error that counts as a second one, which its text need not repeat.
type also struct {
	error
	as error
}

func (a also) Unwrap() []error { return []error{a.error, a.as} }

// errNotKept is an admission that was granted, and that this node's own disk did not take.
var errNotKept = errors.New("keep the admission")

// joinAt tries the addresses until the time is over, as long as somebody says no more than that too many join at the moment.
func (n *Node) joinAt(ctx context.Context, token pki.Token, addresses []string, p ports) (Joined, error) {
	for {
		joined, err := n.joinOnce(ctx, token, addresses, p)
		if !errors.Is(err, transport.ErrCrowded) || errors.Is(err, ErrRefused) {
			return joined, err
		}
		select {
		case <-time.After(crowdedPause/2 + rand.N(crowdedPause)):
		case <-ctx.Done():
			return joined, err
		}
	}
}

// joinOnce tries one address after the other, until somebody answers.
func (n *Node) joinOnce(ctx context.Context, token pki.Token, addresses []string, p ports) (Joined, error) {
	var errs []error
	for _, address := range addresses {
		out, err := n.register(ctx, token, address, p)
		if err == nil {
			return joinedBy(out), nil
		}
		if errors.Is(err, errNotKept) {
			return Joined{}, fmt.Errorf("join: %w", err) // at another address it would be the same
		}
		errs = append(errs, fmt.Errorf("at %s: %w", address, err))
		if errors.Is(err, transport.ErrRefused) {
			return Joined{}, fmt.Errorf("join: %w", also{errs[len(errs)-1], ErrRefused})
		}
		if n.member.Load() != nil {
			return Joined{}, fmt.Errorf("join: %w: %w", ErrRefused, errs[len(errs)-1])
		}
	}
	err := errors.Join(errs...)
	if errors.Is(err, transport.ErrOtherNetwork) {
		return Joined{}, fmt.Errorf("join: %w: %w", ErrRefused, err)
	}
	if errors.Is(err, transport.ErrUnreachable) {
		return Joined{}, fmt.Errorf("join: %w", also{err, ErrUnreachable})
	}
	return Joined{}, fmt.Errorf("join: %w: %w", ErrRefused, err)
}

func joinedBy(out transport.Outcome) Joined {
	return Joined{
		Network: out.Genesis.Network(), Acceptor: out.Acceptor.ID, Nominator: out.Chain.Nominator(),
		Mode: out.Chain.Mode(), Depth: out.Chain.Depth(), Warning: out.Warning, Observed: out.Observed,
	}
}

func (n *Node) register(ctx context.Context, token pki.Token, address string, p ports) (transport.Outcome, error) {
	conn, leaf, err := transport.DialRegistration(ctx, n.opt.Dial, address, token.Network)
	if err != nil {
		return transport.Outcome{}, err
	}
	defer func() { _ = conn.Close() }()
	return transport.Register(ctx, conn, leaf, transport.Joining{
		Identity: n.identity, Token: token,
		Contact: func(genesis pki.Genesis) (*view.Contact, error) { return n.joinerContact(genesis, token.Mode, p) },
		Admitted: func(ctx context.Context, in transport.Admission) (*view.Contact, error) {
			return n.admitted(ctx, in, p)
		},
	})
}

// joinerContact is the contact of a node that is no member yet.
func (n *Node) joinerContact(genesis pki.Genesis, mode pki.Mode, p ports) (*view.Contact, error) {
	now, cfg := time.Now(), n.cfg.Load()
	c := view.Contact{
		Name: cfg.Name, Mode: mode, Sequence: uint64(max(1, now.UnixMilli())), NotAfter: now.Add(JoinTimeout).Unix(),
		Epoch: 1, Incarnation: 1, Anchor: view.Link{1}, Period: cfg.Signature.Period, Services: cfg.Services,
	}
	if p.gossip != nil {
		c.Addresses = advertised(cfg.Gossip.Advertise, p.gossip.Addr().String())
	}
	return wire.SealContact(n.identity, genesis.Network(), c)
}

// admitted keeps the admission for good, then brings the ports up: what is kept is carried through, whoever gives up waiting.
func (n *Node) admitted(ctx context.Context, in transport.Admission, p ports) (contact *view.Contact, err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("%w: %w", errNotKept, err)
		}
	}()
	// Addresses first: a member that knows nobody could not find its network after a kill.
	if err := n.dir.Save(gossip.Save{Reserve: addressesOf(time.Now(), in), ReserveChanged: true}); err != nil {
		return nil, err
	}
	if err := n.dir.SaveMembership(in.Genesis, in.Chain); err != nil {
		return nil, err
	}
	var started error
	err = n.do(context.WithoutCancel(ctx), func(now time.Time, _ *gossip.Machine) {
		if started = n.startMember(in.Genesis, in.Chain, p); started == nil {
			n.machine.Introduce(now, in.Acceptor.ID, append(in.Contacts, in.Acceptor))
			contact = n.machine.Contact()
		}
	})
	return contact, errors.Join(err, started)
}

// addressesOf is the first reserve of a member: its acceptor and those it was introduced to.
func addressesOf(now time.Time, in transport.Admission) (reserve []gossip.Address) {
	for _, c := range append(in.Contacts, in.Acceptor) {
		known := slices.ContainsFunc(reserve, func(a gossip.Address) bool { return a.ID == c.ID })
		if len(c.Addresses) > 0 && !known {
			reserve = append(reserve, gossip.Address{Located: c.Located(), Heard: now.Unix()})
		}
	}
	return reserve
}
