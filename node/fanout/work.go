package fanout

import (
	"context"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/g2g-net/g2g/node/order"
	"github.com/g2g-net/g2g/pki"
)

const (
	// baseMargin is what each hop keeps of the time that it has, beside a quarter of the round trip: for its own work, and for what the
	// measured round trip does not have in it.
	baseMargin = 5 * time.Millisecond
	// unknownDistance is what a peer that was not measured is taken for.
	unknownDistance = 100 * time.Millisecond
	// slowMargin is added to a peer's p99 to say within what time it takes a question.
	slowMargin = 20 * time.Millisecond
	// coldFactor is how many times as long as a call a call with a handshake may take.
	coldFactor = 4
	// leastBudget is what a peer must have left to be asked at all.
	leastBudget = time.Millisecond
)

// work is one query at one node.
type work struct {
	engine  *Engine
	from    pki.ID // who brought it; the node itself, if it began it
	req     Request
	handler Handler // nil for none
	began   time.Time
	until   time.Time
	ctx     context.Context //nolint:containedctx // of this query alone
	cancel  context.CancelFunc
	parts   atomic.Int32 // the handler and the rest: its place is taken until both have ended

	heap   heap
	peers  []Peer // who may still be asked, in order
	events chan event
	asks   sync.WaitGroup
	result
}

type result struct{ asked, seen, failed, instead, running int }

// event is what became of asking one peer, or of the handler.
type event struct {
	kind     kind
	peer     Peer
	sent     time.Duration // since the work began
	took     time.Duration // until the peer accepted
	response Response
	own      Answer
}

type kind uint8

const (
	answered kind = iota // by the own handler
	slow                 // the peer has not said in time that it takes the question
	knew                 // it had it already
	failed
	done
)

// end gives the place back, once both parts have ended.
func (w *work) end() {
	if w.parts.Add(-1) == 0 {
		w.engine.give(w.from)
	}
}

// run gathers until everybody has answered or the time is over.
func (w *work) run() {
	defer w.drain()
	w.events = make(chan event, 1+4*2*MaxFanout) // each ask tells of three things at most, and never waits
	w.answer()
	pending := 1
	if w.req.Hops < MaxHops {
		w.peers = w.engine.rotated(w.others())
		for range w.req.Fanout {
			w.ask(false)
		}
	}
	for pending+w.running > 0 {
		select {
		case ev := <-w.events:
			if ev.kind == answered {
				pending--
			}
			w.take(ev)
		case <-w.ctx.Done():
			return
		}
	}
}

// drain ends all that is under way, and takes what came at the last moment.
func (w *work) drain() {
	w.cancel()
	w.asks.Wait()
	for {
		select {
		case ev := <-w.events:
			w.take(ev)
		default:
			return
		}
	}
}

// others are all peers of the order but for who brought the question.
func (w *work) others() (out []Peer) {
	for _, p := range w.engine.cfg.Carrier.Peers() {
		if p.ID != w.from && p.ID != w.engine.cfg.ID {
			out = append(out, p)
		}
	}
	return out
}

// answer has the own handler work. Its place is taken until it ends, also where that is too late.
func (w *work) answer() {
	e := w.engine
	a := Answer{ID: e.cfg.ID, Name: e.cfg.Carrier.Name(), Hops: w.req.Hops, Unknown: w.handler == nil}
	if w.req.Links {
		a.Links = e.cfg.Carrier.Links()
		a.Links = a.Links[:min(len(a.Links), MaxLinks)]
	}
	if w.handler == nil {
		w.end()
		w.events <- event{kind: answered, own: a}
		return
	}
	go func() {
		defer w.end()
		w.handle(&a)
		w.events <- event{kind: answered, own: a}
	}()
}

