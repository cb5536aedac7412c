package stale

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"
)

var dawn = time.Unix(1_800_000_000, 0)

// beats tells a detector of beats of a peer, a gap apart, and after each the age at which the peer was met.
func beats(d *Detector, peer, n int, gap, age time.Duration) {
	at := d.peers[d.place(id(peer))].direct.last
	for i := range n {
		sequence := at.sequence + uint64(i) + 1
		d.Beat(id(peer), 1, sequence, dawn.Add(time.Duration(sequence)*gap))
		d.Met(id(peer), sequence, age, time.Second)
	}
}

func TestTruePaceIsOfBeatsWhateverWasMissed(t *testing.T) {
	for _, step := range []uint64{1, 3, 40} {
		d := NewDetector(DefaultConfig())
		for s := uint64(5); s < 500; s += step {
			d.Beat(id(1), 7, s, dawn.Add(time.Duration(s)*4*time.Second))
			at := &d.peers[0].direct
			pace, known := at.pace()
			if want := s-5 >= spanLeast; known != want || known && pace != 4*time.Second {
				t.Fatalf("every %d. beat, at %d: pace %s, known %v", step, s, pace, known)
			}
			if span := at.last.sequence - at.first.sequence; span >= 2*spanBeats+step {
				t.Fatalf("every %d. beat: it stands on %d beats", step, span)
			}
		}
	}
}

func TestDirectLimit(t *testing.T) {
	d := NewDetector(DefaultConfig())
	limit := func(peer int, want time.Duration) {
		t.Helper()
		if got := d.Direct(id(peer), time.Second); got.Round(time.Millisecond) != want {
			t.Errorf("limit of %d: %s, want %s", peer, got, want)
		}
	}
	limit(1, 6*time.Second) // nothing is known of it but what it declares
	for p := 1; p <= 5; p++ {
		beats(d, p, 5*spanBeats, 4*time.Second, 3*time.Second)
	}
	limit(1, 8*time.Second) // 2 x 0.75 is below the least
	beats(d, 2, 2, 4*time.Second, 12*time.Second)
	limit(1, 8*time.Second) // one peer is left out
	beats(d, 3, 2, 4*time.Second, 12*time.Second)
	limit(1, 24*time.Second)
	limit(9, 6*time.Second) // it is not known to take its time
	beats(d, 4, 2*spanBeats, 100*time.Millisecond, 0)
	limit(4, 6*time.Second) // no less than what it declares, stretched
	d.Beat(id(1), 2, 1, dawn.Add(time.Hour))
	limit(1, 24*time.Second) // another incarnation, most likely as slow
	d.Fell(id(5))
	limit(5, 24*time.Second)
	d.Forget(id(5))
	limit(5, 6*time.Second)
	if got := NewDetector(Config{Strict: true, Period: time.Second}).Direct(id(1), time.Second); got != math.MaxInt64 {
		t.Errorf("the plain rule has a limit of %s", got)
	}
}

// The age that a peer is met at counts only once a beat shows that it was well then.
func TestTheStalledStretchNothing(t *testing.T) {
	const n = 9
	d := NewDetector(DefaultConfig())
	for p := 1; p <= n; p++ {
		beats(d, p, 40, time.Second, time.Second/2)
	}
	before := d.Direct(id(1), time.Second)
	for p := 2; p <= n; p++ {
		last := d.peers[d.index[id(p)]].direct.last.sequence
		for age := time.Second; age < time.Hour; age *= 2 {
			d.Met(id(p), last, age, time.Second)
		}
		d.Fell(id(p))
		d.Beat(id(p), 1, last+1, dawn.Add(2*time.Hour))
	}
	if after := d.Direct(id(1), time.Second); after != before {
		t.Errorf("limit %s, after the others have stalled %s", before, after)
	}
}

// A tenth of the peers, one at least, that say of themselves what they like move nobody else's limit by a tenth.
func TestFalseOwnWordMovesNoLimit(t *testing.T) {
	for n := 4; n <= 256; n = n*4/3 + 1 {
		limit := func(liars int) time.Duration {
			random := rand.New(rand.NewPCG(3, uint64(n)))
			d := NewDetector(DefaultConfig())
			for range 40 {
				for p := 1; p < n; p++ {
					age := seconds(1.9 * random.Float64())
					if p <= liars && random.IntN(3) == 0 {
						age = time.Hour
					}
					beats(d, p, 1, time.Second, age)
				}
			}
			return d.Direct(id(n-1), time.Second)
		}
		honest := limit(0)
		if moved := limit(max(1, (n-1)/10)); moved > honest*11/10 || moved < honest*9/10 {
			t.Errorf("%d nodes: limit %s, with liars %s", n, honest, moved)
		}
	}
}

