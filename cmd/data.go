package cmd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/g2g-net/g2g/node/dataset"
)

const dataLong = `A node's data are samples: vectors of 1 to 1024 numbers, all of one length. They are kept in the folder, each once, at most
100000, and summarised by the node's signature.`

// A dataView is how much data there is.
type dataView struct {
	Count     int   `json:"count"`
	Dimension int   `json:"dimension"`
	Bytes     int64 `json:"bytes"`
}

// A loadedView is what became of a load.
type loadedView struct {
	Added      int      `json:"added"`
	Duplicates int      `json:"duplicates"`
	Count      int      `json:"count"` // of all samples now
	Dimension  int      `json:"dimension"`
	Bytes      int64    `json:"bytes"`
	Header     bool     `json:"header"` // the first line was taken for one
	Labels     bool     `json:"labels"` // the first column was taken for labels
	Bad        int      `json:"bad"`    // lines; then nothing was added
	Faults     []string `json:"faults"` // the first of them
}

func (a *app) dataCommand() *cobra.Command {
	return group(&cobra.Command{
		Use:     "data",
		Short:   "Load and look at the node's data",
		Long:    dataLong,
		Example: "  g2g data load vectors.csv\n  g2g data stat",
	}, a.dataLoadCommand(), a.dataStatCommand(), a.dataSampleCommand())
}

func (a *app) dataLoadCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "load FILE|-",
		Short: "Load samples, all of a file or none",
		Long: dataLong + `

The file is CSV or JSON lines (an array of numbers on each); its first line says which. A first line of CSV without a number is a
header, and a first column whose first value is no number holds labels: neither is part of a sample. If a line is bad nothing is
loaded, and the bad ones are named. Samples that are there already are counted and left out.

The node in the folder may run or not.`,
		Example: "  g2g data load vectors.csv\n  zcat vectors.jsonl.gz | g2g data load -",
		Args:    exactly(1, "FILE"),
	}
	f := output(c, asTable, asJSON, asLines)
	c.RunE = func(c *cobra.Command, args []string) error {
		text, err := a.open(args[0])
		if err != nil {
			return err
		}
		defer func() { _ = text.Close() }()
		return a.withData(c.Context(), func(d dataFolder) error { return a.loadData(c.Context(), d, text, f.value) })
	}
	return c
}

// open opens a file, or stdin for -.
func (a *app) open(name string) (io.ReadCloser, error) {
	if name == "-" {
		return io.NopCloser(a.in), nil
	}
	file, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	return file, nil
}

// A dataFolder is a folder's data, through the node that runs there or without one.
type dataFolder interface {
	Stat(ctx context.Context) (dataView, error)
	Draw(ctx context.Context, n int) ([][]float32, error)
	// Begin begins a load. Its Add may keep the sample; Commit or Abort ends it.
	Begin(ctx context.Context) (dataLoad, error)
}

type dataLoad interface {
	Add(sample []float32) error
	Commit() (loadedView, error)
	Abort() error
}

// withData uses the data of the folder: the running node's, else the folder's itself.
func (a *app) withData(ctx context.Context, use func(dataFolder) error) error {
	dir, err := a.dir()
	if err != nil {
		return err
	}
	node, err := dial(ctx, dir)
	switch {
	case err == nil:
		defer node.Close()
		return use(nodeData{node})
	case !errors.Is(err, errNoNode):
		return err
	}
	return withStoppedData(dir, err, use)
}

func (a *app) loadData(ctx context.Context, d dataFolder, text io.Reader, f string) error {
	before, err := d.Stat(ctx)
	if err != nil {
		return err
	}
	load, err := d.Begin(ctx)
	if err != nil {
		return err
	}
	p := a.Progress("loading")
	defer p.End()
	n := 0
	report, err := dataset.Read(text, before.Dimension, func(sample []float32) error {
		if n++; n%10_000 == 0 {
			p.Step("loading: %d samples", n)
		}
		if err := context.Cause(ctx); err != nil {
			return err
		}
		return load.Add(sample)
	})
	p.End()
	if err != nil || report.Bad > 0 {
		return errors.Join(err, load.Abort(), badLines(report, before))
	}
	loaded, err := load.Commit()
	if err != nil {
		return err
	}
	loaded.Header, loaded.Labels, loaded.Faults = report.Header, report.Labels, []string{}
	a.Note("%s added, %d there already; the set has %s of %d values", count(loaded.Added, "sample"), loaded.Duplicates, count(loaded.Count, "sample"), loaded.Dimension)
	if report.Header || report.Labels {
		a.Note("taken for no sample: %s", leftOut(report))
	}
	if f == asTable {
		return nil
	}
	return writeObject(a.out, f, loaded, "", nil)
}

