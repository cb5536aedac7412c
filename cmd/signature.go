package cmd

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/g2g-net/g2g/proto/adminpb"
)

// A shownSignature is a node's signature in full.
type shownSignature struct {
	ID        string    `json:"id"`
	Name      string    `json:"name"`
	Sequence  uint64    `json:"sequence"`
	AgeMS     int64     `json:"age_ms"`
	Count     uint64    `json:"count"`
	Dimension int       `json:"dimension"`
	Mean      []float32 `json:"mean"`
	Histogram []float32 `json:"histogram"`
	Distance  *float64  `json:"distance"` // to this node's; null where they cannot be compared
	Short     bool      `json:"short"`    // the mean is projected: the peer could not be asked
	Published bool      `json:"published"`
}

// maxSignatureFile bounds what is read of a file, in bytes.
const maxSignatureFile = 1 << 20

func (a *app) signatureCommand() *cobra.Command {
	return group(&cobra.Command{
		Use:     "signature",
		Short:   "Show and publish what nodes say of their data",
		Long:    "A signature is the summary of a node's data: mean, histogram and count. Publishing it is a node's sign of life.",
		Example: "  g2g signature show node-b",
	}, a.signatureShowCommand(), a.signaturePublishCommand())
}

func (a *app) signatureShowCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "show [PEER]",
		Short: "Show a node's signature, and how far its data are from this one's",
		Long: `Shows the signature of PEER, or of the node in the folder. A peer is asked for it in full; of one that cannot be asked the short form is
shown that it told last, in which a mean of more than 128 coordinates is projected. The distance is from 0 to 1; signatures of other
dimensions or numbers of bins, and such of no samples, have none.`,
		Example:           "  g2g signature show\n  g2g signature show node-b -o json | jq .distance",
		Args:              cobra.MaximumNArgs(1),
		ValidArgsFunction: a.completePeers,
	}
	f := output(c, asTable, asJSON, asLines)
	c.RunE = func(c *cobra.Command, args []string) error {
		return a.ask(c.Context(), func(node *client) error {
			id := ""
			if len(args) == 1 {
				p, err := node.Picture(c.Context())
				if err != nil {
					return err
				}
				if args[0] != p.self.Name && args[0] != p.self.ID {
					peer, err := resolve(p.peers, args[0])
					if err != nil {
						return err
					}
					id = peer.ID
				}
			}
			s, err := node.Signature(c.Context(), id)
			if err != nil {
				return err
			}
			return writeObject(a.out, f.value, s, s.Name, signatureFields(s))
		})
	}
	return c
}

func signatureFields(s shownSignature) []field {
	fields := []field{{"name", s.Name}, {"id", s.ID}}
	if !s.Published {
		return append(fields, field{"signature", "not known"})
	}
	mean := fmt.Sprintf("%d coordinates: %s", s.Dimension, someOf(s.Mean))
	if s.Short {
		mean = fmt.Sprintf("%d coordinates, projected onto %d: %s", s.Dimension, len(s.Mean), someOf(s.Mean))
	}
	return append(fields,
		field{"sequence", strconv.FormatUint(s.Sequence, 10)}, field{"age", milliseconds(s.AgeMS)}, field{"count", strconv.FormatUint(s.Count, 10)},
		field{"mean", mean}, field{"histogram", fmt.Sprintf("%d bins", len(s.Histogram))}, field{"distance", distanceText(s.Distance)})
}

// someOf are the first of many numbers.
func someOf(numbers []float32) string {
	text := ""
	for i, x := range numbers[:min(len(numbers), 4)] {
		if i > 0 {
			text += " "
		}
		text += strconv.FormatFloat(float64(x), 'g', 4, 32)
	}
	if len(numbers) > 4 {
		text += " ..."
	}
	return text
}

// distanceText is a distance in a table.
func distanceText(d *float64) string {
	if d == nil {
		return "-"
	}
	return strconv.FormatFloat(*d, 'f', 4, 64)
}

// A publication is what a file says that is published.
type publication struct {
	Mean      []float64 `json:"mean"`
	Histogram []float64 `json:"histogram"`
	Count     uint64    `json:"count"`
}

func (a *app) signaturePublishCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "publish FILE|-",
		Short: "Publish an application's signature, its sign of life",
		Long: `Publishes what an application says of its data: {"mean": [...], "histogram": [...], "count": N}. The node must have signature.source =
"application"; then nothing else is its sign of life. Publish at least once each signature.period, from where the application does its
work, also when nothing has changed.`,
		Example: `  echo '{"mean": [0.5, 2], "histogram": [3, 9, 1], "count": 13}' | g2g signature publish -`,
		Args:    exactly(1, "FILE"),
	}
	f := output(c, asTable, asJSON, asLines)
	c.RunE = func(c *cobra.Command, args []string) error {
		text, err := a.open(args[0])
		if err != nil {
			return err
		}
		defer func() { _ = text.Close() }()
		p, err := readPublication(text)
		if err != nil {
			return err
		}
		return a.ask(c.Context(), func(node *client) error {
			reply, err := node.rpc.PublishSignature(c.Context(), &adminpb.PublishSignatureRequest{Mean: p.Mean, Histogram: p.Histogram, Count: p.Count})
			if err != nil {
				return err
			}
			a.Note("published signature %d", reply.GetSequence())
			if f.value == asTable {
				return nil
			}
			return writeObject(a.out, f.value, struct {
				Sequence uint64 `json:"sequence"`
			}{reply.GetSequence()}, "", nil)
		})
	}
	return c
}

func readPublication(text io.Reader) (p publication, err error) {
	b, err := io.ReadAll(io.LimitReader(text, maxSignatureFile+1))
	switch {
	case err != nil:
		return p, fmt.Errorf("read signature: %w", err)
	case len(b) > maxSignatureFile:
		return p, fmt.Errorf("read signature: over %d bytes", maxSignatureFile)
	}
	if err := strictJSON(b, &p); err != nil {
		return publication{}, &failure{
			why: fmt.Errorf("read signature: %w", err), hint: `it looks like {"mean": [0.5, 2], "histogram": [3, 9, 1], "count": 13}`, code: exitUsage,
		}
	}
	return p, nil
}

// strictJSON takes one object with known fields only, whose arrays hold numbers and no null.
func strictJSON(b []byte, p *publication) error {
	var q struct {
		Mean      []*float64 `json:"mean"`
		Histogram []*float64 `json:"histogram"`
		Count     *uint64    `json:"count"`
	}
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err := d.Decode(&q); err != nil {
		return err
	}
	if d.More() {
		return errors.New("more than one object")
	}
	if q.Count == nil {
		return errors.New("there is no count")
	}
	p.Count = *q.Count
	for _, list := range []struct {
		from []*float64
		to   *[]float64
	}{{q.Mean, &p.Mean}, {q.Histogram, &p.Histogram}} {
		for _, x := range list.from {
			if x == nil {
				return errors.New("null is no number")
			}
			*list.to = append(*list.to, *x)
		}
	}
	return nil
}
