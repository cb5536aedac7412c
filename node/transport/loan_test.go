package transport

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/grpc/connectivity"

	"github.com/g2g-net/g2g/pki"
)

// A place that is lent counts against the bound, stays while it is lent, and is seen and told like any other connection.
func TestLentPlaces(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		n := w.member("10.0.0.2", pki.Server)
		told := 0
		lend := func(i int) (*Loan, error) {
			return n.pool.Lend(pki.ID{1, byte(i >> 8), byte(i)}, []string{"10.0.0.9:1"}, func() { told++ })
		}
		var loans []*Loan
		for i := range MaxPool {
			l, err := lend(i)
			if err != nil {
				t.Fatal(err)
			}
			loans = append(loans, l)
		}
		time.Sleep(2 * poolRest)
		if _, err := lend(MaxPool); !errors.Is(err, ErrPoolFull) {
			t.Errorf("a full pool lends: %v", err)
		}
		n.pool.Sweep(time.Second, func(pki.ID) bool { return false })
		if n.pool.Len() != MaxPool || n.pool.Lent() != MaxPool {
			t.Errorf("%d peers, %d places lent after a sweep", n.pool.Len(), n.pool.Lent())
		}
		first := loans[0]
		first.Note(connectivity.Ready)
		first.Begin()
		first.Begin()
		first.End(nil, false) // it found another connection
		first.Begin()
		first.End(errors.New("refused"), true)
		c := n.pool.Clients()[0]
		if c.State != connectivity.Ready || c.Running != 1 || c.Calls != 2 || c.Failures != 1 || c.LastError != "refused" {
			t.Errorf("%+v", c)
		}
		n.pool.Redial(pki.ID{1})
		if told != 1 {
			t.Errorf("%d were told to connect anew", told)
		}
		for _, l := range loans {
			l.Return()
		}
		first.End(nil, true)
		if n.pool.Len() != 0 {
			t.Errorf("%d peers are left", n.pool.Len())
		}
		n.pool.Close()
		if _, err := lend(0); !errors.Is(err, ErrPoolClosed) {
			t.Errorf("a closed pool lends: %v", err)
		}
	})
}

func TestCountingACallAllocatesNothing(t *testing.T) {
	l := &Loan{peer: &pooled{}}
	if n := testing.AllocsPerRun(100, func() { l.Begin(); l.End(nil, true) }); n != 0 {
		t.Errorf("%v allocations a call", n)
	}
}
