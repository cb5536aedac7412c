package admin

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/g2g-net/g2g/node/gossip"
	"github.com/g2g-net/g2g/node/view"
	"github.com/g2g-net/g2g/pki"
	"github.com/g2g-net/g2g/proto/adminpb"
)

// snapshotOf draws the picture. Its ages are those of p.Now; its states are as the machine last judged them.
func snapshotOf(p Picture) *adminpb.Snapshot {
	s := &adminpb.Snapshot{TimeMs: milli(p.Now), Self: selfOf(p)}
	if p.Gossip == nil {
		return s
	}
	for _, peer := range byName(p.Gossip.Peers) {
		s.Peers = append(s.Peers, peerOf(p, peer))
	}
	s.Self.Groups, s.Self.Order = groupsOf(p.Gossip.Groups), orderOf(p.Gossip.Order)
	return fit(s)
}

// fit keeps a picture below MaxMessage: rather less of each peer than no picture at all. Only a network that fills every
// bound of the view with contacts of the greatest size comes to this.
func fit(s *adminpb.Snapshot) *adminpb.Snapshot {
	if proto.Size(s) > MaxMessage {
		s.History = nil
	}
	for _, drop := range []func(*adminpb.Peer){
		func(p *adminpb.Peer) { p.Chain = nil },
		func(p *adminpb.Peer) { p.Services = nil },
		func(p *adminpb.Peer) { p.Addresses = p.Addresses[:min(1, len(p.Addresses))] },
	} {
		if proto.Size(s) <= MaxMessage {
			break
		}
		for _, p := range s.Peers {
			drop(p)
		}
	}
	return s
}

func byName(peers []gossip.Peer) []gossip.Peer {
	return slices.SortedFunc(slices.Values(peers), func(a, b gossip.Peer) int {
		return cmp.Or(strings.Compare(a.Name, b.Name), a.ID.Compare(b.ID))
	})
}

func selfOf(p Picture) *adminpb.Self {
	self := &adminpb.Self{
		Id: p.ID.String(), Name: p.Name, Version: p.Version, UptimeMs: span(p.Now.Sub(p.Started)), AdminAddress: p.AdminAddress,
	}
	g := p.Gossip
	if g == nil {
		return self
	}
	self.Network, self.NetworkName, self.Mode = p.Genesis.Network().String(), p.Genesis.Name, modeOf(p.Chain)
	self.GossipAddress, self.RegisterAddress, self.Observed = p.GossipAddress, p.RegisterAddress, g.Observed
	if g.Contact != nil {
		self.Advertised = g.Contact.Addresses
	}
	self.LimitMs, self.LimitN, self.FloorMs, self.Stretch = span(g.Bound.Limit), count(g.Bound.N), span(g.Bound.Floor), g.Bound.Stretch
	self.MeanMs, self.SdMs = fraction(g.Bound.Mean), fraction(g.Bound.StdDev)
	self.Leaf, self.Signature = leafOf(p.Leaf), &adminpb.Signature{Sequence: g.Sequence, Count: g.Signature.Count}
	if g.Sequence > 0 {
		self.Signature.AgeMs = span(p.ageing(g.Age))
	}
	if mean, ok := meanDistance(g.Peers); ok {
		self.Signature.MeanDistance = &mean
	}
	self.Depth, self.Chain = count(p.Chain.Depth()), chainOf(p.Chain)
	self.Clients, self.Active = clientsOf(g.Peers), count(len(g.Active))
	self.Converged, self.Isolated, self.Disagree = g.Converged, g.Isolated, namesOf(p).all(g.Disagree)
	return self
}

// ageing is an age of the machine's snapshot, carried on to the time of the picture.
func (p Picture) ageing(age time.Duration) time.Duration { return age + p.Now.Sub(p.Gossip.At) }

// meanDistance is over the peers that are neither dead nor gone.
func meanDistance(peers []gossip.Peer) (mean float64, ok bool) {
	n := 0
	for _, p := range peers {
		if p.Comparable && p.Mode == pki.Server && !p.State.Fallen() {
			mean, n = mean+p.Distance, n+1
		}
	}
	if n == 0 {
		return 0, false
	}
	return mean / float64(n), true
}

func clientsOf(peers []gossip.Peer) (n uint32) {
	for _, p := range peers {
		if p.Mode == pki.Client && p.State == view.Alive {
			n++
		}
	}
	return n
}

func peerOf(p Picture, peer gossip.Peer) *adminpb.Peer {
	leaf := &adminpb.Leaf{Epoch: peer.Epoch} // all that is known of one that no connection has shown yet
	if shown, ok := p.Leaves[peer.ID]; ok && shown.Epoch >= peer.Epoch {
		leaf = leafOf(shown)
	}
	out := &adminpb.Peer{
		Id: peer.ID.String(), Name: peer.Name, Mode: peer.Mode.String(), State: peer.State.String(), Reason: peer.Reason,
		Unreachable: peer.Unreachable, Addresses: peer.Addresses, AgeMs: span(p.ageing(peer.Age)),
		LimitMs: span(p.Gossip.Bound.Limit), OwnMs: span(peer.Own), Trusted: peer.Trusted, Witnesses: count(peer.Witnesses), Failures: count(peer.Failures), Suspect: peer.Suspect, Sequence: peer.BeatSequence, Leaf: leaf, Services: peer.Services, Serves: peer.Serves,
		Depth: count(peer.Chain.Depth()), FirstSeenMs: milli(peer.FirstSeen), LastExchangeMs: milli(peer.LastExchange),
		Active: peer.Active, ContactSequence: peer.Sequence, Incarnation: peer.Incarnation, Chain: chainOf(peer.Chain),
	}
	out.Group, out.Position = peer.Path.Group, count(peer.Position)
	if d := peer.Path; d.N > 0 {
		out.LatencyMs, out.MedianMs, out.P99Ms = proto.Float64(fraction(d.Distance)), proto.Float64(fraction(d.Median)), proto.Float64(fraction(d.P99))
	}
	if peer.Comparable {
		out.Distance = &peer.Distance
	}
	if !peer.Chain.IsZero() {
		out.NominatedBy = peer.Chain.Nominator().String()
	}
	return out
}

func modeOf(c pki.Chain) string {
	if c.IsZero() {
		return ""
	}
	return c.Mode().String()
}

func leafOf(c pki.LeafClaims) *adminpb.Leaf {
	if c.NotAfter.IsZero() {
		return &adminpb.Leaf{Epoch: c.Epoch}
	}
	return &adminpb.Leaf{
		Epoch: c.Epoch, NotBefore: c.NotBefore.Unix(), NotAfter: c.NotAfter.Unix(), Fingerprint: c.Fingerprint(),
	}
}

// chainOf turns a chain upside down: from the subject up to the founder.
func chainOf(c pki.Chain) []*adminpb.ChainLink {
	links := c.Links()
	slices.Reverse(links)
	out := make([]*adminpb.ChainLink, len(links))
	for i, a := range links {
		out[i] = &adminpb.ChainLink{
			Subject: a.Subject.ID().String(), Nominator: a.Nominator.ID().String(), Mode: a.Mode.String(),
			Depth: uint32(a.Depth), IssuedAt: a.IssuedAt, MayNominate: a.MayNominate,
		}
		if !a.Token.IsZero() {
			out[i].TokenId = a.Token.String()
		}
	}
	return out
}
