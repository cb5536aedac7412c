package stale

import (
	"cmp"
	"math"
	"slices"
	"time"

	"github.com/g2g-net/g2g/pki"
)

// deviations is how many standard deviations above the mean an age may be: the rule that the project began with.
const deviations = 2

// An Age is one node of the list that a limit stands on: what is known of it, and what Limit finds.
type Age struct {
	ID     pki.ID
	Age    time.Duration // since its signature is known to have advanced, on this node's clock
	Period time.Duration // that it declares; 0 for none
	Place  int           // where it may be remembered; 0 where that is not known

	Own     time.Duration // its own pace
	Trusted bool          // it is in the list that mean and deviation stand on
	Late    bool          // past the limit: not to be queried
	Suspect bool          // past the limit, and past what its own pace may be stretched to: to be asked, then convicted
}

// A Bound is a limit with the numbers behind it.
type Bound struct {
	Limit   time.Duration
	Mean    time.Duration // of the trusted ages
	StdDev  time.Duration // of the trusted ages, as a population
	N       int           // how many ages are trusted
	Stretch float64       // what an own pace may be stretched by; 0 under the plain rule
	Floor   time.Duration // stretch x the median of the own paces, below which no limit falls; 0 under the plain rule
}

// Limit finds the limit over the ages, and fills in what it finds of each. The ages are those of the peers that count and
// the node's own. Their order changes nothing.
func (d *Detector) Limit(ages []Age) Bound {
	if d.cfg.Strict {
		return d.plain(ages)
	}
	d.paces = d.paces[:0]
	d.touch(ages)
	for i := range ages {
		d.Near(ages[i].Place)
		ages[i].Own = d.Own(ages[i].ID, ages[i].Period)
		d.paces = append(d.paces, ages[i].Own)
	}
	b := Bound{Stretch: d.stretched(), Floor: d.cfg.Least}
	if len(ages) > 0 {
		b.Floor = max(b.Floor, times(nth(d.paces, len(d.paces)/2), b.Stretch))
	}
	list, youth := d.trust(ages, b.Floor)
	b.N, b.Mean, b.StdDev = list.n, round(list.mean), round(list.deviation())
	b.Limit = max(b.Floor, round(list.limit()))
	for i := range ages {
		a := &ages[i]
		a.Trusted = a.Age <= youth
		a.Late = a.Age > b.Limit
		a.Suspect = a.Late && a.Age > times(a.Own, b.Stretch)
	}
	return b
}

// touch reads what Own will need of each, all at once: see Touch.
func (d *Detector) touch(ages []Age) {
	var read time.Duration
	for i := range ages {
		if at := ages[i].Place; at < len(d.peers) {
			read += d.peers[at].own
		}
	}
	d.touched = read // or the compiler would leave the loop out
}

// plain is mean + 2 standard deviations over all ages.
func (d *Detector) plain(ages []Age) Bound {
	var list moments
	for i := range ages {
		list.add(ages[i].Age)
	}
	b := Bound{Limit: round(list.limit()), Mean: round(list.mean), StdDev: round(list.deviation()), N: list.n}
	for i := range ages {
		a := &ages[i]
		a.Own, a.Trusted = d.Own(a.ID, a.Period), true
		a.Late = a.Age > b.Limit
		a.Suspect = a.Late
	}
	return b
}

// trust gathers the ages that the limit stands on: those up to the floor, and then the next older one as long as it is
// within the limit of those before it. So it follows the bulk where all grow slow together, and the dead, who are far
// from the bulk, stay out however many they are. It gives the age up to which all are trusted.
func (d *Detector) trust(ages []Age, floor time.Duration) (list moments, youth time.Duration) {
	youth, d.outside = floor, d.outside[:0]
	for i := range ages {
		if ages[i].Age <= floor {
			list.add(ages[i].Age)
		} else {
			d.outside = append(d.outside, ages[i].Age)
		}
	}
	if list.n == 0 {
		return list, youth
	}
	slices.Sort(d.outside)
	for _, age := range d.outside {
		if age > round(list.limit()) {
			break
		}
		list.add(age)
		youth = age
	}
	return list, youth
}

// moments are mean and spread of a list, kept so that adding a long age to long ages loses nothing (Welford 1962).
type moments struct {
	n       int
	mean    float64
	squares float64 // of the differences to the mean
}

func (m *moments) add(age time.Duration) {
	m.n++
	d := float64(age) - m.mean
	m.mean += d / float64(m.n)
	m.squares += d * (float64(age) - m.mean)
}

func (m *moments) deviation() float64 {
	if m.n == 0 {
		return 0
	}
	return math.Sqrt(m.squares / float64(m.n))
}

func (m *moments) limit() float64 { return m.mean + deviations*m.deviation() }

// round gives a duration, to the nanosecond, so that an age that is exactly at the limit is not past it.
func round(ns float64) time.Duration {
	if ns >= math.MaxInt64 {
		return math.MaxInt64
	}
	return time.Duration(math.Round(ns))
}

func times(d time.Duration, by float64) time.Duration { return round(float64(d) * by) }

// nth gives the k-th smallest, counted from 0, and leaves s in another order (Hoare's quickselect).
func nth[T cmp.Ordered](s []T, k int) T {
	low, high := 0, len(s)-1
	for low < high {
		pivot, i, j := s[low+(high-low)/2], low, high
		for i <= j {
			for s[i] < pivot {
				i++
			}
			for s[j] > pivot {
				j--
			}
			if i <= j {
				s[i], s[j] = s[j], s[i]
				i, j = i+1, j-1
			}
		}
		switch {
		case k <= j:
			high = j
		case k >= i:
			low = i
		default:
			return s[k]
		}
	}
	return s[k]
}
