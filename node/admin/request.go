package admin

import (
	"time"

	"github.com/g2g-net/g2g/node/gossip"
	"github.com/g2g-net/g2g/pki"
	"github.com/g2g-net/g2g/proto/adminpb"
)

// What a nomination is that says nothing else.
const (
	defaultMode = pki.Server
	defaultLife = 30 * time.Minute
	defaultUses = 1
)

// nominateRequest is the gate of Nominate: what it returns needs no second look.
func nominateRequest(pb *adminpb.NominateRequest) (gossip.NominateRequest, error) {
	fail := func(err error) (gossip.NominateRequest, error) {
		return gossip.NominateRequest{}, invalidf("nominate: %w", err)
	}
	n := pki.Nomination{Mode: defaultMode, NotAfter: int64(defaultLife / time.Second), Uses: defaultUses, Label: pb.GetLabel()}
	var err error
	if pb.GetMode() != "" {
		if n.Mode, err = pki.ParseMode(pb.GetMode()); err != nil {
			return fail(err)
		}
	}
	if pb.GetTtlS() != 0 {
		n.NotAfter = pb.GetTtlS() // seconds from 0, which is the NotBefore here
	}
	if pb.GetUses() != 0 {
		n.Uses = pb.GetUses()
	}
	if pb.GetFor() != "" {
		if n.For, err = pki.ParseID(pb.GetFor()); err != nil {
			return fail(err)
		}
	}
	if err := n.Check(); err != nil {
		return fail(err)
	}
	if err := checkAddresses(pb.GetAt()); err != nil {
		return fail(err)
	}
	return gossip.NominateRequest{
		Mode: n.Mode, Life: time.Duration(n.NotAfter) * time.Second, Uses: n.Uses, For: n.For, Label: n.Label,
		NoNominate: pb.GetNoNominate(), Addresses: pb.GetAt(),
	}, nil
}

func checkAddresses(list []string) error {
	if len(list) > pki.MaxTokenAddresses {
		return invalidf("%d addresses are over the bound of %d", len(list), pki.MaxTokenAddresses)
	}
	for _, a := range list {
		if err := pki.CheckAddress(a); err != nil {
			return err
		}
	}
	return nil
}

// joinRequest is the gate of Join. Its error never quotes the token.
func joinRequest(pb *adminpb.JoinRequest) (pki.Token, error) {
	token, err := pki.ParseToken(pb.GetToken())
	if err != nil {
		return pki.Token{}, invalidf("join: %w", err)
	}
	if pb.GetAt() == "" {
		return token, nil
	}
	if err := pki.CheckAddress(pb.GetAt()); err != nil {
		return pki.Token{}, invalidf("join: %w", err)
	}
	return token, nil
}

// maxSince keeps milliseconds within what a time.Duration holds.
const maxSince = int64(1<<63-1) / int64(time.Millisecond)

// eventsRequest gives the age below which events are wanted; 0 for all.
func eventsRequest(pb *adminpb.EventsRequest) (time.Duration, error) {
	if pb.GetSinceMs() < 0 {
		return 0, invalidf("events: an age of %d ms is negative", pb.GetSinceMs())
	}
	return time.Duration(min(pb.GetSinceMs(), maxSince)) * time.Millisecond, nil
}

// watchRequest is the gate of Watch: how many samples of the past are wanted, and how long there is between two pictures.
func watchRequest(pb *adminpb.WatchRequest) (past int, interval time.Duration, err error) {
	if pb.GetHistoryMs() < 0 || pb.GetIntervalMs() < 0 {
		return 0, 0, invalidf("watch: a time is negative")
	}
	past = int(min(pb.GetHistoryMs()/historyStep.Milliseconds(), HistorySize))
	interval = time.Duration(min(pb.GetIntervalMs(), maxWatchInterval.Milliseconds())) * time.Millisecond
	return past, max(interval, watchInterval), nil
}