func TestForgetDropsDirectShapes(t *testing.T) {
	d := NewDetector(DefaultConfig())
	for p := 1; p <= 20; p++ {
		beats(d, p, 40, time.Second, time.Second)
	}
	if d.direct.peers != 20 {
		t.Errorf("%d peers have shapes, want 20", d.direct.peers)
	}
	for p := 1; p <= 20; p++ {
		d.Forget(id(p))
	}
	if d.direct.peers != 0 || d.Direct(id(1), time.Second) != 6*time.Second {
		t.Errorf("%d peers have shapes, limit %s", d.direct.peers, d.Direct(id(1), time.Second))
	}
}

// asked is one that the observer meets, and asks again half a period after it seemed stuck, twice.
type asked struct {
	next, born     float64
	sequence, held uint64
	flights        []flight // of the sequences after held, in order
	since          uint64   // the beat that seemed too old; 0 for none
	again          float64
	answers        int
	fallen         bool
}

// An encounter is one observer and those that it meets.
type encounter struct {
	d       *Detector
	random  *rand.Rand
	rhythm  rhythm
	now     float64
	peers   []asked
	falsely int
}

func (e *encounter) at(t float64) time.Time { return dawn.Add(seconds(t)) }

func (e *encounter) hear(i int, sequence uint64, born float64) {
	if p := &e.peers[i]; sequence > p.held {
		p.held, p.since, p.answers, p.fallen = sequence, 0, 0, false
		e.d.Beat(id(i), 1, sequence, e.at(born))
	}
}

// publish makes beats, and has gossip bring what is due.
func (e *encounter) publish(i int) {
	p := &e.peers[i]
	for ; p.next <= e.now; p.next += e.rhythm.pace(i) * e.rhythm.gap(e.random) {
		p.born = p.next
		p.sequence++
		p.flights = append(p.flights, flight{p.next, p.next + meanDelay*e.random.ExpFloat64()})
	}
	for len(p.flights) > 0 && p.flights[0].arrives <= e.now {
		e.hear(i, p.sequence-uint64(len(p.flights))+1, p.flights[0].born)
		p.flights = p.flights[1:]
	}
}

// meet takes the peer's own word: it tells its newest beat.
func (e *encounter) meet(i int, answer bool) {
	p := &e.peers[i]
	if p.sequence == 0 || p.fallen {
		return
	}
	e.hear(i, p.sequence, p.born)
	age, declared := seconds(e.now-p.born), seconds(e.rhythm.pace(i))
	if p.since == 0 {
		e.d.Met(id(i), p.sequence, age, declared)
	}
	if age <= e.d.Direct(id(i), declared) {
		return
	}
	switch {
	case p.since == 0:
		p.since, p.again = p.sequence, e.now+0.5
	case answer:
		p.again = e.now + 0.5
		if p.answers++; p.answers == 2 {
			p.fallen = true
			e.falsely++
			e.d.Fell(id(i))
		}
	}
}

// falselyStuck gives the convictions of the living by their own word, in 1,000 node-periods.
func falselyStuck(n, runs int, r rhythm) float64 {
	wrong := 0
	for seed := range uint64(runs) {
		e := &encounter{d: NewDetector(DefaultConfig()), random: rand.New(rand.NewPCG(seed, uint64(n))), rhythm: r, peers: make([]asked, n)}
		for i := range e.peers {
			e.peers[i].next = e.random.Float64() * r.pace(i)
		}
		for ; e.now < runPeriods; e.now += lookEvery {
			for i := 1; i < n; i++ {
				e.publish(i)
				if p := &e.peers[i]; p.since > 0 && e.now >= p.again {
					e.meet(i, true)
				}
			}
			if e.random.Float64() < exchanges*lookEvery {
				e.meet(1+e.random.IntN(n-1), false)
			}
		}
		wrong += e.falsely
	}
	return 1000 * float64(wrong) / (float64(runs*(n-1)) * runPeriods)
}
