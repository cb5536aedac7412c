package node

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/g2g-net/g2g/node/gossip"
	"github.com/g2g-net/g2g/node/transport"
	"github.com/g2g-net/g2g/pki"
)

// The attack: a member sends more requests at once than the node lets wait. Its own are refused; those of others find their place.
func TestFloodOfRequestsLeavesPlacesToOthers(t *testing.T) {
	inWorld(t, time.Millisecond, func(w *world) {
		f := w.founder()
		hold := make(chan struct{})
		f.post(func(time.Time, *gossip.Machine) { <-hold })
		synctest.Wait()
		var busy, answered atomic.Int64
		ask := func(from pki.ID, call func(ctx context.Context, from pki.ID) error) {
			go func() {
				switch err := call(context.Background(), from); {
				case errors.Is(err, transport.ErrBusy):
					busy.Add(1)
				case err == nil:
					answered.Add(1)
				}
			}()
		}
		receive := func(ctx context.Context, from pki.ID) error {
			_, err := doors{f.Node}.Receive(ctx, from, gossip.ProbeRequest{})
			return err
		}
		decide := func(ctx context.Context, from pki.ID) error {
			_, err := doors{f.Node}.Decide(ctx, pki.Claim{Binding: pki.Binding{Acceptor: from}})
			if _, ok := errors.AsType[*pki.Refusal](err); ok {
				return nil
			}
			return err
		}
		for range inboxSize {
			ask(pki.ID{1}, receive)
			ask(pki.ID{2}, decide)
		}
		synctest.Wait()
		if n := busy.Load(); n != 2*(inboxSize-maxWaiting) {
			t.Errorf("%d requests of the flood are refused", n)
		}
		for i := range 20 {
			ask(pki.ID{3, byte(i)}, receive)
		}
		close(hold)
		synctest.Wait()
		if n := answered.Load(); n != 2*maxWaiting+20 {
			t.Errorf("%d requests are answered", n)
		}
		if n := len(f.waiting.of); n > 0 {
			t.Errorf("%d members are still counted", n)
		}
		haltAll([]*actor{f})
	})
}
