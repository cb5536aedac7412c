package gossip

import (
	"time"

	"github.com/g2g-net/g2g/node/view"
	"github.com/g2g-net/g2g/pki"
)

// Bounds of what one message may carry. wire refuses more, and the machine never sends more.
const (
	MaxDigest          = view.MaxDigest
	MaxBeats           = 64       // an answer, a request or a push
	MaxContacts        = 64       // an answer
	MaxPushed          = 64       // a push
	MaxContactBytes    = 48 << 10 // of the contacts of either, sealed: what leaves room for the rest of a message
	MaxIntroduced      = 8        // the other peers in the answer to a join
	MaxVersions        = 2048     // of nominations
	MaxNominationBatch = 64
	MaxPings           = 5  // round trips that one request measures
	MaxHints           = 64 // a hint or a request
)

// A Message is one of the requests and responses below. Every value in it has passed wire.
type Message interface{ message() }

// IndexedBeat is a beat of the peer at a place: in the digest that travels with it, or, from its length on, in the contacts.
type IndexedBeat struct {
	Index   int
	Contact uint16 // low bits of the sequence of the contact that it belongs to
	view.Beat
}

// JoinRequest introduces the caller.
type JoinRequest struct {
	Contact  *view.Contact
	Beat     view.Beat // Sequence 0 for none
	Active   bool      // asks to be an active peer
	Urgent   bool      // has fewer active peers than it needs
	Observed string    // the caller's host as transport saw it; not on the wire
}

// JoinResponse introduces the answerer and some of its peers.
type JoinResponse struct {
	Contact  *view.Contact
	Beat     view.Beat
	Observed string // the caller's host
	Active   bool
	Contacts []*view.Contact
}

// ExchangeRequest says what the caller holds, and what advanced there.
type ExchangeRequest struct {
	Salt            uint64
	Digest          []view.Version
	Beats           []IndexedBeat
	AliveHash       uint64
	NominationsHash uint64
	Hints           []Hint        // peers that the caller found dead lately, or that fail
	Summary         *view.Summary // the caller's; nil where the answerer holds it
	SummaryHeld     uint64        // hash of the answerer's that is held; 0 for none
	Full            bool          // has hardly a place for contacts that the digest lacks
	Active          bool          // has the answerer active
}

// ExchangeResponse is what the digest lacks.
type ExchangeResponse struct {
	Beats           []IndexedBeat
	Contacts        []*view.Contact
	AliveHash       uint64
	NominationsHash uint64
	Hints           []Hint        // as in a request
	Summary         *view.Summary // the answerer's; nil where the caller holds it
	SummaryHeld     uint64        // hash of the caller's that is held; 0 for none
	Passive         bool          // has no place for the caller, which has the answerer active
}

// ProbeRequest asks the peer itself for its newest beat. It tells the caller's, so that one question does for both.
type ProbeRequest struct {
	Contact uint16      // low bits of the sequence of its contact as held here
	Beat    IndexedBeat // the caller's at place 0; Sequence 0 for none
}

// ProbeResponse is the answer of the peer itself.
type ProbeResponse struct {
	Beat    IndexedBeat   // at place 0; Sequence 0 for none
	Contact *view.Contact // nil where the caller holds it
}

// A Hint names a peer that seems to have failed, and the newest beat of it that whoever says so has.
type Hint struct {
	ID          pki.ID
	Incarnation uint64
	Sequence    uint64 // of the beat; 0 for none
	Stalled     bool   // it answers, and does not progress
}

// HintRequest passes hints on.
type HintRequest struct {
	Hints []Hint
}

// HintResponse is what refutes them. The Index of a beat is a place in the hints, or from their number on in Contacts.
type HintResponse struct {
	Beats    []IndexedBeat
	Contacts []*view.Contact
	Hints    []Hint // others that the answerer has
}

// PushRequest tells news at once. Every beat's Index is a place in Contacts.
type PushRequest struct {
	Contacts []*view.Contact
	Beats    []IndexedBeat
	Reached  bool // their owners answered the caller just now, whom the answerer had hinted that they failed
	Parted   bool // the caller has the answerer active no more
}

// PushResponse acknowledges.
type PushResponse struct{}

// NominationVersion says which state of a nomination is held.
type NominationVersion struct {
	Token   pki.TokenID
	Version uint64
}

// NominationsRequest asks for nominations that are newer than these, or missing from them.
type NominationsRequest struct {
	Versions []NominationVersion
}

// NominationsResponse brings them.
type NominationsResponse struct {
	Nominations []SealedNomination
}

// SealedNomination is a nomination with the envelope that it came in.
type SealedNomination struct {
	pki.Nomination
	Sealed pki.Envelope
}

// SignatureRequest asks the answerer for its signature in full.
type SignatureRequest struct{}

// SignatureResponse brings it; nil before the first was published.
type SignatureResponse struct {
	Full *view.Summary
}

// ReachRequest asks a peer to dial an address that the caller would advertise, and to find the caller there.
type ReachRequest struct {
	Address  string
	Observed string // the caller's host as transport saw it; not on the wire
}

// ReachResponse says what the answerer found.
type ReachResponse struct {
	Error string // empty when it found the caller
}

// PingRequest measures a peer: so many round trips of a call that does nothing, one after the other, over a connection that is
// up. It is the driver's to make; the answer does not come from the peer's machine.
type PingRequest struct {
	Count int
}

// PingResponse is how long they took. None of them includes a handshake.
type PingResponse struct {
	RTTs []time.Duration
}

func (PingRequest) message()         {}
func (PingResponse) message()        {}
func (ProbeRequest) message()        {}
func (ProbeResponse) message()       {}
func (HintRequest) message()         {}
func (HintResponse) message()        {}
func (SignatureRequest) message()    {}
func (SignatureResponse) message()   {}
func (ReachRequest) message()        {}
func (ReachResponse) message()       {}
func (JoinRequest) message()         {}
func (JoinResponse) message()        {}
func (ExchangeRequest) message()     {}
func (ExchangeResponse) message()    {}
func (PushRequest) message()         {}
func (PushResponse) message()        {}
func (NominationsRequest) message()  {}
func (NominationsResponse) message() {}
