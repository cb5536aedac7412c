package tui

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"slices"

	"google.golang.org/protobuf/encoding/protojson"

	"github.com/g2g-net/g2g/proto/adminpb"
)

// maxRecord bounds a line of a recording, in bytes: more than a message of the admin API comes to as JSON.
const maxRecord = 64 << 20

// A record is one line of a recording: a picture or an event, as the node sent it.
type record struct {
	Snapshot json.RawMessage `json:"snapshot,omitempty"`
	Event    json.RawMessage `json:"event,omitempty"`
}

// A Recording is what was watched, in the order in which it came.
type Recording struct {
	told []any // *adminpb.Snapshot and *adminpb.Event
	name string
}

// ReadRecording reads the lines of a recording. A line that is none is an error with its number.
func ReadRecording(r io.Reader, name string) (*Recording, error) {
	rec := &Recording{name: name}
	lines := bufio.NewScanner(r)
	lines.Buffer(make([]byte, 64<<10), maxRecord)
	for n := 1; lines.Scan(); n++ {
		if len(lines.Bytes()) == 0 {
			continue
		}
		one, err := readRecord(lines.Bytes())
		if err != nil {
			return nil, fmt.Errorf("%s: line %d: %w", name, n, err)
		}
		rec.told = append(rec.told, one)
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	if !slices.ContainsFunc(rec.told, func(one any) bool { _, ok := one.(*adminpb.Snapshot); return ok }) {
		return nil, fmt.Errorf("%s: no picture in it: it is no recording of g2g top", name)
	}
	return rec, nil
}

func readRecord(line []byte) (any, error) {
	var r record
	if err := json.Unmarshal(line, &r); err != nil {
		return nil, err
	}
	lenient := protojson.UnmarshalOptions{DiscardUnknown: true}
	switch {
	case r.Snapshot != nil:
		s := &adminpb.Snapshot{}
		return s, lenient.Unmarshal(r.Snapshot, s)
	case r.Event != nil:
		e := &adminpb.Event{}
		return e, lenient.Unmarshal(r.Event, e)
	}
	return nil, fmt.Errorf("neither a snapshot nor an event")
}

// writeRecord appends a line to a recording.
func writeRecord(w io.Writer, one any) error {
	var r record
	var err error
	switch one := one.(type) {
	case *adminpb.Snapshot:
		r.Snapshot, err = protojson.Marshal(one)
	case *adminpb.Event:
		r.Event, err = protojson.Marshal(one)
	}
	if err != nil {
		return err
	}
	line, err := json.Marshal(r)
	if err != nil {
		return err
	}
	_, err = w.Write(append(line, '\n'))
	return err
}

// export writes the picture of a scene with its past and its events, so that it can be shown again.
func export(w io.Writer, s *scene) error {
	for _, e := range s.events {
		if err := writeRecord(w, e); err != nil {
			return err
		}
	}
	return writeRecord(w, &adminpb.Snapshot{
		TimeMs: s.pic.GetTimeMs(), Self: s.pic.GetSelf(), Peers: s.pic.GetPeers(), History: s.past.upTo(s.slot(), s.pic.GetPeers()),
	})
}

// upTo is the history as a node would send it with a picture.
func (h *history) upTo(slot int64, peers []*adminpb.Peer) *adminpb.History {
	out := &adminpb.History{StepMs: step.Milliseconds(), MeanDistance: trimmed(h.mean.window(slot, kept))}
	for _, p := range peers {
		out.Peers = append(out.Peers, &adminpb.Series{
			Id: p.GetId(), LatencyMs: trimmed(h.window(p.GetId(), latencies, slot, kept)),
			AgeMs: trimmed(h.window(p.GetId(), ages, slot, kept)), Distance: trimmed(h.window(p.GetId(), distances, slot, kept)),
		})
	}
	return out
}

// trimmed leaves out what is missing at the start.
func trimmed(w []float32) []float32 {
	first := slices.IndexFunc(w, func(v float32) bool { return !math.IsNaN(float64(v)) })
	if first < 0 {
		return nil
	}
	return w[first:]
}
