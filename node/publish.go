package node

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/g2g-net/g2g/node/admin"
	"github.com/g2g-net/g2g/node/config"
	"github.com/g2g-net/g2g/node/gossip"
	"github.com/g2g-net/g2g/node/signature"
	"github.com/g2g-net/g2g/node/view"
	"github.com/g2g-net/g2g/pki"
)

// ErrSource is a signature that a program publishes on a node whose signature is of the samples in its folder. Nothing was changed.
var ErrSource = errors.New("this node's signature is of its own samples: signature.source is not " + config.SourceApplication)

// Publish says what a program's data come to, in numbers of its own: a mean, a histogram and a count of samples. It is this node's sign of
// life, where signature.source is application: call it once each signature.period from where the program does its work, not
// from a timer beside it, also when nothing has changed. The sequence is that of the beat that it made.
func (n *Node) Publish(ctx context.Context, mean, histogram []float64, count uint64) (sequence uint64, err error) {
	if n.cfg.Load().Signature.Source != config.SourceApplication {
		return 0, fmt.Errorf("publish signature: %w: %w", admin.ErrInvalid, ErrSource)
	}
	s, err := signature.Of(mean, histogram, count)
	if err != nil {
		return 0, fmt.Errorf("publish signature: %w: %w", admin.ErrInvalid, err)
	}
	return n.publish(ctx, s)
}

// publish waits for a place in the inbox: whoever fills it must not stop this node's beat.
func (n *Node) publish(ctx context.Context, s signature.Signature) (sequence uint64, err error) {
	if n.member.Load() == nil {
		return 0, fmt.Errorf("publish signature: %w", ErrNoNetwork)
	}
	var fault error
	j := &job{done: make(chan struct{}), run: func(now time.Time, m *gossip.Machine) { sequence, fault = m.Publish(now, s) }}
	select {
	case n.inbox <- j:
		err = n.await(ctx, j)
	case <-ctx.Done():
		err = ctx.Err()
	case <-n.stopped:
		err = errors.New("the node stops")
	}
	if errors.Is(fault, gossip.ErrHasty) {
		fault = fmt.Errorf("%w: %w", admin.ErrBusy, fault)
	}
	return sequence, firstOf(err, fault)
}

// publishData does this node's work, where that is to look after the samples in its folder: each signature.period a pass over some of
// them, then the signature of all. It is no part of the loop, and the loop makes no beat without it: where the data cannot be read, or
// reading hangs, this node gets no younger.
func (n *Node) publishData() {
	timer := time.NewTimer(0)
	defer timer.Stop()
	last := ""
	for {
		select {
		case <-timer.C:
		case <-n.stopped:
			return
		}
		timer.Reset(n.cfg.Load().Signature.Period)
		if n.opt.Stalled != nil && n.opt.Stalled() {
			continue
		}
		sum, err := n.dir.Samples().Pass()
		if err == nil {
			_, err = n.publish(context.Background(), sum.Signature())
		}
		if errors.Is(err, gossip.ErrHasty) {
			err = nil // the loop did it a moment ago, as the process had slept
		}
		if err != nil && err.Error() != last {
			n.log.Error("no sign of life could be made", "error", err)
		}
		last = ""
		if err != nil {
			last = err.Error()
		}
	}
}

// catchUp does the work of a period at once, in the loop, where the process was stopped for a while.
func (n *Node) catchUp(now time.Time) {
	if n.machine == nil || n.cfg.Load().Signature.Source != config.SourceData || !n.machine.Overslept(now) {
		return
	}
	sum, err := n.dir.Samples().Pass()
	if err == nil {
		_, err = n.machine.Publish(now, sum.Signature())
	}
	if err != nil && !errors.Is(err, gossip.ErrHasty) {
		n.log.Error("no sign of life could be made", "error", err)
	}
}

// ShowSignature is the signature of a peer in full, asked of itself, or this node's for the zero ID. Of a peer that cannot be asked it is
// the short form that it told last.
func (n *Node) ShowSignature(ctx context.Context, id pki.ID) (admin.Signature, error) {
	m := n.member.Load()
	if m == nil {
		return admin.Signature{}, fmt.Errorf("show signature: %w", ErrNoNetwork)
	}
	s, err := n.snapshot(ctx)
	if err != nil {
		return admin.Signature{}, fmt.Errorf("show signature: %w", err)
	}
	own := admin.Signature{ID: n.ID(), Name: n.cfg.Load().Name, Sequence: s.Sequence, Age: s.Age, Signature: s.Signature, Published: s.Published}
	if id.IsZero() || id == n.ID() {
		return own, nil
	}
	for _, p := range s.Peers {
		if p.ID == id {
			return n.signatureOf(ctx, m, p, s.Signature), nil
		}
	}
	return admin.Signature{}, fmt.Errorf("show signature: %w: no peer %s", admin.ErrInvalid, id.Short())
}

// signatureOf asks the peer. What it answers is shown and not kept: exchanges bring what is kept.
func (n *Node) signatureOf(ctx context.Context, m *member, p gossip.Peer, own signature.Signature) admin.Signature {
	shown := admin.Signature{ID: p.ID, Name: p.Name, Sequence: p.BeatSequence, Age: p.Age, Distance: p.Distance, Comparable: p.Comparable}
	if p.Summary != nil {
		shown.Signature, shown.Published = p.Summary.Signature, true
	}
	full, err := m.full(ctx, &p.Entry)
	if err != nil || full == nil {
		return shown
	}
	shown.Signature, shown.Published = full.Signature, true
	shown.Distance, shown.Comparable = signature.Distance(own, full.Signature)
	return shown
}

// full asks a peer for its signature; nil where it has not published any.
func (m *member) full(ctx context.Context, e *view.Entry) (*view.Summary, error) {
	ctx, cancel := context.WithTimeout(ctx, gossip.CallTimeout)
	defer cancel()
	answer, err := m.askIn(ctx, gossip.Send{To: e.ID, Addresses: e.Addresses, Request: gossip.SignatureRequest{}})
	if err != nil {
		return nil, err
	}
	resp, ok := answer.(gossip.SignatureResponse)
	if !ok || resp.Full != nil && resp.Full.ID != e.ID {
		return nil, errors.New("it told another node's signature")
	}
	return resp.Full, nil
}
