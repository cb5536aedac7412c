package cmd

import (
	"time"

	"github.com/g2g-net/g2g/proto/adminpb"
)

// What g2g prints as JSON. Field names and units are a contract with scripts.

// A picture is what a node shows of itself and of others at one moment.
type picture struct {
	taken time.Time
	self  selfView
	peers []peerView

	staleness stalenessView
	groups    []groupView // farthest first
	order     []placeView
}

type selfView struct {
	ID          string
	Name        string
	Network     string
	NetworkName string
	Mode        string
	Leaf        leafView
	Chain       []linkView
	Converged   bool
	Disagree    []string
	status      statusView
}

type statusView struct {
	ID              string        `json:"id"`
	Name            string        `json:"name"`
	Network         string        `json:"network"`
	NetworkName     string        `json:"network_name"`
	Mode            string        `json:"mode"`
	Version         string        `json:"version"`
	UptimeS         int64         `json:"uptime_s"`
	GossipAddress   string        `json:"gossip_address"`
	RegisterAddress string        `json:"register_address"`
	AdminAddress    string        `json:"admin_address"`
	Advertised      []string      `json:"advertised"`
	Observed        []string      `json:"observed"`
	Peers           peerCounts    `json:"peers"`
	Clients         uint32        `json:"clients"`
	Active          uint32        `json:"active"`
	Depth           uint32        `json:"depth"`
	LimitMS         int64         `json:"limit_ms"`
	LimitN          uint32        `json:"limit_n"`
	MeanMS          float64       `json:"mean_ms"`
	SdMS            float64       `json:"sd_ms"`
	Groups          int           `json:"groups"`
	OrderLength     int           `json:"order_length"`
	Signature       signatureView `json:"signature"`
	Leaf            leafView      `json:"leaf"`
	Isolated        bool          `json:"isolated"`
	Converged       bool          `json:"converged"`
}

// peerCounts counts the others that are in server mode.
type peerCounts struct {
	Alive       int `json:"alive"`
	Late        int `json:"late"`
	Dead        int `json:"dead"`
	Left        int `json:"left"`
	Evicted     int `json:"evicted"`
	Unreachable int `json:"unreachable"`
}

type signatureView struct {
	Sequence     uint64   `json:"sequence"`
	AgeMS        int64    `json:"age_ms"`
	Count        uint64   `json:"count"`
	MeanDistance *float64 `json:"mean_distance"` // to the peers whose signature can be compared; null without any
}

type leafView struct {
	Epoch       uint64     `json:"epoch"`
	NotBefore   *time.Time `json:"not_before"`
	NotAfter    *time.Time `json:"not_after"`
	Fingerprint string     `json:"fingerprint"`
}

type peerView struct {
	ID           string     `json:"id"`
	Name         string     `json:"name"`
	Mode         string     `json:"mode"`
	State        string     `json:"state"`
	Reason       string     `json:"reason"`
	Unreachable  bool       `json:"unreachable"`
	Addresses    []string   `json:"addresses"`
	AgeMS        int64      `json:"age_ms"`
	LimitMS      int64      `json:"limit_ms"`
	Distance     *float64   `json:"distance"` // between its signature and this node's; null where they cannot be compared
	Sequence     uint64     `json:"sequence"`
	Epoch        uint64     `json:"epoch"`
	LeafNotAfter *time.Time `json:"leaf_not_after"`
	Services     []string   `json:"services"`
	Serves       []string   `json:"serves"`
	Depth        uint32     `json:"depth"`
	NominatedBy  string     `json:"nominated_by"`
	FirstSeen    *time.Time `json:"first_seen"`
	LastExchange *time.Time `json:"last_exchange"`
	Active       bool       `json:"active"`
	Group        string     `json:"group"`
	Position     uint32     `json:"position"`
	LatencyMS    *float64   `json:"latency_ms"`
	MedianMS     *float64   `json:"median_ms"`
	P99MS        *float64   `json:"p99_ms"`

	leaf  leafView
	chain []linkView
}

