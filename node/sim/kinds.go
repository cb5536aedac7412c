package sim

import (
	"github.com/g2g-net/g2g/node/gossip"
	"github.com/g2g-net/g2g/node/wire"
)

// kindNames are what messages are about, requests and their answers together.
var kindNames = [...]string{"exchange", "push", "probe", "hint", "ping", "join", "other"}

const pings = 4

// A tally counts the messages of each kind.
type tally [len(kindNames)]struct{ messages, bytes int }

// A Kind is what messages of one kind cost a running node.
type Kind struct {
	Kind      string  `json:"kind"`
	MessagesS float64 `json:"messages_s"`
	BytesS    float64 `json:"bytes_s"`
}

func kindOf(m gossip.Message) int {
	switch m.(type) {
	case gossip.ExchangeRequest, gossip.ExchangeResponse:
		return 0
	case gossip.PushRequest, gossip.PushResponse:
		return 1
	case gossip.ProbeRequest, gossip.ProbeResponse:
		return 2
	case gossip.HintRequest, gossip.HintResponse:
		return 3
	case gossip.PingRequest, gossip.PingResponse:
		return pings
	case gossip.JoinRequest, gossip.JoinResponse:
		return 5
	}
	return len(kindNames) - 1
}

// sent counts a message. What measures a peer is so many calls, one after the other, each made once the one before is answered: the first
// counts as it leaves, the others with the answers.
func (p *phase) sent(m gossip.Message) {
	count, size := 1, 0
	switch m := m.(type) {
	case gossip.PingRequest: // carries nothing
	case gossip.PingResponse:
		count = 2*len(m.RTTs) - 1
	default:
		size = wire.Size(m)
	}
	p.messages += count
	p.bytes += size
	k := &p.kinds[kindOf(m)]
	k.messages += count
	k.bytes += size
}

// costs are what each kind costs, those that came.
func (t *tally) costs(nodeSeconds int) []Kind {
	kinds := []Kind{}
	for i, k := range t {
		if k.messages > 0 {
			n := float64(max(1, nodeSeconds))
			kinds = append(kinds, Kind{kindNames[i], float64(k.messages) / n, float64(k.bytes) / n})
		}
	}
	return kinds
}
