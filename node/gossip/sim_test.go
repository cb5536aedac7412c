package gossip

import (
	"bytes"
	"container/heap"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/g2g-net/g2g/node/latency"
	"github.com/g2g-net/g2g/node/view"
	"github.com/g2g-net/g2g/pki"
)

var start = time.Unix(1_800_000_000, 0)

func value[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func identity(name string) *pki.Identity {
	seed := sha256.Sum256([]byte(name))
	return value(pki.IdentityFrom(ed25519.NewKeyFromSeed(seed[:])))
}

// A world is machines on one event heap. One seed draws everything in it; seals are left out.
type world struct {
	t       testing.TB
	r       *rand.Rand
	now     time.Time
	queue   events
	count   int
	nodes   []*actor
	byID    map[pki.ID]*actor
	genesis pki.Genesis
	founder *pki.Identity
	latency func(r *rand.Rand) time.Duration
	rtt     func(a, b *actor) time.Duration // as a driver times it
	loss    float64
	cut     func(a, b *actor) bool
	trace   hash.Hash
	beats   map[beatKey]time.Time // when each beat was made
	strict  bool                  // nobody lies or is copied, so that nobody may be accused
}

type beatKey struct {
	id                    pki.ID
	incarnation, sequence uint64
}

// An actor is one node, whether it runs or not.
type actor struct {
	*Machine
	w        *world
	name     string
	identity *pki.Identity
	chain    pki.Chain
	disk     Saved
	backup   Saved
	wake     int // counts, so that an old timer is known
	notices  []Notice
	sent     map[string]int
	tellings int // of its signature
	advances int
	seen     map[pki.ID]version // when it was last looked at, since the start
}

type event struct {
	at    time.Time
	order int
	do    func()
}

type events []event

func (q events) Len() int { return len(q) }
func (q events) Less(i, j int) bool {
	return q[i].at.Before(q[j].at) || q[i].at.Equal(q[j].at) && q[i].order < q[j].order
}
func (q events) Swap(i, j int) { q[i], q[j] = q[j], q[i] }
func (q *events) Push(x any)   { *q = append(*q, x.(event)) }
func (q *events) Pop() any {
	last := (*q)[len(*q)-1]
	*q = (*q)[:len(*q)-1]
	return last
}

func newWorld(t testing.TB, seed uint64) *world {
	w := &world{
		t: t, r: rand.New(rand.NewPCG(seed, 1)), now: start, byID: map[pki.ID]*actor{}, founder: identity("founder"), trace: sha256.New(),
		beats: map[beatKey]time.Time{}, strict: true,
		latency: func(*rand.Rand) time.Duration { return 10 * time.Millisecond },
		rtt:     func(_, _ *actor) time.Duration { return 20 * time.Millisecond },
		cut:     func(_, _ *actor) bool { return false },
	}
	w.genesis = value(pki.Found(bytes.NewReader(make([]byte, 16)), w.founder, "test", start))
	return w
}

// add makes a member that was admitted by another, or by the founder, and starts it.
func (w *world) add(name string, by *actor, mode pki.Mode) *actor {
	a := &actor{w: w, name: name, identity: identity(name)}
	if by == nil {
		a.chain = value(pki.AdmitRoot(w.founder, w.genesis, a.identity.Key(), start))
	} else {
		n := pki.Nomination{Network: w.genesis.Network(), Nominator: by.identity.Key(), Mode: mode, MayNominate: mode == pki.Server}
		a.chain = value(by.chain.Admit(by.identity, a.identity.Key(), n, start))
	}
	w.nodes, w.byID[a.identity.ID()] = append(w.nodes, a), a
	a.start()
	return a
}

// network makes n members that know the first.
func (w *world) network(n int) {
	for i := range n {
		a := w.add(fmt.Sprintf("n%02d", i), w.first(), pki.Server)
		if i > 0 {
			a.do(func() { a.Introduce(w.now, w.nodes[0].ID(), []*view.Contact{w.nodes[0].Contact()}) })
		}
	}
}

func (w *world) first() *actor {
	if len(w.nodes) == 0 {
		return nil
	}
	return w.nodes[0]
}

func (a *actor) start() {
	w := a.w
	cfg := Config{
		Identity: a.identity, Genesis: w.genesis, Chain: a.chain, Name: a.name, Interval: time.Second, Period: time.Second,
		LeafLife: 24 * time.Hour,
		Random:   rand.New(rand.NewPCG(w.r.Uint64(), 2)), Secrets: secrets{w.r}, Seal: a.seal,
	}
	if a.chain.Mode() == pki.Server {
		cfg.Addresses = []string{a.name + ":7401"}
	}
	a.Machine, a.sent, a.seen = value(New(cfg, w.now, clone(a.disk))), map[string]int{}, map[pki.ID]version{}
	a.flush()
}

// secrets is chance as an io.Reader.
type secrets struct{ r *rand.Rand }

func (s secrets) Read(b []byte) (int, error) {
	for i := range b {
		b[i] = byte(s.r.Uint32())
	}
	return len(b), nil
}

// seal fills in what sealing would, with a payload that tells contacts apart.
func (a *actor) seal(c view.Contact) (*view.Contact, error) {
	c.ID, c.Key = a.identity.ID(), a.identity.Key()
	c.Sealed = pki.Envelope{Key: c.Key, Payload: fmt.Appendf(nil, "%s %d %d %x %t", c.ID, c.Sequence, c.Incarnation, c.Anchor, c.Left)}
	return &c, nil
}

func clone(s Saved) Saved {
	return Saved{Own: s.Own, Nominations: slices.Clone(s.Nominations), Claims: slices.Clone(s.Claims), Reserve: slices.Clone(s.Reserve)}
}

func (a *actor) kill() { a.Machine, a.wake = nil, a.wake+1 }

// do has the actor's machine take an input, then performs the effects.
func (a *actor) do(f func()) {
	f()
	a.flush()
}

func (w *world) after(d time.Duration, f func()) {
	w.count++
	heap.Push(&w.queue, event{w.now.Add(d), w.count, f})
}

// run plays all that happens within a time.
func (w *world) run(d time.Duration) {
	end := w.now.Add(d)
	for len(w.queue) > 0 && !w.queue[0].at.After(end) {
		e := heap.Pop(&w.queue).(event)
		w.now = e.at
		e.do()
	}
	w.now = end
}

func (w *world) note(format string, args ...any) {
	fmt.Fprintf(w.trace, "%d ", w.now.UnixNano())
	fmt.Fprintf(w.trace, format+"\n", args...)
}

func (w *world) traced() string { return hex.EncodeToString(w.trace.Sum(nil)) }

// flush performs effects as a driver does: save, then send, then tell. Then it sets the timer.
func (a *actor) flush() {
	w := a.w
	e := a.Effects()
	a.save(e.Save)
	if b := a.beat.Sequence; b > 0 {
		w.beats[beatKey{a.ID(), a.own.Incarnation, b}] = a.published
	}
	for _, s := range e.Sends {
		a.sent[fmt.Sprintf("%T", s.Request)[len("gossip."):]]++
		a.checkMessage(s.Request)
		w.note("%s sends %d to %s: %T %d", a.name, s.Call, s.To, s.Request, size(s.Request))
		w.carry(a, s)
	}
	for _, n := range e.Notices {
		w.note("%s tells %+v", a.name, n)
		if w.strict && (n.Kind == KindMisbehaved || n.Kind == KindClone) {
			w.t.Errorf("%s accuses %s: %s", a.name, n.Name, n.Detail)
		}
	}
	a.notices = append(a.notices, e.Notices...)
	a.check()
	a.wake++
	wake, m := a.wake, a.Machine
	w.after(max(0, a.Deadline().Sub(w.now)), func() {
		if a.wake == wake && a.Machine == m {
			a.advances++
			a.do(func() { a.Advance(w.now) })
			if a.Machine == m && !a.Deadline().After(w.now) {
				w.t.Fatalf("%s: after Advance there is still work due: a busy loop", a.name)
			}
		}
	})
}

func (a *actor) save(s Save) {
	if s.Own != nil {
		o, d := *s.Own, a.disk.Own
		if o.Sequence < d.Sequence || o.Incarnation < d.Incarnation || o.Epoch < d.Epoch || o.MinEpoch < d.MinEpoch {
			a.w.t.Fatalf("%s saves %+v after %+v", a.name, o, d)
		}
		a.disk.Own = o
	}
	for _, n := range s.Nominations {
		a.disk.Nominations = append(slices.DeleteFunc(a.disk.Nominations, func(o SealedNomination) bool { return o.TokenID() == n.TokenID() }), n)
	}
	for _, id := range s.DropNominations {
		a.disk.Nominations = slices.DeleteFunc(a.disk.Nominations, func(o SealedNomination) bool { return o.TokenID() == id })
		a.disk.Claims = slices.DeleteFunc(a.disk.Claims, func(c ClaimRecord) bool { return c.Token == id })
	}
	for _, c := range s.Claims {
		if slices.ContainsFunc(a.disk.Claims, func(o ClaimRecord) bool { return o.Token == c.Token && o.Joiner == c.Joiner }) {
			a.w.t.Fatalf("%s saves a claim twice", a.name)
		}
		a.disk.Claims = append(a.disk.Claims, c)
	}
	if s.ReserveChanged {
		a.disk.Reserve = slices.Clone(s.Reserve)
	}
}

// measured is the answer to a measurement, with the round trips as a driver times them.
func measured(req, resp Message, rtt func() time.Duration) Message {
	ping, ok := req.(PingRequest)
	if !ok {
		return resp
	}
	var answer PingResponse
	for range ping.Count {
		answer.RTTs = append(answer.RTTs, rtt())
	}
	return answer
}

// carry takes a request to its peer and the answer back, if the network lets it.
func (w *world) carry(a *actor, s Send) {
	m, b := a.Machine, w.byID[s.To]
	failAs := func(how Failure) func() {
		return func() {
			if a.Machine == m {
				a.do(func() { a.Fail(w.now, s.Call, how) })
			}
		}
	}
	fail := failAs(Unanswered)
	lost := func() bool { return w.cut(a, b) || w.r.Float64() < w.loss }
	if b == nil || lost() || len(s.Addresses) == 0 {
		w.after(s.Timeout, fail)
		return
	}
	w.after(w.latency(w.r), func() {
		if b.Machine == nil {
			w.after(w.latency(w.r), failAs(Absent))
			return
		}
		if r, ok := s.Request.(JoinRequest); ok {
			r.Observed = "192.0.2.1"
			s.Request = r
		}
		resp := b.Receive(w.now, a.identity.ID(), s.Request)
		b.flush()
		b.checkMessage(resp)
		if lost() {
			w.after(s.Timeout, fail)
			return
		}
		w.after(w.latency(w.r), func() {
			if a.Machine == m {
				resp = measured(s.Request, resp, func() time.Duration { return w.rtt(a, b) })
				if r, ok := resp.(PingResponse); ok && len(r.RTTs) >= latency.Enough && b.Machine != nil { // who measures is measured
					b.do(func() { b.Timed(w.now, a.ID(), r.RTTs[:latency.Enough]) })
				}
				w.note("%s has answer %d: %T %d", a.name, s.Call, resp, size(resp))
				a.do(func() { a.Reply(w.now, s.Call, resp) })
			}
		})
	})
}
