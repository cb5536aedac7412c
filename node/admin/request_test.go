package admin

import (
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/g2g-net/g2g/node/gossip"
	"github.com/g2g-net/g2g/pki"
	"github.com/g2g-net/g2g/proto/adminpb"
)

func TestNominateRequest(t *testing.T) {
	bob := someone(t, "bob").ID()
	for _, c := range []struct {
		name string
		in   *adminpb.NominateRequest
		want gossip.NominateRequest
	}{
		{"nothing said", &adminpb.NominateRequest{}, gossip.NominateRequest{Mode: pki.Server, Life: 30 * time.Minute, Uses: 1}},
		{
			"all said", &adminpb.NominateRequest{
				Mode: "client", TtlS: 1, Uses: 10_000, For: bob.String(), Label: strings.Repeat("é", 31), NoNominate: true,
				At: []string{"10.0.0.1:7402", "[2001:db8::1]:7402", "a.example:1"},
			},
			gossip.NominateRequest{
				Mode: pki.Client, Life: time.Second, Uses: 10_000, For: bob, Label: strings.Repeat("é", 31), NoNominate: true,
				Addresses: []string{"10.0.0.1:7402", "[2001:db8::1]:7402", "a.example:1"},
			},
		},
		{
			"the longest life", &adminpb.NominateRequest{Mode: "server", TtlS: 30 * 24 * 3600},
			gossip.NominateRequest{Mode: pki.Server, Life: pki.MaxTokenLife, Uses: 1},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := nominateRequest(c.in)
			must(t, err)
			if !reflect.DeepEqual(got, c.want) {
				t.Errorf("got  %+v\nwant %+v", got, c.want)
			}
		})
	}
}

func TestNominateRequestRefused(t *testing.T) {
	for _, c := range []struct {
		in   *adminpb.NominateRequest
		want string
	}{
		{&adminpb.NominateRequest{Mode: "Server"}, `nominate: mode "Server" is neither "server" nor "client"`},
		{&adminpb.NominateRequest{TtlS: -1}, `nominate: a life of -1 s where 1 s to 2592000 s are allowed`},
		{&adminpb.NominateRequest{TtlS: 2592001}, `nominate: a life of 2592001 s where 1 s to 2592000 s are allowed`},
		{&adminpb.NominateRequest{TtlS: 1<<63 - 1}, `nominate: a life of 9223372036854775807 s where 1 s to 2592000 s are allowed`},
		{&adminpb.NominateRequest{TtlS: -1 << 63}, `nominate: a life of -9223372036854775808 s where 1 s to 2592000 s are allowed`},
		{&adminpb.NominateRequest{Uses: 10_001}, `nominate: 10001 uses where 1 to 10000 are allowed`},
		{&adminpb.NominateRequest{For: "node-b"}, `nominate: parse node ID: it does not begin with "g2gn1_"`},
		{&adminpb.NominateRequest{Label: strings.Repeat("x", 64)}, `nominate: label of 64 bytes is over the bound of 63`},
		{&adminpb.NominateRequest{Label: "a\nb"}, `nominate: label "a\nb" has characters that do not print`},
		{&adminpb.NominateRequest{At: make([]string, 9)}, `nominate: 9 addresses are over the bound of 8`},
		{&adminpb.NominateRequest{At: []string{"a:1", "a"}}, `nominate: address "a": no port`},
	} {
		got, err := nominateRequest(c.in)
		wantInvalid(t, err, c.want)
		if !reflect.DeepEqual(got, gossip.NominateRequest{}) {
			t.Errorf("an error came with the value %+v", got)
		}
	}
}

func wantInvalid(t *testing.T, err error, want string) {
	t.Helper()
	if err == nil || err.Error() != want || !errors.Is(err, ErrInvalid) {
		t.Errorf("refused with\n\t%v, want\n\t%s", err, want)
	}
}

func TestJoinRequestRefused(t *testing.T) {
	token := newWorld(t).serverToken.Reveal()
	_, err := joinRequest(&adminpb.JoinRequest{Token: "secret"})
	wantInvalid(t, err, `join: parse token: it begins neither with "g2gs1_" nor with "g2gc1_"`)
	_, err = joinRequest(&adminpb.JoinRequest{Token: token[:len(token)-1]})
	wantInvalid(t, err, "join: parse token: a character is wrong or missing")
	_, err = joinRequest(&adminpb.JoinRequest{Token: token, At: "0.0.0.0:1"})
	wantInvalid(t, err, `join: address "0.0.0.0:1": it cannot be dialled`)
}

func TestEventsRequest(t *testing.T) {
	_, err := eventsRequest(&adminpb.EventsRequest{SinceMs: -1})
	wantInvalid(t, err, "events: an age of -1 ms is negative")
	for ms, want := range map[int64]time.Duration{0: 0, 1: time.Millisecond, 1<<63 - 1: 9_223_372_036_854_000_000} {
		if got, err := eventsRequest(&adminpb.EventsRequest{SinceMs: ms}); err != nil || got != want {
			t.Errorf("%d ms are %s, %v, want %s", ms, got, err, want)
		}
	}
}
