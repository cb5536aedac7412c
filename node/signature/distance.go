package signature

import "math"

// Distance tells how far apart the data are that two signatures summarise, from 0 to 1 (docs/signature.md). It is the mean of
// two metrics: of the root mean square r of the differences between the means' coordinates, in the unit of the data, as
// r/(1+r); of the histograms half the sum of the differences between their shares. So it is a metric of (mean, shares) among the
// signatures that can be compared, up to rounding. Those without samples, of different dimensions or numbers of bins, or in
// different forms, cannot.
func Distance(a, b Signature) (distance float64, comparable bool) {
	if a.Count == 0 || b.Count == 0 || a.Dimension != b.Dimension || len(a.Mean) != len(b.Mean) || len(a.Histogram) != len(b.Histogram) {
		return 0, false
	}
	r := meanDifference(a, b)
	return (r/(1+r) + shareDifference(a.Histogram, b.Histogram)) / 2, true
}

func meanDifference(a, b Signature) float64 {
	sum := 0.0
	for i := range a.Mean {
		d := float64(a.Mean[i]) - float64(b.Mean[i])
		sum += d * d
	}
	return math.Sqrt(sum / float64(a.Dimension))
}

// shareDifference is the total variation distance.
func shareDifference(a, b []float32) float64 {
	totalA, totalB, sum := total(a), total(b), 0.0
	for i := range a {
		sum += math.Abs(float64(a[i])/totalA - float64(b[i])/totalB)
	}
	return min(1, sum/2)
}

func total(bins []float32) (sum float64) {
	for _, x := range bins {
		sum += float64(x)
	}
	return sum
}
