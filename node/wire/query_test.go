package wire

import (
	"bytes"
	"math"
	"reflect"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/g2g-net/g2g/node/fanout"
	"github.com/g2g-net/g2g/pki"
	"github.com/g2g-net/g2g/proto/gossippb"
)

func question() fanout.Request {
	return fanout.Request{
		Query: fanout.Query{Name: "inventory", Question: []byte("apples"), Fanout: 3, Budget: 1500 * time.Millisecond, Links: true}, ID: fanout.ID{7}, Hops: 2,
	}
}

func response() fanout.Response {
	return fanout.Response{LeftOut: 3, Answers: []fanout.Answer{
		{ID: pki.ID{1}, Name: "ada", Hops: 2, Elapsed: 20 * time.Millisecond, Body: []byte("three"), Links: []fanout.Link{{Peer: [8]byte{2}, Latency: time.Millisecond}, {Peer: [8]byte{3}}}},
		{ID: pki.ID{2}, Name: "bob", Hops: 3, Elapsed: time.Second, Error: "no", Unknown: true},
	}}
}

func TestQueriesRoundTrip(t *testing.T) {
	r, err := Query(EncodeQuery(question()))
	if err != nil || !reflect.DeepEqual(r, question()) {
		t.Errorf("%v, %+v", err, r)
	}
	a, err := QueryAnswers(EncodeQueryAnswers(response()), question())
	if err != nil || !reflect.DeepEqual(a, response()) {
		t.Errorf("%v\ngot  %+v\nwant %+v", err, a, response())
	}
}

func TestQueryRefusals(t *testing.T) {
	for want, change := range map[string]func(*gossippb.QueryRequest){
		"read query: ID of 0 bytes where 16 are needed":                                          func(q *gossippb.QueryRequest) { q.Id = nil },
		"read query: 4294967295 hops where 1 to 16 are allowed":                                  func(q *gossippb.QueryRequest) { q.Hops = math.MaxUint32 },
		"read query: time of 2562047h47m16.854775s where more than 0 and at most 30s is allowed": func(q *gossippb.QueryRequest) { q.BudgetUs = math.MaxUint64 },
		"read query: question of 4097 bytes is over the bound of 4096":                           func(q *gossippb.QueryRequest) { q.Question = make([]byte, 4097) },
	} {
		pb := EncodeQuery(question())
		change(pb)
		_, err := Query(pb)
		equal(t, err, want)
	}
	for want, change := range map[string]func(*gossippb.QueryAnswers){
		"read answers: ID of 31 bytes where 32 are needed":                               func(a *gossippb.QueryAnswers) { a.Answers[0].Node = make([]byte, 31) },
		"read answers: answer of nobody":                                                 func(a *gossippb.QueryAnswers) { a.Answers[0].Node = make([]byte, 32) },
		"read answers: answer over 1 hops where 2 to 16 are possible":                    func(a *gossippb.QueryAnswers) { a.Answers[0].Hops = 1 },
		"read answers: answer over 4294967295 hops where 2 to 16 are possible":           func(a *gossippb.QueryAnswers) { a.Answers[1].Hops = math.MaxUint32 },
		"read answers: answer after 2562047h47m16.854775s where at most 30s is possible": func(a *gossippb.QueryAnswers) { a.Answers[1].ElapsedUs = math.MaxUint64 },
		"read answers: answer of 4097 bytes is over the bound of 4096":                   func(a *gossippb.QueryAnswers) { a.Answers[1].Error = strings.Repeat("a", 4097) },
		"read answers: 13 bytes of links are no multiple of 12, or more than 32":         func(a *gossippb.QueryAnswers) { a.Answers[0].Links = make([]byte, 13) },
		"read answers: 396 bytes of links are no multiple of 12, or more than 32":        func(a *gossippb.QueryAnswers) { a.Answers[0].Links = make([]byte, 33*12) },
		"read answers: 1025 are over the bound of 1024":                                  func(a *gossippb.QueryAnswers) { a.Answers = make([]*gossippb.QueryAnswer, 1025) },
		`read answers: answer: name "\x1b": only a-z 0-9 - and . may stand in it`:        func(a *gossippb.QueryAnswers) { a.Answers[0].Name = "\x1b" },
	} {
		pb := EncodeQueryAnswers(response())
		change(pb)
		got, err := QueryAnswers(pb, question())
		equal(t, err, want)
		if got.Answers != nil {
			t.Errorf("the error comes with %+v", got)
		}
	}
}

// Whatever answers the bounds of package fanout allow, they fit into a message.
func TestLargestAnswersFit(t *testing.T) {
	for name, a := range map[string]fanout.Answer{
		"small": {ID: pki.ID{1}, Name: "a", Hops: 16, Elapsed: 30 * time.Second},
		"named": {ID: pki.ID{1}, Name: strings.Repeat("a", 63), Hops: 16, Elapsed: 30 * time.Second, Links: make([]fanout.Link, 32), Unknown: true},
		"large": {ID: pki.ID{1}, Name: "a", Hops: 16, Body: bytes.Repeat([]byte{1}, fanout.MaxAnswer), Error: strings.Repeat("a", fanout.MaxAnswer)},
	} {
		var r fanout.Response
		for i := range fanout.MaxAnswers {
			a.ID = pki.ID{1, byte(i >> 8), byte(i)}
			r.Answers = append(r.Answers, a)
		}
		for r.Check(fanout.Request{Hops: 1}) != nil {
			r.Answers = r.Answers[1:]
		}
		r.LeftOut = fanout.MaxLeftOut
		n := proto.Size(&gossippb.QueryResponse{Step: &gossippb.QueryResponse_Answers{Answers: EncodeQueryAnswers(r)}})
		if t.Logf("%s: %d answers of %d bytes", name, len(r.Answers), n); n >= MaxMessage || len(r.Answers) < 6 {
			t.Errorf("%s: %d answers of %d bytes", name, len(r.Answers), n)
		}
	}
}

func FuzzQueryAnswers(f *testing.F) {
	f.Add(value(proto.Marshal(EncodeQueryAnswers(response()))))
	f.Fuzz(func(t *testing.T, b []byte) {
		var pb gossippb.QueryAnswers
		if proto.Unmarshal(b, &pb) != nil {
			return
		}
		r, err := QueryAnswers(&pb, question())
		if err != nil {
			return
		}
		again, err := QueryAnswers(EncodeQueryAnswers(r), question())
		if err != nil || len(again.Answers) != len(r.Answers) || again.LeftOut != r.LeftOut {
			t.Fatalf("%v\ngot  %+v\nwant %+v", err, again, r)
		}
	})
}
