package sim

import (
	"fmt"
	"io"
	"log"
	"math/rand/v2"
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hashicorp/memberlist"
)

// hop is how long a packet or a connection takes from one member to another, as it does between nodes of one region.
const hop = time.Millisecond / 2

// A hub is the network between real members of memberlist, in memory.
type hub struct {
	ports    map[string]*port
	messages atomic.Int64
	bytes    atomic.Int64
}

// A port is one member's transport. Its gate is before each send and after each receipt, as in Lifeguard's experiment: what comes is
// taken from the network first, so that a blocked member blocks nobody else.
type port struct {
	hub     *hub
	address *net.UDPAddr
	packets chan *memberlist.Packet
	streams chan net.Conn
	done    chan struct{}
	end     func()

	mu     sync.Mutex
	closed chan struct{} // of the gate; closed itself while the gate is open
	inbox  []*memberlist.Packet
	news   chan struct{}
}

func (h *hub) port(i int) *port {
	p := &port{
		hub: h, address: &net.UDPAddr{IP: net.IPv4(10, 0, byte(i>>8), byte(i)), Port: 7946}, packets: make(chan *memberlist.Packet),
		streams: make(chan net.Conn), done: make(chan struct{}), closed: make(chan struct{}), news: make(chan struct{}, 1),
	}
	close(p.closed)
	p.end = sync.OnceFunc(func() { close(p.done) })
	h.ports[p.address.String()] = p
	go p.hand()
	return p
}

// shut closes the gate, or opens it.
func (p *port) shut(is bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if is {
		p.closed = make(chan struct{})
	} else {
		close(p.closed)
	}
}

// pass waits for the gate.
func (p *port) pass() {
	p.mu.Lock()
	gate := p.closed
	p.mu.Unlock()
	select {
	case <-gate:
	case <-p.done:
	}
}

// hand gives what came to the member.
func (p *port) hand() {
	for {
		select {
		case <-p.news:
		case <-p.done:
			return
		}
		p.mu.Lock()
		came := p.inbox
		p.inbox = nil
		p.mu.Unlock()
		for _, packet := range came {
			p.pass()
			select {
			case p.packets <- packet:
			case <-p.done:
				return
			}
		}
	}
}

func (p *port) FinalAdvertiseAddr(string, int) (net.IP, int, error) {
	return p.address.IP, p.address.Port, nil
}

func (p *port) WriteTo(b []byte, to string) (time.Time, error) {
	p.pass()
	peer := p.hub.ports[to]
	if peer == nil {
		return time.Time{}, fmt.Errorf("nobody at %s", to)
	}
	p.hub.messages.Add(1)
	p.hub.bytes.Add(int64(len(b)))
	packet := &memberlist.Packet{Buf: slices.Clone(b), From: p.address}
	time.AfterFunc(hop, func() {
		packet.Timestamp = time.Now()
		peer.mu.Lock()
		peer.inbox = append(peer.inbox, packet)
		peer.mu.Unlock()
		select {
		case peer.news <- struct{}{}:
		default:
		}
	})
	return time.Now(), nil
}

func (p *port) PacketCh() <-chan *memberlist.Packet { return p.packets }
func (p *port) StreamCh() <-chan net.Conn           { return p.streams }

func (p *port) Shutdown() error {
	p.end()
	return nil
}

func (p *port) DialTimeout(to string, _ time.Duration) (net.Conn, error) {
	p.pass()
	peer := p.hub.ports[to]
	if peer == nil {
		return nil, fmt.Errorf("nobody at %s", to)
	}
	here, there := net.Pipe()
	select {
	case peer.streams <- gated{there, peer, p.address}:
		return gated{here, p, peer.address}, nil
	case <-peer.done:
		return nil, io.ErrClosedPipe
	}
}

// gated is one end of a connection.
type gated struct {
	net.Conn
	port   *port
	remote net.Addr
}

func (g gated) RemoteAddr() net.Addr { return g.remote }

func (g gated) Write(b []byte) (int, error) {
	g.port.pass()
	g.port.hub.messages.Add(1)
	g.port.hub.bytes.Add(int64(len(b)))
	return g.Conn.Write(b)
}

