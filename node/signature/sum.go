package signature

import (
	"errors"
	"fmt"
	"math"
	"slices"
)

// Bins is the number of bins that a Sum counts values in: half for each sign, and of those one for what is below 2^-8, one for what is
// 2^7 or more, the others half an octave each. They are the same for all data, so that any two sums can be merged.
const Bins = 64

// edges are where the bins of one sign begin, but for the first: 2^-8, 2^-7.5, up to 2^7.
var edges = func() (e [Bins/2 - 1]float64) {
	for k := range e {
		e[k] = math.Ldexp(1, k/2-8)
		if k%2 == 1 {
			e[k] = math.Ldexp(math.Sqrt2, k/2-8)
		}
	}
	return e
}()

// bin is where a value is counted. 0 counts as positive.
func bin(x float32) int {
	k, exact := slices.BinarySearch(edges[:], math.Abs(float64(x)))
	if exact {
		k++
	}
	if x < 0 {
		return Bins/2 - 1 - k
	}
	return Bins/2 + k
}

// A Sum is what the signature of samples is made of. It grows by samples or by other sums, in any order. The zero Sum is of none.
//
//  1. total has one number for each dimension of the samples, and none before the first.
//  2. Counts and bins are exact. totals are so but for rounding, which the order of additions decides.
type Sum struct {
	count uint64
	total []float64
	bins  [Bins]uint64
}

// CheckSample reports what is wrong with a sample of a set of that dimension; 0 for any.
func CheckSample(sample []float32, dimension int) error {
	switch n := len(sample); {
	case n == 0:
		return errors.New("no values")
	case n > MaxDimension:
		return fmt.Errorf("%d values are over the bound of %d", n, MaxDimension)
	case dimension != 0 && n != dimension:
		return fmt.Errorf("%d values where the set has %d", n, dimension)
	}
	if i := slices.IndexFunc(sample, func(x float32) bool { return !finite(x) }); i >= 0 {
		return fmt.Errorf("value %d is %v: it must be finite", i+1, sample[i])
	}
	return nil
}

// Add takes one sample in. One that CheckSample refuses changes nothing.
func (s *Sum) Add(sample []float32) error {
	if err := CheckSample(sample, s.Dimension()); err != nil {
		return err
	}
	if s.total == nil {
		s.total = make([]float64, len(sample))
	}
	for i, x := range sample {
		s.total[i] += float64(x)
		s.bins[bin(x)]++
	}
	s.count++
	return nil
}

// Merge takes in all that another sum has. One of another dimension changes nothing.
func (s *Sum) Merge(other Sum) error {
	if other.count == 0 {
		return nil
	}
	if s.count != 0 && len(s.total) != len(other.total) {
		return fmt.Errorf("a sum of %d dimensions into one of %d", len(other.total), len(s.total))
	}
	if s.total == nil {
		s.total = make([]float64, len(other.total))
	}
	for i, x := range other.total {
		s.total[i] += x
	}
	for i, n := range other.bins {
		s.bins[i] += n
	}
	s.count += other.count
	return nil
}

// Clone is an independent copy.
func (s Sum) Clone() Sum {
	s.total = slices.Clone(s.total)
	return s
}

// Count is the number of samples.
func (s Sum) Count() uint64 { return s.count }

// Dimension is that of the samples; 0 without any.
func (s Sum) Dimension() int { return len(s.total) }

// SameSamples tells whether two sums can be of the same samples: they agree in all that is exact.
func (s Sum) SameSamples(other Sum) bool {
	return s.count == other.count && len(s.total) == len(other.total) && s.bins == other.bins
}

// Signature is what the sum says of its samples.
func (s Sum) Signature() Signature {
	if s.count == 0 {
		return Signature{}
	}
	sig := Signature{Dimension: len(s.total), Mean: make([]float32, len(s.total)), Histogram: make([]float32, Bins), Count: s.count}
	for i, x := range s.total {
		sig.Mean[i] = float32(x / float64(s.count))
	}
	for i, n := range s.bins {
		sig.Histogram[i] = float32(n)
	}
	return sig
}