type linkView struct {
	Subject     string     `json:"subject"`
	Nominator   string     `json:"nominator"`
	Mode        string     `json:"mode"`
	Depth       uint32     `json:"depth"`
	IssuedAt    *time.Time `json:"issued_at"`
	TokenID     string     `json:"token_id"`
	MayNominate bool       `json:"may_nominate"`
}

type eventView struct {
	Seq      uint64     `json:"seq"`
	Time     *time.Time `json:"time"`
	Kind     string     `json:"kind"`
	Severity string     `json:"severity"`
	Peer     string     `json:"peer"`
	Name     string     `json:"name"`
	Detail   string     `json:"detail"`
}

type nominationView struct {
	TokenID       string     `json:"token_id"`
	Nominator     string     `json:"nominator"`
	NominatorName string     `json:"nominator_name"`
	Mode          string     `json:"mode"`
	Uses          uint32     `json:"uses"`
	Used          uint32     `json:"used"`
	UsesLeft      uint32     `json:"uses_left"`
	NotBefore     *time.Time `json:"not_before"`
	NotAfter      *time.Time `json:"not_after"`
	RevokedAt     *time.Time `json:"revoked_at"`
	For           string     `json:"for"`
	Label         string     `json:"label"`
	MayNominate   bool       `json:"may_nominate"`
	Users         []useView  `json:"users"`
}

type useView struct {
	ID   string     `json:"id"`
	Name string     `json:"name"`
	Time *time.Time `json:"time"`
}

func pictureOf(s *adminpb.Snapshot) picture {
	p := picture{taken: time.UnixMilli(s.GetTimeMs()).UTC(), peers: make([]peerView, len(s.GetPeers()))}
	for i, peer := range s.GetPeers() {
		p.peers[i] = peerOf(peer)
	}
	p.self = selfOf(s.GetSelf(), p.peers)
	p.staleness = stalenessOf(s)
	p.groups, p.order = groupsOf(s.GetSelf().GetGroups()), orderOf(s.GetSelf().GetOrder())
	return p
}

func selfOf(s *adminpb.Self, peers []peerView) selfView {
	leaf := leafOf(s.GetLeaf())
	return selfView{
		ID: s.GetId(), Name: s.GetName(), Network: s.GetNetwork(), NetworkName: s.GetNetworkName(), Mode: s.GetMode(),
		Leaf: leaf, Chain: linksOf(s.GetChain()), Converged: s.GetConverged(), Disagree: s.GetDisagree(),
		status: statusView{
			ID: s.GetId(), Name: s.GetName(), Network: s.GetNetwork(), NetworkName: s.GetNetworkName(), Mode: s.GetMode(),
			Version: s.GetVersion(), UptimeS: s.GetUptimeMs() / 1000,
			GossipAddress: s.GetGossipAddress(), RegisterAddress: s.GetRegisterAddress(), AdminAddress: s.GetAdminAddress(),
			Advertised: nonNil(s.GetAdvertised()), Observed: nonNil(s.GetObserved()),
			Peers: countsOf(peers), Clients: s.GetClients(), Active: s.GetActive(), Depth: s.GetDepth(),
			Groups: len(s.GetGroups()), OrderLength: len(s.GetOrder()),
			LimitMS: s.GetLimitMs(), LimitN: s.GetLimitN(), MeanMS: s.GetMeanMs(), SdMS: s.GetSdMs(),
			Signature: signatureOf(s.GetSignature()),
			Leaf:      leaf, Isolated: s.GetIsolated(), Converged: s.GetConverged(),
		},
	}
}

func signatureOf(s *adminpb.Signature) signatureView {
	view := signatureView{Sequence: s.GetSequence(), AgeMS: s.GetAgeMs(), Count: s.GetCount()}
	if s != nil {
		view.MeanDistance = s.MeanDistance
	}
	return view
}