// handle has the handler fill an answer.
func (w *work) handle(a *Answer) {
	body, err := w.handler(w.ctx, w.req.Question)
	switch {
	case err != nil:
		text := err.Error()
		a.Error = strings.ToValidUTF8(text[:min(len(text), MaxAnswer)], "")
	case len(body) > MaxAnswer:
		a.Error = "the answer is too long"
	default:
		a.Body = body
	}
	a.Elapsed = min(time.Since(w.began), MaxBudget)
}

// take takes what was told, and asks somebody else instead of who brings nothing.
func (w *work) take(ev event) {
	switch ev.kind {
	case answered:
		if !ev.own.Unknown || w.req.Links {
			w.heap.add(ev.own, true)
		}
		return
	case slow:
		w.ask(true)
		return
	case knew:
		w.seen++
		w.ask(true)
	case failed:
		w.failed++
		w.ask(true)
	case done:
		w.merge(ev)
	}
	w.running--
}

// merge takes the answers of a peer and of those below it. Times count from the begin here: when the peer was asked, half of the time until it
// said that it took the question, and what it counted itself.
func (w *work) merge(ev event) {
	now := time.Since(w.began)
	for _, a := range ev.response.Answers {
		a.Elapsed = min(now, ev.sent+ev.took/2+a.Elapsed)
		w.heap.add(a, a.ID == ev.peer.ID)
	}
	w.heap.leftOut = min(w.heap.leftOut+ev.response.LeftOut, MaxLeftOut)
}

// ask asks the next peer that can answer in time, if there is one and not too many were asked.
func (w *work) ask(instead bool) {
	for len(w.peers) > 0 && w.asked < 2*w.req.Fanout {
		p := w.peers[0]
		w.peers = w.peers[1:]
		budget := time.Until(w.until) - p.costs()
		if budget < leastBudget {
			continue
		}
		r := w.req
		r.Hops, r.Budget = r.Hops+1, budget
		w.asked++
		w.running++
		if instead {
			w.instead++
		}
		w.asks.Go(func() { w.branch(p, r) })
		return
	}
}

// costs is what asking a peer takes off the time that is left.
func (p Peer) costs() time.Duration {
	d := p.Distance
	if d <= 0 {
		d = unknownDistance
	}
	return d + d/4 + baseMargin
}

// patience is within what time a peer is expected to say that it takes a question.
func (p Peer) patience(warm bool) time.Duration {
	d := max(p.P99, p.Distance)
	if d <= 0 {
		d = unknownDistance
	}
	if !warm {
		d *= coldFactor
	}
	return d + slowMargin
}

// branch asks one peer and tells what became of it.
func (w *work) branch(p Peer, r Request) {
	sent := time.Now()
	ev := event{kind: failed, peer: p, sent: sent.Sub(w.began)}
	late := time.AfterFunc(p.patience(w.engine.cfg.Carrier.Warm(p.ID)), func() { w.events <- event{kind: slow} })
	defer late.Stop()
	response, err := w.engine.cfg.Carrier.Ask(w.ctx, p.ID, r, func(seen bool) {
		late.Stop()
		ev.took = time.Since(sent)
		if seen {
			ev.kind = knew
		}
	})
	if err == nil && ev.kind != knew {
		err = response.Check(r)
	}
	switch {
	case err != nil:
		ev.kind = failed
	case ev.kind != knew:
		ev.kind, ev.response = done, response
	}
	w.events <- ev
}

func (w *work) resultOf() Result {
	return Result{
		Answers: w.heap.sorted(), LeftOut: w.heap.leftOut, Asked: w.asked, Seen: w.seen, Failed: w.failed, Instead: w.instead,
	}
}

// rotate is the order begun at a pair of groups that is drawn, so that nodes that ask few peers get to all groups.
func rotate(peers []Peer, random *rand.Rand) []Peer {
	places := make([]order.Place[Peer], len(peers))
	for i, p := range peers {
		places[i] = order.Place[Peer]{Peer: p, Group: p.Rank}
	}
	out := make([]Peer, 0, len(peers))
	for _, p := range order.Rotate(places, random) {
		out = append(out, p.Peer)
	}
	return out
}
