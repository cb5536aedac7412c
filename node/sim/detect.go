package sim

import (
	"time"

	"github.com/g2g-net/g2g/node/gossip"
	"github.com/g2g-net/g2g/node/view"
	"github.com/g2g-net/g2g/pki"
)

// grace is how long after a fault has ended it may still be the reason of a verdict.
const grace = 30 * time.Second

// unseen is the time of what has not been seen.
const unseen = -1

// faults are what was done, and how it became known.
type faults struct {
	episodes []*episode
	open     map[pair]*holding // those whose subject is still away
	falseDead, falseDeadHealthy, falseLate,
	falseLateHealthy int
}

// A pair is somebody and whom it holds, by the order of their starts.
type pair struct{ holder, subject int }

// An episode is nodes that went at one moment.
type episode struct {
	at       int64
	text     string
	subjects int
	holdings []*holding
}

// A holding is one node that held one of them when it went.
type holding struct {
	pair
	life    int  // of the holder
	active  bool // it had it active
	void    bool // the holder went, too
	closed  bool // the subject is back
	dropped int64
	late    int64
	dead    int64
}

// episode begins to watch those who hold some nodes.
func (w *world) episode(a Action, nodes []*node) {
	e := &episode{at: w.now, text: a.Text, subjects: len(nodes)}
	w.episodes = append(w.episodes, e)
	if w.open == nil {
		w.open = map[pair]*holding{}
	}
	going := make(map[*node]bool, len(nodes))
	for _, n := range nodes {
		going[n] = true
		w.voided(n)
	}
	for _, holder := range w.nodes {
		if !holder.up() || going[holder] {
			continue
		}
		for _, held := range holder.machine.Entries() {
			subject := w.byID[held.ID]
			if going[subject] && !held.State.Fallen() {
				e.hold(w, holder, subject)
			}
		}
	}
}

func (e *episode) hold(w *world, holder, subject *node) {
	h := &holding{
		pair: pair{holder.index, subject.index}, life: holder.life, active: holder.machine.Active(subject.id),
		dropped: unseen, late: unseen, dead: unseen,
	}
	e.holdings = append(e.holdings, h)
	w.open[h.pair] = h
}

// voided forgets what a node was to find out: it goes itself.
func (w *world) voided(n *node) {
	for _, e := range w.episodes {
		for _, h := range e.holdings {
			if h.holder == n.index && !h.closed && h.dead == unseen {
				h.void = true
			}
		}
	}
}

// returned ends the watch over who went: it is back.
func (w *world) returned(n *node) {
	for _, e := range w.episodes {
		for _, h := range e.holdings {
			if h.subject == n.index && !h.closed {
				h.closed = true
				delete(w.open, h.pair)
			}
		}
	}
}

// told takes what a machine tells, at the moment that it does.
func (w *world) told(n *node, notice gossip.Notice) {
	subject := w.byID[notice.Peer]
	if subject == nil {
		return
	}
	switch notice.Kind {
	case gossip.KindDead, gossip.KindLate, gossip.KindUnreached, gossip.KindLeft:
		if h := w.open[pair{n.index, subject.index}]; h != nil {
			h.tell(w.now, notice.Kind)
		} else {
			w.judge(n, subject, notice.Kind)
		}
	case gossip.KindMisbehaved, gossip.KindClone:
		w.checks.fail(n, "accuses %s: %s", subject.name, notice.Detail)
	}
}

func (h *holding) tell(now int64, k gossip.Kind) {
	first := func(at *int64) {
		if *at == unseen {
			*at = now
		}
	}
	first(&h.dropped)
	if k != gossip.KindUnreached {
		first(&h.late)
	}
	if k == gossip.KindDead || k == gossip.KindLeft {
		first(&h.dead)
	}
}

// judge counts a verdict on somebody to whom nothing was done.
func (w *world) judge(observer, subject *node, k gossip.Kind) {
	if !subject.working() || !w.well(subject) || w.wereParted(observer, subject) {
		return
	}
	healthy := w.well(observer)
	switch k {
	case gossip.KindDead:
		w.falseDead++
		if healthy {
			w.falseDeadHealthy++
		}
	case gossip.KindLate:
		w.falseLate++
		if healthy {
			w.falseLateHealthy++
		}
	case gossip.KindLeft:
		w.checks.fail(observer, "takes %s for gone, which never said goodbye", subject.name)
	}
}

// well tells whether nothing was done to a node for a while.
func (w *world) well(n *node) bool { return n.healthy != never && w.now-n.healthy >= int64(grace) }

// wereParted tells whether nothing passed between two nodes at some time not long ago.
func (w *world) wereParted(a, b *node) bool {
	return w.parted(a, b) || w.now-w.healed < int64(grace) && (a.old.side != b.old.side || a.old.cut || b.old.cut)
}

// lookAtHoldings finds what was forgotten without a word, for example because somebody else took the place.
func (w *world) lookAtHoldings() {
	for _, e := range w.episodes {
		for _, h := range e.holdings {
			holder := w.nodes[h.holder]
			if h.closed || h.void || h.dead != unseen || !holder.up() || holder.life != h.life {
				continue
			}
			h.look(w.now, holder.machine, w.nodes[h.subject].id)
		}
	}
}

func (h *holding) look(now int64, m *gossip.Machine, subject pki.ID) {
	held := m.Held(subject)
	switch {
	case held == nil || held.State.Fallen():
		h.tell(now, gossip.KindDead)
	case held.State == view.Late:
		h.tell(now, gossip.KindLate)
	case h.dropped == unseen && !m.Active(subject):
		h.tell(now, gossip.KindUnreached)
	}
}