func countsOf(peers []peerView) peerCounts {
	return peerCounts{
		Alive: inState(peers, stateAlive), Late: inState(peers, stateLate), Dead: inState(peers, stateDead),
		Left: inState(peers, stateLeft), Evicted: inState(peers, stateEvicted), Unreachable: inState(peers, unreachable),
	}
}

func peerOf(p *adminpb.Peer) peerView {
	leaf := leafOf(p.GetLeaf())
	return peerView{
		ID: p.GetId(), Name: p.GetName(), Mode: p.GetMode(), State: p.GetState(), Reason: p.GetReason(),
		Unreachable: p.GetUnreachable(), Addresses: nonNil(p.GetAddresses()), AgeMS: p.GetAgeMs(), LimitMS: p.GetLimitMs(), Distance: p.Distance,
		Sequence: p.GetSequence(), Epoch: leaf.Epoch, LeafNotAfter: leaf.NotAfter, Services: nonNil(p.GetServices()), Serves: nonNil(p.GetServes()),
		Depth: p.GetDepth(), NominatedBy: p.GetNominatedBy(), Active: p.GetActive(),
		Group: p.GetGroup(), Position: p.GetPosition(), LatencyMS: p.LatencyMs, MedianMS: p.MedianMs, P99MS: p.P99Ms,
		FirstSeen: atMilli(p.GetFirstSeenMs()), LastExchange: atMilli(p.GetLastExchangeMs()),
		leaf: leaf, chain: linksOf(p.GetChain()),
	}
}

func leafOf(l *adminpb.Leaf) leafView {
	return leafView{
		Epoch: l.GetEpoch(), NotBefore: atSecond(l.GetNotBefore()), NotAfter: atSecond(l.GetNotAfter()),
		Fingerprint: l.GetFingerprint(),
	}
}

func linksOf(links []*adminpb.ChainLink) []linkView {
	views := make([]linkView, len(links))
	for i, l := range links {
		views[i] = linkView{
			Subject: l.GetSubject(), Nominator: l.GetNominator(), Mode: l.GetMode(), Depth: l.GetDepth(),
			IssuedAt: atSecond(l.GetIssuedAt()), TokenID: l.GetTokenId(), MayNominate: l.GetMayNominate(),
		}
	}
	return views
}

func eventOf(e *adminpb.Event) eventView {
	return eventView{
		Seq: e.GetSeq(), Time: atMilli(e.GetTimeMs()), Kind: e.GetKind(), Severity: e.GetSeverity(),
		Peer: e.GetPeer(), Name: e.GetName(), Detail: e.GetDetail(),
	}
}

func nominationOf(n *adminpb.Nomination) nominationView {
	view := nominationView{
		TokenID: n.GetTokenId(), Nominator: n.GetNominator(), NominatorName: n.GetNominatorName(), Mode: n.GetMode(),
		Uses: n.GetUses(), Used: n.GetUsed(), UsesLeft: n.GetUses() - min(n.GetUses(), n.GetUsed()),
		NotBefore: atSecond(n.GetNotBefore()), NotAfter: atSecond(n.GetNotAfter()), RevokedAt: atSecond(n.GetRevokedAt()),
		For: n.GetFor(), Label: n.GetLabel(), MayNominate: n.GetMayNominate(), Users: make([]useView, len(n.GetUsers())),
	}
	for i, u := range n.GetUsers() {
		view.Users[i] = useView{ID: u.GetId(), Name: u.GetName(), Time: atSecond(u.GetTime())}
	}
	return view
}

// atMilli is a moment in Unix milliseconds; none for 0, which means never or unknown.
func atMilli(ms int64) *time.Time {
	if ms == 0 {
		return nil
	}
	t := time.UnixMilli(ms).UTC()
	return &t
}

// atSecond is atMilli for Unix seconds.
func atSecond(s int64) *time.Time { return atMilli(s * 1000) }
