package signature

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
)

// A Statement is a signature as its owner publishes it.
//
//  1. Of two statements the one of the later incarnation is the newer, of equal ones the one of the higher version. Both are 1 or more.
//  2. The version grows when the content changes, and only then.
type Statement struct {
	Incarnation uint64
	Version     uint64
	Signature
}

// Newer tells whether the statement replaces another one of the same owner.
func (s Statement) Newer(other Statement) bool {
	if s.Incarnation != other.Incarnation {
		return s.Incarnation > other.Incarnation
	}
	return s.Version > other.Version
}

const (
	codecVersion = 1
	headSize     = 1 + 8 + 8 + 8 + 2 + 2 + 1
	numberSize   = 4

	// MaxStatement bounds an encoded statement, in bytes.
	MaxStatement = headSize + numberSize*(MaxDimension+MaxBins)
	// MaxShortStatement bounds one in the short form.
	MaxShortStatement = headSize + numberSize*(ShortMean+MaxBins)
)

// AppendBinary encodes the statement: u8 1, u64 incarnation, u64 version, u64 count, u16 dimension, u16 coordinates, u8 bins, then both lists
// as float32, all big-endian.
func (s Statement) AppendBinary(b []byte) []byte {
	b = append(b, codecVersion)
	b = binary.BigEndian.AppendUint64(b, s.Incarnation)
	b = binary.BigEndian.AppendUint64(b, s.Version)
	b = binary.BigEndian.AppendUint64(b, s.Count)
	b = binary.BigEndian.AppendUint16(b, uint16(s.Dimension)) //nolint:gosec // at most MaxDimension
	b = binary.BigEndian.AppendUint16(b, uint16(len(s.Mean))) //nolint:gosec // at most MaxDimension
	b = append(b, uint8(len(s.Histogram)))                    //nolint:gosec // at most MaxBins
	return appendNumbers(appendNumbers(b, s.Mean), s.Histogram)
}

// Parse reads a statement in its full form.
func Parse(b []byte) (Statement, error) { return parse(b, MaxDimension) }

// ParseShort reads a statement in its short form.
func ParseShort(b []byte) (Statement, error) { return parse(b, ShortMean) }

// parse reads a statement whose mean has at most so many coordinates. Everything has one form: it encodes to the same bytes.
func parse(b []byte, most int) (Statement, error) {
	if len(b) < headSize {
		return Statement{}, errors.New("cut short")
	}
	if b[0] != codecVersion {
		return Statement{}, fmt.Errorf("version %d where %d is known", b[0], codecVersion)
	}
	s := Statement{Incarnation: binary.BigEndian.Uint64(b[1:]), Version: binary.BigEndian.Uint64(b[9:])}
	s.Count = binary.BigEndian.Uint64(b[17:])
	s.Dimension = int(binary.BigEndian.Uint16(b[25:]))
	means, bins := int(binary.BigEndian.Uint16(b[27:])), int(b[29])
	b = b[headSize:]
	if len(b) != numberSize*(means+bins) {
		return Statement{}, fmt.Errorf("%d bytes of numbers where %d are needed", len(b), numberSize*(means+bins))
	}
	if s.Incarnation == 0 || s.Version == 0 {
		return Statement{}, errors.New("incarnation or version 0 where 1 is the first")
	}
	if means > MaxDimension || bins > MaxBins { // before anything is allocated
		return Statement{}, fmt.Errorf("%d coordinates and %d bins are over the bounds of %d and %d", means, bins, MaxDimension, MaxBins)
	}
	s.Mean, s.Histogram = numbers(b[:numberSize*means]), numbers(b[numberSize*means:])
	if err := s.check(min(s.Dimension, most)); err != nil {
		return Statement{}, err
	}
	return s, nil
}

func appendNumbers(b []byte, list []float32) []byte {
	for _, x := range list {
		b = binary.BigEndian.AppendUint32(b, math.Float32bits(x))
	}
	return b
}

func numbers(b []byte) (list []float32) {
	for ; len(b) > 0; b = b[numberSize:] {
		list = append(list, math.Float32frombits(binary.BigEndian.Uint32(b)))
	}
	return list
}

const sumVersion = 1

// AppendBinary encodes the sum: u8 1, u64 count, u16 dimension, the totals as float64, the bins as u64, all big-endian.
func (s Sum) AppendBinary(b []byte) []byte {
	b = append(b, sumVersion)
	b = binary.BigEndian.AppendUint64(b, s.count)
	b = binary.BigEndian.AppendUint16(b, uint16(len(s.total))) //nolint:gosec // at most MaxDimension
	for _, x := range s.total {
		b = binary.BigEndian.AppendUint64(b, math.Float64bits(x))
	}
	for _, n := range s.bins {
		b = binary.BigEndian.AppendUint64(b, n)
	}
	return b
}

// ParseSum reads what AppendBinary of a sum wrote.
func ParseSum(b []byte) (Sum, error) {
	const head = 1 + 8 + 2
	if len(b) < head || b[0] != sumVersion {
		return Sum{}, errors.New("no sum")
	}
	s := Sum{count: binary.BigEndian.Uint64(b[1:])}
	dimension := int(binary.BigEndian.Uint16(b[9:]))
	b = b[head:]
	switch {
	case dimension > MaxDimension || (s.count == 0) != (dimension == 0):
		return Sum{}, fmt.Errorf("a sum of %d samples of %d dimensions", s.count, dimension)
	case len(b) != 8*(dimension+Bins):
		return Sum{}, fmt.Errorf("%d bytes of numbers where %d are needed", len(b), 8*(dimension+Bins))
	}
	for ; dimension > 0; dimension-- {
		x := math.Float64frombits(binary.BigEndian.Uint64(b))
		if math.IsNaN(x) || math.IsInf(x, 0) {
			return Sum{}, fmt.Errorf("a total of %v", x)
		}
		s.total, b = append(s.total, x), b[8:]
	}
	for i := range s.bins {
		s.bins[i], b = binary.BigEndian.Uint64(b), b[8:]
	}
	return s, nil
}
