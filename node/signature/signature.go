// Package signature summarises a node's data, so that two nodes can tell how far apart theirs are.
package signature

import (
	"errors"
	"fmt"
	"math"
	"slices"
)

// Bounds of a signature. What is over them is refused, whoever made it.
const (
	MaxDimension = 1024    // coordinates of a sample, and so of a mean
	MaxBins      = 128     // of a histogram
	MaxCount     = 1 << 53 // samples: as many as a JSON number counts exactly
	ShortMean    = 128     // coordinates of a mean in its short form
)

// A Signature is the mean and the histogram of all of a node's data. It is immutable once made.
//
//  1. Without samples it has neither mean nor histogram: it says nothing.
//  2. Else Mean has Dimension coordinates, or in its short form at most ShortMean; all are finite.
//  3. Histogram has 1 to MaxBins bins, none negative, not all zero. Only their shares count.
//
// Check finds what breaks this. Sum, Of, Short and Parse give nothing that does, and Distance relies on it.
type Signature struct {
	Dimension int
	Mean      []float32
	Histogram []float32
	Count     uint64
}

// Of makes a signature of numbers that somebody else worked out, rounded to float32.
func Of(mean, histogram []float64, count uint64) (Signature, error) {
	s := Signature{Dimension: len(mean), Count: count}
	var err error
	if s.Mean, err = round("mean", mean, MaxDimension); err != nil {
		return Signature{}, err
	}
	if s.Histogram, err = round("histogram", histogram, MaxBins); err != nil {
		return Signature{}, err
	}
	if err := s.Check(); err != nil {
		return Signature{}, err
	}
	return s, nil
}

// round checks the count before it allocates.
func round(what string, numbers []float64, bound int) ([]float32, error) {
	if len(numbers) > bound {
		return nil, fmt.Errorf("%s of %d numbers is over the bound of %d", what, len(numbers), bound)
	}
	var out []float32
	for i, x := range numbers {
		if !finite(float32(x)) {
			return nil, fmt.Errorf("%s[%d] is %v: it must be finite, and no larger than a float32", what, i, x)
		}
		out = append(out, float32(x))
	}
	return out, nil
}

// Check reports the first rule that a full signature breaks.
func (s Signature) Check() error { return s.check(s.Dimension) }

// check is Check for either form: means is how many coordinates the mean must have.
func (s Signature) check(means int) error {
	switch {
	case s.Dimension < 0 || s.Dimension > MaxDimension:
		return fmt.Errorf("%d dimensions are over the bound of %d", s.Dimension, MaxDimension)
	case len(s.Histogram) > MaxBins:
		return fmt.Errorf("%d bins are over the bound of %d", len(s.Histogram), MaxBins)
	case s.Count > MaxCount:
		return fmt.Errorf("a count of %d is over the bound of %d", s.Count, uint64(MaxCount))
	case s.Count == 0 && (s.Dimension > 0 || len(s.Mean) > 0 || len(s.Histogram) > 0):
		return errors.New("a mean or a histogram of no samples")
	case s.Count == 0:
		return nil
	case s.Dimension == 0:
		return errors.New("samples without a mean")
	case len(s.Mean) != means:
		return fmt.Errorf("a mean of %d coordinates where %d are needed", len(s.Mean), means)
	}
	if i := slices.IndexFunc(s.Mean, func(x float32) bool { return !finite(x) }); i >= 0 {
		return fmt.Errorf("mean[%d] is %v: it must be finite", i, s.Mean[i])
	}
	return checkHistogram(s.Histogram)
}

func checkHistogram(bins []float32) error {
	total := 0.0
	for i, x := range bins {
		if !finite(x) || x < 0 {
			return fmt.Errorf("histogram[%d] is %v: it must be finite and not negative", i, x)
		}
		total += float64(x)
	}
	if total == 0 {
		return errors.New("samples without a histogram")
	}
	return nil
}

func finite(x float32) bool { return !math.IsNaN(float64(x)) && !math.IsInf(float64(x), 0) }

// Equal tells whether two signatures say the same in the same form.
func (s Signature) Equal(other Signature) bool {
	return s.Dimension == other.Dimension && s.Count == other.Count && slices.Equal(s.Mean, other.Mean) && slices.Equal(s.Histogram, other.Histogram)
}

// IsShort tells whether the mean is projected.
func (s Signature) IsShort() bool { return len(s.Mean) < s.Dimension }

// Short is the form that travels to every peer that is talked to: a mean of more than ShortMean coordinates is projected onto
// as many. Each coordinate is added to one place, or taken from it; which and whether, a hash of its index says, the same at
// every node. The projection is linear, and keeps distances about as they are.
func (s Signature) Short() Signature {
	if s.Dimension <= ShortMean || s.IsShort() {
		return s
	}
	var places [ShortMean]float64
	for i, x := range s.Mean {
		h := mix(uint64(i))
		if h>>63 == 0 {
			places[h%ShortMean] += float64(x)
		} else {
			places[h%ShortMean] -= float64(x)
		}
	}
	short := s
	short.Mean = make([]float32, ShortMean)
	for i, x := range places {
		short.Mean[i] = float32(max(-math.MaxFloat32, min(x, math.MaxFloat32)))
	}
	return short
}

// mix is the finaliser of SplitMix64 (Steele, Lea, Flood 2014).
func mix(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}
