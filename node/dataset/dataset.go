// Package dataset reads samples from text.
package dataset

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/g2g-net/g2g/node/signature"
)

const (
	// MaxLine bounds a line in bytes: as much as 1,024 numbers of any usual length, and a label.
	MaxLine = 64 << 10
	// MaxFaults bounds the faults that are named; all are counted.
	MaxFaults = 20

	maxQuoted = 40 // bytes of a value that a fault shows
)

// A Report is what Read found.
type Report struct {
	Samples   int // good ones
	Dimension int
	Header    bool // the first line was taken for one
	Labels    bool // the first column was taken for labels
	Bad       int  // lines
	Faults    []Fault
}

// A Fault is what is wrong with a line.
type Fault struct {
	Line int // from 1
	Why  string
}

func (f Fault) String() string { return fmt.Sprintf("line %d: %s", f.Line, f.Why) }

// Read hands over each sample of CSV or of JSON lines; the first line decides which it is. A first line of CSV without a number is a
// header, and a first column whose first value is no number holds labels: neither is part of a sample. Blank lines are nothing. Every
// sample must have the dimension, or that of the first one if it is 0. After the first bad line none is handed over any more, but all
// lines are looked at. The error is the text's reader's or take's.
func Read(text io.Reader, dimension int, take func(sample []float32) error) (Report, error) {
	p := &reader{text: bufio.NewReaderSize(text, MaxLine), take: take}
	p.Dimension = dimension
	for more := true; more; {
		line, err := p.line()
		more = err == nil
		if !more && !errors.Is(err, io.EOF) {
			return p.Report, fmt.Errorf("read data: %w", err)
		}
		if err := p.row(line); err != nil {
			return p.Report, err
		}
	}
	return p.Report, nil
}

type reader struct {
	Report
	text   *bufio.Reader
	take   func([]float32) error
	number int
	first  bool // a line was read that is not blank
	rows   bool // a line was read that is no header
	json   bool
	long   bool
}

// line reads one; of one that is too long only the end is left.
func (p *reader) line() ([]byte, error) {
	p.number++
	p.long = false
	for {
		line, err := p.text.ReadSlice('\n')
		if !errors.Is(err, bufio.ErrBufferFull) {
			if p.number == 1 {
				line = bytes.TrimPrefix(line, []byte("\ufeff"))
			}
			return bytes.TrimSpace(line), err
		}
		p.long = true
	}
}

// row takes one line in. Its error is take's.
func (p *reader) row(line []byte) error {
	if p.long {
		p.fault(fmt.Errorf("over %d bytes", MaxLine))
		return nil
	}
	if len(line) == 0 {
		return nil
	}
	if !p.first {
		p.first, p.json = true, line[0] == '[' || line[0] == '{'
	}
	sample, err := p.sample(line)
	switch {
	case err != nil:
		p.fault(err)
	case sample == nil:
	case p.Bad == 0:
		p.Samples++
		p.Dimension = len(sample)
		return p.take(sample)
	}
	return nil
}

func (p *reader) fault(why error) {
	p.Bad++
	if len(p.Faults) < MaxFaults {
		p.Faults = append(p.Faults, Fault{p.number, why.Error()})
	}
}

// sample parses a line: nil for a header.
func (p *reader) sample(line []byte) (sample []float32, err error) {
	if p.json {
		sample, err = parseJSON(line)
	} else {
		sample, err = p.parseCSV(line)
	}
	if err != nil || sample == nil {
		return nil, err
	}
	return sample, signature.CheckSample(sample, p.Dimension)
}

func parseJSON(line []byte) ([]float32, error) {
	var numbers []json.Number // which takes null for none, where a float would take it for 0
	if err := json.Unmarshal(line, &numbers); err != nil || numbers == nil {
		return nil, errors.New("no JSON array of numbers")
	}
	sample := make([]float32, len(numbers))
	for i, text := range numbers {
		x, err := parseNumber(text.String())
		if err != nil {
			return nil, fmt.Errorf("value %d: %w", i+1, err)
		}
		sample[i] = x
	}
	return sample, nil
}

func (p *reader) parseCSV(line []byte) ([]float32, error) {
	fields, err := split(string(line))
	if err != nil {
		return nil, err
	}
	if !p.rows && !p.Header && isHeader(fields) {
		p.Header = true
		return nil, nil
	}
	if !p.rows {
		_, err := parseNumber(fields[0])
		p.rows, p.Labels = true, err != nil && len(fields) > 1
	}
	skipped := 0
	if p.Labels {
		fields, skipped = fields[1:], 1
	}
	sample := make([]float32, len(fields))
	for i, text := range fields {
		x, err := parseNumber(text)
		if err != nil {
			return nil, fmt.Errorf("column %d: %w", i+1+skipped, err)
		}
		sample[i] = x
	}
	return sample, nil
}

// split parts a line of CSV; quoted values with line breaks in them are none of a number's.
func split(line string) ([]string, error) {
	if !strings.Contains(line, `"`) {
		return strings.Split(line, ","), nil
	}
	fields, err := csv.NewReader(strings.NewReader(line)).Read()
	if err != nil {
		return nil, errors.New("its quotes do not fit")
	}
	return fields, nil
}

func isHeader(fields []string) bool {
	for _, text := range fields {
		if _, err := parseNumber(text); err == nil {
			return false
		}
	}
	return true
}

func parseNumber(text string) (float32, error) {
	text = strings.TrimSpace(text)
	x, err := strconv.ParseFloat(text, 32)
	switch {
	case errors.Is(err, strconv.ErrRange):
		return 0, fmt.Errorf("%s is too large for a float32", quoted(text))
	case err != nil:
		return 0, fmt.Errorf("%s is no number", quoted(text))
	}
	return float32(x), nil
}

func quoted(text string) string {
	if len(text) > maxQuoted {
		return fmt.Sprintf("%q...", text[:maxQuoted])
	}
	return fmt.Sprintf("%q", text)
}
