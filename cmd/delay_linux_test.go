package cmd

import (
	"container/heap"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"os"
	"runtime"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// A delayer stands between the hosts of a lab. What one sends another the router hands to a device of it, which is read here, and
// gets it back when the way has taken its time. Whether it delays or not, every packet goes this way, so hosts of one region are
// as far apart as this machine makes them.
//
//  1. What one host sends another comes in the order in which it was sent.
type delayer struct {
	device *os.File
	wake   chan struct{}

	mu     sync.Mutex
	random *rand.Rand
	region map[netip.Addr]int
	last   map[[2]netip.Addr]time.Time // when the last packet of a way comes
	queue  packets
	passed int
}

// regionBands are the round trips of the lab: regions a and b lie at regionBands[a xor b], so a host of four regions has all of them.
var regionBands = [4]time.Duration{0, 15 * time.Millisecond, 80 * time.Millisecond, 200 * time.Millisecond}

// wayJitter is the standard deviation of what a way takes, as a part of it.
const wayJitter = .10

// delay puts a delayer between the hosts, of which the i-th is in a region. It ends with the test.
func (l *lab) delay(region func(i int) int) *delayer {
	l.t.Helper()
	d := &delayer{
		device: newDevice(l.t, l.router, "delay"), wake: make(chan struct{}, 1), random: rand.New(rand.NewPCG(1, 1)),
		region: map[netip.Addr]int{}, last: map[[2]netip.Addr]time.Time{},
	}
	l.router.sh(`
		ip link set delay up
		ip route add default dev delay table 7`)
	for i, h := range l.hosts {
		d.move(h, region(i))
		l.router.sh(fmt.Sprintf("ip rule add pref 7 iif v%d lookup 7", i+1))
	}
	var both sync.WaitGroup
	closed := make(chan struct{})
	both.Go(func() { d.read(l.t) })
	both.Go(func() { d.write(l.t, closed) })
	l.t.Cleanup(func() {
		close(closed)
		_ = d.device.Close()
		both.Wait()
	})
	return d
}

// newDevice makes a device on a host whose packets this process reads and writes.
func newDevice(t *testing.T, h *host, name string) *os.File {
	t.Helper()
	runtime.LockOSThread() // it is in another namespace meanwhile; it must not end there, since processes that it started would end as well
	defer runtime.UnlockOSThread()
	home, err := os.Open("/proc/thread-self/ns/net")
	if err != nil {
		t.Fatal(err)
	}
	defer home.Close()
	there, err := os.Open(h.at)
	if err != nil {
		t.Fatal(err)
	}
	defer there.Close()
	if err := unix.Setns(int(there.Fd()), unix.CLONE_NEWNET); err != nil {
		t.Fatalf("enter %s: %v", h.at, err)
	}
	device, err := openDevice(name)
	if err := unix.Setns(int(home.Fd()), unix.CLONE_NEWNET); err != nil {
		t.Fatalf("come back from %s: %v", h.at, err)
	}
	if err != nil {
		absent(t, fmt.Sprintf("no network device can be made: %v", err))
	}
	return device
}

func openDevice(name string) (*os.File, error) {
	fd, err := unix.Open("/dev/net/tun", unix.O_RDWR|unix.O_CLOEXEC|unix.O_NONBLOCK, 0)
	if err != nil {
		return nil, fmt.Errorf("open /dev/net/tun: %w", err)
	}
	request, err := unix.NewIfreq(name)
	if err == nil {
		request.SetUint16(unix.IFF_TUN | unix.IFF_NO_PI)
		err = unix.IoctlIfreq(fd, unix.TUNSETIFF, request)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("make the device %s: %w", name, err), unix.Close(fd))
	}
	return os.NewFile(uintptr(fd), name), nil
}

// move puts a host into a region.
func (d *delayer) move(h *host, region int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.region[netip.MustParseAddr(h.ip)] = region
}

// band is the round trip between two hosts.
func (d *delayer) band(a, b *host) time.Duration {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.between(netip.MustParseAddr(a.ip), netip.MustParseAddr(b.ip))
}

func (d *delayer) between(a, b netip.Addr) time.Duration { return regionBands[d.region[a]^d.region[b]] }

// maxPacket is what a device carries at once.
const maxPacket = 1 << 16

func (d *delayer) read(t *testing.T) {
	buffer := make([]byte, maxPacket)
	for {
		n, err := d.device.Read(buffer)
		if err != nil {
			if !errors.Is(err, os.ErrClosed) {
				t.Errorf("read the delayer's device: %v", err)
			}
			return
		}
		d.take(time.Now(), append([]byte{}, buffer[:n]...))
	}
}

// take says when a packet comes. What is no IPv4 is nobody's.
func (d *delayer) take(now time.Time, packet []byte) {
	const addresses, header = 12, 20
	if len(packet) < header || packet[0]>>4 != 4 {
		return
	}
	from, to := netip.AddrFrom4([4]byte(packet[addresses:])), netip.AddrFrom4([4]byte(packet[addresses+4:]))
	d.mu.Lock()
	defer d.mu.Unlock()
	way := float64(d.between(from, to)) / 2 * max(.5, 1+wayJitter*d.random.NormFloat64())
	due := now.Add(time.Duration(way))
	if last := d.last[[2]netip.Addr{from, to}]; last.After(due) {
		due = last
	}
	d.last[[2]netip.Addr{from, to}] = due
	d.passed++
	heap.Push(&d.queue, delayed{due, d.passed, packet})
	select {
	case d.wake <- struct{}{}:
	default:
	}
}

// write gives the packets back when their time has come.
func (d *delayer) write(t *testing.T, closed <-chan struct{}) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-timer.C:
		case <-d.wake:
		case <-closed:
			return
		}
		for {
			packet, next := d.due(time.Now())
			if packet == nil {
				timer.Reset(next)
				break
			}
			if _, err := d.device.Write(packet); err != nil && !errors.Is(err, os.ErrClosed) {
				t.Errorf("write to the delayer's device: %v", err)
				return
			}
		}
	}
}

// due is a packet whose time has come, or how long there is none.
func (d *delayer) due(now time.Time) (packet []byte, next time.Duration) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.queue) == 0 {
		return nil, time.Hour
	}
	if next = d.queue[0].due.Sub(now); next > 0 {
		return nil, next
	}
	return heap.Pop(&d.queue).(delayed).packet, 0
}

// delayed is a packet under way. Number is that in which it was sent.
type delayed struct {
	due    time.Time
	number int
	packet []byte
}

type packets []delayed

func (q packets) Len() int { return len(q) }
func (q packets) Less(i, j int) bool {
	return q[i].due.Before(q[j].due) || q[i].due.Equal(q[j].due) && q[i].number < q[j].number
}
func (q packets) Swap(i, j int) { q[i], q[j] = q[j], q[i] }
func (q *packets) Push(x any)   { *q = append(*q, x.(delayed)) }
func (q *packets) Pop() any {
	last := (*q)[len(*q)-1]
	*q = (*q)[:len(*q)-1]
	return last
}
