package cmd

import (
	"context"
	"fmt"
	"path"
	"slices"
	"strings"
	"time"
)

// A counterView is a number that only grows while the node runs.
type counterView struct {
	Name   string
	Method string // of gRPC; empty where it is about none
	Value  uint64
}

// key tells counters apart.
func (c counterView) key() string {
	if c.Method == "" {
		return c.Name
	}
	return c.Name + " " + path.Base(c.Method)
}

// A tally is what the nodes counted themselves, summed over all of them, by counter and method.
type tally struct {
	at  time.Time
	sum map[string]uint64
}

// tally asks every node for its counters, one after the other.
func (b *fleet) tally(ctx context.Context) (tally, error) {
	t := tally{at: time.Now(), sum: map[string]uint64{}}
	for _, v := range b.nodes {
		node, err := dial(ctx, v.dir)
		if err != nil {
			return tally{}, err
		}
		counters, err := node.Counters(ctx)
		node.Close()
		if err != nil {
			return tally{}, fmt.Errorf("ask %s for its counters: %w", v.name, err)
		}
		for _, c := range counters {
			t.sum[c.key()] += c.Value
		}
	}
	return t, nil
}

// each is the mean of one node, without what stayed zero.
func (t tally) each(nodes int) map[string]float64 {
	return t.since(tally{}, float64(nodes))
}

// since is what was added after an earlier one, divided.
func (t tally) since(before tally, by float64) map[string]float64 {
	rates := map[string]float64{}
	for key, n := range t.sum {
		if n > before.sum[key] {
			rates[key] = float64(n-before.sum[key]) / by
		}
	}
	return rates
}

// A shareView says what bytes and wake-ups went to, a second and a node. The parts of each add up to the whole.
type shareView struct {
	Messages  float64 `json:"messages_bytes_s"`  // of calls, before anything is added to them
	Framing   float64 `json:"framing_bytes_s"`   // gRPC, HTTP/2 and TLS around them
	Handshake float64 `json:"handshake_bytes_s"` // of new connections
	Link      float64 `json:"link_bytes_s"`      // TCP, IP and Ethernet headers, acknowledgements
	Reads     float64 `json:"reads_s"`           // a socket had something
	Timers    float64 `json:"timers_s"`          // something was due in the node's loop
	Handing   float64 `json:"handing_s"`         // the rest: threads of the Go runtime that hand work to each other, gRPC's timers
}

// share splits what was measured from outside by what the nodes counted.
func (b benchView) share() shareView {
	s := shareView{Handshake: b.Account["handshake_written_bytes"], Timers: b.Account["loop_timers"]}
	for key, rate := range b.Account {
		if strings.HasPrefix(key, "asked_sent_bytes ") || strings.HasPrefix(key, "answered_sent_bytes ") {
			s.Messages += rate
		}
	}
	s.Reads = b.Account["socket_reads"] + b.Account["handshake_reads"]
	s.Framing = b.Account["socket_written_bytes"] - s.Messages
	s.Link = b.SentBytesS - b.Account["socket_written_bytes"] - s.Handshake
	s.Handing = b.WakeupsS - s.Reads - s.Timers
	return s
}

// accountFields are the account as a table shows it.
func accountFields(b benchView) []field {
	s := b.Share
	fields := []field{
		{"of the bytes", fmt.Sprintf("messages %.0f, framing %.0f, handshakes %.0f, link %.0f B/s", s.Messages, s.Framing, s.Handshake, s.Link)},
		{"of the wake-ups", fmt.Sprintf("sockets %.1f, timers %.1f, threads %.1f /s", s.Reads, s.Timers, s.Handing)},
	}
	for _, method := range methodsOf(b.Account) {
		fields = append(fields, field{method, fmt.Sprintf("asked %.2f/s (%.0f B out, %.0f B back), answered %.2f/s (%.0f B in, %.0f B back)",
			b.Account["asked "+method], b.perCall("asked_sent_bytes", "asked", method), b.perCall("asked_received_bytes", "asked", method),
			b.Account["answered "+method], b.perCall("answered_received_bytes", "answered", method), b.perCall("answered_sent_bytes", "answered", method))})
	}
	return fields
}

func (b benchView) perCall(what, calls, method string) float64 {
	if n := b.Account[calls+" "+method]; n > 0 {
		return b.Account[what+" "+method] / n
	}
	return 0
}

// methodsOf are those that were called, in order.
func methodsOf(account map[string]float64) (methods []string) {
	for key := range account {
		name, method, ok := strings.Cut(key, " ")
		if ok && (name == "asked" || name == "answered") && !slices.Contains(methods, method) {
			methods = append(methods, method)
		}
	}
	slices.Sort(methods)
	return methods
}

// startFields say what the start of a node took.
func startFields(b benchView) []field {
	return []field{{"start", fmt.Sprintf("%.0f ms of processor, %.1f handshakes dialled, %.1f joins, %.1f exchanges, %.1f pushes, %.1f contacts and %.1f chains verified a node",
		b.StartCPUMS, b.Start["handshakes_dialled"], b.Start["asked Join"], b.Start["asked Exchange"], b.Start["asked Push"],
		b.Start["contacts_verified"], b.Start["chains_verified"])}}
}
