package cmd

import (
	"bytes"
	"context"
	"errors"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/g2g-net/g2g/node/config"
)

// listenNotify is a service manager's socket.
func listenNotify(t *testing.T) (socket *net.UnixConn, path string) {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip("no datagram sockets")
	}
	dir, err := os.MkdirTemp("", "g2g") //nolint:usetesting // a socket's path must be short
	if err != nil {
		t.Fatal(err)
	}
	path = filepath.Join(dir, "notify")
	socket, err = net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = socket.Close()
		_ = os.RemoveAll(dir)
	})
	return socket, path
}

func told(t *testing.T, socket *net.UnixConn) string {
	t.Helper()
	b := make([]byte, 256)
	_ = socket.SetReadDeadline(time.Now().Add(10 * time.Second))
	n, err := socket.Read(b)
	if err != nil {
		t.Fatal(err)
	}
	return string(b[:n])
}

func TestReload(t *testing.T) {
	socket, path := listenNotify(t)
	dir := t.TempDir()
	var log bytes.Buffer
	a := newApp(nil, nil, nil, []string{"NOTIFY_SOCKET=" + path})
	loaded, err := a.load(dir, config.Values{"name": {"flagged"}})
	if err != nil {
		t.Fatal(err)
	}
	lines, err := newNodeLog(&log, loaded.Config.Log)
	if err != nil {
		t.Fatal(err)
	}
	node := &configured{}
	r := &reloading{a: a, dir: dir, flags: config.Values{"name": {"flagged"}}, log: lines, node: node, current: loaded.Config}
	again := func(text string) string {
		t.Helper()
		if err := overwrite(dir, config.FileName, text); err != nil {
			t.Fatal(err)
		}
		log.Reset()
		r.run(t.Context())
		reloading, ready := told(t, socket), told(t, socket)
		if runtime.GOOS == "linux" && !strings.HasPrefix(reloading, "RELOADING=1\nMONOTONIC_USEC=") || ready != "READY=1" {
			t.Errorf("told %q, then %q", reloading, ready)
		}
		return log.String()
	}
	wantFound(t, again("name = \"other\"\nservices = [\"mesh:1\"]\n[register]\nlisten = \":1\"\n[leaf]\nlife = \"2h\"\n[log]\nlevel = \"debug\"\n"),
		`level=WARN msg="settings count only after a restart" keys="register.listen, leaf.life"`,
		`level=INFO msg="a setting waits for a restart" key=leaf.life running=24h wanted=2h origin="file `,
		`level=INFO msg="a setting has changed" key=services was="" is=mesh:1 origin="file `,
		`level=INFO msg="a setting has changed" key=log.level was=info is=debug origin="file `,
		`msg="configuration reloaded"`)
	if node.last.Name != "flagged" || !slices.Equal(node.last.Services, []string{"mesh:1"}) {
		t.Errorf("the node was told %+v", node.last)
	}
	if strings.Contains(log.String(), "key=name") {
		t.Errorf("a flag goes before the file: %s", log.String())
	}
	log.Reset()
	if lines.Debug("fine"); !strings.Contains(log.String(), "fine") {
		t.Error("level debug does not count")
	}
	// A file that is wrong changes nothing, whatever else stands in it.
	if got := again("[log]\nlevel = \"error\"\nlevl = 1\n"); !strings.Contains(got, "level=ERROR") || !strings.Contains(got, "nothing was changed") || !lines.Enabled(t.Context(), -4) {
		t.Error(got)
	}
	// So does one that the node cannot take: the log stays as it was, too.
	node.fault = errors.New("it does not fit")
	wantFound(t, again("[log]\nlevel = \"error\"\n"), `level=ERROR msg="configuration not reloaded: nothing was changed" error="it does not fit"`)
	if !lines.Enabled(t.Context(), -4) || r.current.Services == nil {
		t.Error("something was changed")
	}
	node.fault = nil
	with := lines.With("node", "a").WithGroup("g")
	wantFound(t, again("[leaf]\nlife = \"2h\"\n[log]\nformat = \"json\"\nlevel = \"debug\"\n"), `"msg":"a setting has changed","key":"log.format","was":"text","is":"json"`)
	log.Reset()
	with.Info("both", "k", 1)
	if got := log.String(); !strings.Contains(got, `"node":"a","g":{"k":1}`) {
		t.Error(got)
	}
	// What needs a restart is said every time, until it is undone.
	if got := again(""); strings.Contains(got, "restart") || !strings.Contains(got, "key=log.format was=json is=text") {
		t.Error(got)
	}
	wantFound(t, again("[[route]]\nservice = \"a.B\"\nbackend = \"127.0.0.1:1\"\n[[forward]]\nservice = \"a.C\"\nlisten = \"127.0.0.1:0\"\n"),
		`level=WARN msg="settings count only after a restart" keys="route, forward"`,
		`level=INFO msg="a setting waits for a restart" key=forward running="" wanted="a.C=127.0.0.1:0" origin="file `)
}

// A configured node takes every configuration, unless it has a fault.
type configured struct {
	last  config.Config
	fault error
}

func (c *configured) reload(_ context.Context, next config.Config) error {
	if c.fault == nil {
		c.last = next
	}
	return c.fault
}

type sick struct{ atomic.Bool }

func (s *sick) alive(context.Context) error {
	if s.Load() {
		return errors.New("it hangs")
	}
	return nil
}

func TestWatchdog(t *testing.T) {
	socket, path := listenNotify(t)
	node := &sick{}
	stop := newApp(nil, nil, nil, []string{"NOTIFY_SOCKET=" + path, "WATCHDOG_USEC=2000"}).watchdog(node)
	for range 3 {
		if got := told(t, socket); got != "WATCHDOG=1" {
			t.Fatalf("%q", got)
		}
	}
	node.Store(true)
	stop()
	for { // what was said before it fell ill
		_ = socket.SetReadDeadline(time.Now().Add(20 * time.Millisecond))
		if _, err := socket.Read(make([]byte, 64)); err != nil {
			break
		}
	}
	stop = newApp(nil, nil, nil, []string{"NOTIFY_SOCKET=" + path, "WATCHDOG_USEC=2000"}).watchdog(node)
	_ = socket.SetReadDeadline(time.Now().Add(50 * time.Millisecond))
	if n, err := socket.Read(make([]byte, 64)); err == nil {
		t.Errorf("a node that hangs was called alive (%d bytes)", n)
	}
	stop()
}

func TestWatchdogPeriod(t *testing.T) {
	own := strconv.Itoa(os.Getpid())
	for environ, want := range map[string]time.Duration{
		"":                                         0,
		"WATCHDOG_USEC=0":                          0,
		"WATCHDOG_USEC=-5":                         0,
		"WATCHDOG_USEC=soon":                       0,
		"WATCHDOG_USEC=9223372036854775807":        0,
		"WATCHDOG_USEC=30000000":                   30 * time.Second,
		"WATCHDOG_USEC=30000000 WATCHDOG_PID=1":    0,
		"WATCHDOG_USEC=500000 WATCHDOG_PID=" + own: 500 * time.Millisecond,
	} {
		if got := newApp(nil, nil, nil, strings.Fields(environ)).watchdogPeriod(); got != want {
			t.Errorf("%q: %s, want %s", environ, got, want)
		}
	}
}
