package stale

import (
	"slices"
	"time"

	"github.com/g2g-net/g2g/pki"
)

const (
	spanLeast    = 8   // beats that a peer's true pace is found over, before which it is not known
	spanBeats    = 32  // to twice as many once it is
	directFactor = 2.0 // above the largest shape of those
	firstDirect  = 6.0 // until stretchLeast of those are known, or a peer's pace is
	leastDirect  = 2.0 // x the pace: the smallest age by a peer's own word that is too much
	directFloor  = 2   // x Config.Least, as that limit's floor
)

// A mark is one beat of a peer, and when it was made, on the observer's clock.
type mark struct {
	made     time.Duration // since the detector's first
	sequence uint64
}

// Direct is what beats and the peer's own word say, which contain no delay of gossip: how far apart its beats are made, whoever passed
// them on, and how old the newest was whenever the peer was met. The zero value knows nothing.
//
//  1. first, middle and last are of one incarnation; zero sequences stand for none.
//  2. met is the beat that was the newest when the peer was last met, 0 for none since, and shape its age then by the pace.
type direct struct {
	shapes
	incarnation         uint64
	first, middle, last mark
	met                 uint64
	shape               float32
	before              time.Duration // the pace before the last restart; 0 for unknown
}

// beat takes a newer beat. What was seen of the one before it becomes a shape: the dead, who make no beat any more, add none.
func (d *direct) beat(incarnation uint64, b mark, share int) (shaped bool) {
	if incarnation != d.incarnation || b.sequence <= d.last.sequence {
		d.restart()
		d.incarnation = incarnation
	}
	if d.met > 0 && b.sequence > d.met {
		d.add(d.shape, share)
		d.met, shaped = 0, true
	}
	if d.first.sequence == 0 {
		d.first, d.middle = b, b
	}
	if d.last = b; b.sequence-d.middle.sequence >= spanBeats {
		d.first, d.middle = d.middle, b
	}
	return shaped
}

// restart forgets all but the shapes, and the pace as it was: that of a program that goes on is most likely the same.
func (d *direct) restart() {
	before := d.before
	if pace, known := d.pace(); known {
		before = pace
	}
	*d = direct{shapes: d.shapes, before: before}
}

// pace is how far apart the peer's beats are made, once that is known.
func (d *direct) pace() (pace time.Duration, known bool) {
	beats := d.last.sequence - d.first.sequence
	if d.first.sequence == 0 || beats < spanLeast {
		return 0, false
	}
	return (d.last.made - d.first.made) / time.Duration(beats), true //nolint:gosec // at most the length of a ladder
}

// shapes are ages divided by a pace, oldest first, with the largest of them. They are not to be copied to another place.
type shapes struct {
	list []float32
	near [leastShare]float32 // what list is of until it has been longer, as where peers are few
	top  float32             // 0 without any
}

// add keeps at most share.
func (s *shapes) add(shape float32, share int) {
	if s.list == nil {
		s.list = s.near[:0]
	}
	if old := len(s.list) + 1 - share; old > 0 {
		s.list = slices.Delete(s.list, 0, old)
	}
	s.list = append(s.list, shape)
	s.top = slices.Max(s.list)
}

// Beat says that a newer beat of a peer came, and when it was made.
func (d *Detector) Beat(id pki.ID, incarnation, sequence uint64, made time.Time) {
	if d.began.IsZero() {
		d.began = made
	}
	at := d.place(id)
	p := &d.peers[at].direct
	if p.beat(incarnation, mark{made.Sub(d.began), sequence}, max(leastShare, ringSamples/max(1, d.direct.peers))) {
		d.direct.note(at, &p.shapes)
	}
}

// Met says that a peer was met by chance, not because it was doubted, and how old its newest beat was then by its own word.
func (d *Detector) Met(id pki.ID, sequence uint64, age, declared time.Duration) {
	at, known := d.find(id)
	if !known {
		return
	}
	p := &d.peers[at].direct
	if pace, known := p.pace(); known && sequence == p.last.sequence {
		p.met, p.shape = sequence, float32(float64(age)/float64(d.atLeast(pace, declared)))
	}
}

// Fell says that a peer was convicted: how old it was then is nobody's pace.
func (d *Detector) Fell(id pki.ID) {
	if at, known := d.find(id); known {
		d.peers[at].direct.restart()
	}
}

// Direct is how old a peer's newest beat may be by its own word. No delay of gossip is in that, so it is far less than an age may be
// that came by others. The plain rule has none.
func (d *Detector) Direct(id pki.ID, declared time.Duration) time.Duration {
	if d.cfg.Strict {
		return forever
	}
	stretch := d.direct.stretched(d, firstDirect, leastDirect, directFactor)
	floor, before := directFloor*d.cfg.Least, time.Duration(0)
	if at, known := d.find(id); known {
		p := &d.peers[at].direct
		if pace, known := p.pace(); known {
			return max(floor, times(d.atLeast(pace, declared), stretch))
		}
		before = p.before
	}
	return max(floor, times(before, stretch), times(d.atLeast(0, declared), max(firstDirect, stretch)))
}

// atLeast is a pace, or what the peer declares where that is longer: it may rest for so long whenever it likes.
func (d *Detector) atLeast(pace, declared time.Duration) time.Duration {
	if declared <= 0 {
		declared = d.cfg.Period
	}
	return max(pace, declared, leastPace)
}