func leftOut(r dataset.Report) string {
	var parts []string
	if r.Header {
		parts = append(parts, "the first line (a header)")
	}
	if r.Labels {
		parts = append(parts, "the first column (labels)")
	}
	return strings.Join(parts, ", ")
}

// badLines is the failure that names them.
func badLines(r dataset.Report, before dataView) error {
	if r.Bad == 0 {
		return nil
	}
	var lines strings.Builder
	for _, fault := range r.Faults {
		lines.WriteString("\n  " + fault.String())
	}
	if more := r.Bad - len(r.Faults); more > 0 {
		fmt.Fprintf(&lines, "\n  and %d more", more)
	}
	hint := "mend these lines and load the file again"
	if before.Dimension > 0 {
		hint += fmt.Sprintf("; the samples that are there have %d values", before.Dimension)
	}
	return &failure{why: fmt.Errorf("%s; nothing was loaded%s", count(r.Bad, "bad line"), lines.String()), hint: hint, code: exitFailed}
}

func (a *app) dataStatCommand() *cobra.Command {
	c := &cobra.Command{
		Use:     "stat",
		Short:   "Tell how much data there is",
		Long:    dataLong + "\n\nBytes are those of the values. The file is larger: its pages are partly full, and those that became free stay in it.",
		Example: "  g2g data stat -o json",
		Args:    exactly(0),
	}
	f := output(c, asTable, asJSON, asLines)
	c.RunE = func(c *cobra.Command, _ []string) error {
		return a.withData(c.Context(), func(d dataFolder) error {
			stat, err := d.Stat(c.Context())
			if err != nil {
				return err
			}
			return writeObject(a.out, f.value, stat, "", []field{
				{"samples", strconv.Itoa(stat.Count)}, {"dimension", strconv.Itoa(stat.Dimension)}, {"bytes", strconv.FormatInt(stat.Bytes, 10)},
			})
		})
	}
	return c
}

// maxDrawn bounds what one call draws, as the node does.
const maxDrawn = 1000

func (a *app) dataSampleCommand() *cobra.Command {
	c := &cobra.Command{
		Use:     "sample [-n N]",
		Short:   "Draw samples at random",
		Long:    "Draws different samples at random, and prints each as a line of CSV (json: one array of arrays; jsonl: an array a line).",
		Example: "  g2g data sample -n 10\n  g2g data sample -n 100 -o jsonl > some.jsonl",
		Args:    exactly(0),
	}
	n := c.Flags().IntP("number", "n", 10, fmt.Sprintf("how many, 1 to %d", maxDrawn))
	f := output(c, asTable, asJSON, asLines)
	c.RunE = func(c *cobra.Command, _ []string) error {
		if *n < 1 || *n > maxDrawn {
			return wrongUsage(fmt.Sprintf("-n %d is not within 1 to %d", *n, maxDrawn), "")
		}
		return a.withData(c.Context(), func(d dataFolder) error {
			samples, err := d.Draw(c.Context(), *n)
			if err != nil {
				return err
			}
			return a.printSamples(f.value, samples)
		})
	}
	return c
}

func (a *app) printSamples(f string, samples [][]float32) error {
	switch f {
	case asJSON:
		return writeJSON(a.out, nonNil(samples))
	case asLines:
		return writeLines(a.out, samples)
	}
	var b strings.Builder
	for _, sample := range samples {
		for i, x := range sample {
			if i > 0 {
				b.WriteByte(',')
			}
			b.WriteString(strconv.FormatFloat(float64(x), 'g', -1, 32))
		}
		b.WriteByte('\n')
	}
	_, err := io.WriteString(a.out, b.String())
	return err
}