func (g gated) Read(b []byte) (int, error) {
	n, err := g.Conn.Read(b)
	g.port.pass()
	return n, err
}

// A ledger is who held whom dead, and when that was first so since the trouble began.
type ledger struct {
	mu      sync.Mutex
	began   time.Time // zero before
	anomaly []bool    // by member
	dead    map[pair]time.Duration
	outcome
}

func (l *ledger) left(observer, subject int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.began.IsZero() {
		return
	}
	if !l.anomaly[subject] {
		l.false++
		if !l.anomaly[observer] {
			l.falseHealthy++
		}
		return
	}
	at := pair{observer, subject}
	if _, known := l.dead[at]; !known && !l.anomaly[observer] {
		l.dead[at] = time.Since(l.began)
	}
}

// events are what one member tells of the others.
type events struct {
	ledger   *ledger
	observer int
}

func (events) NotifyJoin(*memberlist.Node)   {}
func (events) NotifyUpdate(*memberlist.Node) {}
func (e events) NotifyLeave(n *memberlist.Node) {
	var subject int
	if _, err := fmt.Sscanf(n.Name, "n%d", &subject); err == nil {
		e.ledger.left(e.observer, subject)
	}
}

// playMemberlist runs the real thing, in virtual time.
func playMemberlist(t *testing.T, e experiment, seed uint64) (o outcome) {
	synctest.Test(t, func(t *testing.T) {
		h := &hub{ports: map[string]*port{}}
		l := &ledger{anomaly: make([]bool, e.nodes), dead: map[pair]time.Duration{}}
		ports, members := make([]*port, e.nodes), make([]*memberlist.Memberlist, e.nodes)
		for i := range members {
			ports[i] = h.port(i)
			members[i] = value(memberlist.Create(memberConfig(ports[i], events{l, i}, i)))
			if i > 0 {
				value(members[i].Join([]string{ports[0].address.String()}))
			}
		}
		time.Sleep(e.quiet / 2)
		half := h.messages.Load()
		time.Sleep(e.quiet / 2)
		var chosen []int
		for _, i := range rand.New(rand.NewPCG(seed, 3)).Perm(e.nodes)[:e.anomalous] {
			chosen, l.anomaly[i] = append(chosen, i), true
		}
		shut := func(is bool) {
			for _, i := range chosen {
				ports[i].shut(is)
			}
		}
		messages, bytes := h.messages.Load(), h.bytes.Load()
		began := time.Now()
		l.mu.Lock()
		l.began = began
		l.mu.Unlock()
		e.anomalies(shut)
		nodeSeconds := float64(e.nodes) * time.Since(began).Seconds()
		o.messages, o.bytes = float64(h.messages.Load()-messages)/nodeSeconds, float64(h.bytes.Load()-bytes)/nodeSeconds
		time.Sleep(aftermath)
		l.mu.Lock()
		o.false, o.falseHealthy = l.false, l.falseHealthy
		o.spread(l.dead, e.nodes-e.anomalous, e.lasts)
		l.mu.Unlock()
		o.calm = float64(messages-half) / float64(e.nodes) / (e.quiet / 2).Seconds()
		o.subjects = e.anomalous
		for _, m := range members {
			_ = m.Shutdown()
		}
		time.Sleep(time.Minute) // for what they had begun
	})
	return o
}

// memberConfig is memberlist's for a local network, with all of Lifeguard and the paper's alpha and beta.
func memberConfig(p *port, d memberlist.EventDelegate, i int) *memberlist.Config {
	c := memberlist.DefaultLANConfig()
	c.Name, c.Transport, c.Events = fmt.Sprintf("n%d", i), p, d
	c.SuspicionMult, c.SuspicionMaxTimeoutMult = 5, 6
	c.Logger = log.New(io.Discard, "", 0)
	return c
}

// anomalies blocks the chosen ones once, or again and again.
func (e experiment) anomalies(shut func(bool)) {
	left := e.lasts
	for left > 0 {
		shut(true)
		time.Sleep(min(e.blocked, left))
		left -= e.blocked
		shut(false)
		if e.between == 0 {
			return
		}
		time.Sleep(max(0, min(e.between, left)))
		left -= e.between
	}
}
