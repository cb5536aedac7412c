package cmd

import (
	"net"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"github.com/g2g-net/g2g/node/config"
)

func TestReadyLine(t *testing.T) {
	i := nodeInfo{name: "b", id: fakeID(2), admin: "/x/admin.sock"}
	if got, want := readyLine(i), "ready name=b id="+fakeID(2)+" gossip=- register=- admin=/x/admin.sock"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	i.gossip, i.register = "127.0.0.1:1", "[::]:2"
	if got, want := readyLine(i), "ready name=b id="+fakeID(2)+" gossip=127.0.0.1:1 register=[::]:2 admin=/x/admin.sock"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestSystemdIsNotified(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("no datagram sockets")
	}
	dir, err := os.MkdirTemp("", "g2g") //nolint:usetesting // a socket's path must be short
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	socket, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: filepath.Join(dir, "notify"), Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer socket.Close()
	newApp(nil, nil, nil, []string{"NOTIFY_SOCKET=" + filepath.Join(dir, "notify")}).notifySystemd("READY=1")
	got := make([]byte, 64)
	_ = socket.SetReadDeadline(time.Now().Add(10 * time.Second))
	n, err := socket.Read(got)
	if err != nil || string(got[:n]) != "READY=1" {
		t.Errorf("%q, %v", got[:n], err)
	}
	// No manager, and one that is gone, are no reason not to run.
	newApp(nil, nil, nil, nil).notifySystemd("READY=1")
	newApp(nil, nil, nil, []string{"NOTIFY_SOCKET=" + filepath.Join(dir, "none")}).notifySystemd("READY=1")
}

func TestKeepConfigKeepsWhatIsThere(t *testing.T) {
	dir := t.TempDir()
	c := config.Default()
	c.Name, c.Gossip.Listen = "node-b", "127.0.0.1:0"
	if made, err := keepConfig(dir, c); !made || err != nil {
		t.Fatal(made, err)
	}
	loaded, err := config.Load(dir, func(string) string { return "" }, nil)
	if err != nil || loaded.Config.Name != "node-b" || loaded.Config.Gossip.Listen != "127.0.0.1:0" {
		t.Errorf("%+v, %v", loaded.Config, err)
	}
	c.Name = "other"
	if made, err := keepConfig(dir, c); made || err != nil {
		t.Fatal(made, err)
	}
	if files, err := os.ReadDir(dir); err != nil || len(files) != 1 {
		t.Errorf("%v, %v: want one file", files, err)
	}
	if loaded, err := config.Load(dir, func(string) string { return "" }, nil); err != nil || loaded.Config.Name != "node-b" {
		t.Errorf("the file was written over: %+v, %v", loaded.Config, err)
	}
}

func TestNodeLog(t *testing.T) {
	for _, c := range []config.Log{{Format: "text", Level: "info"}, {Format: "json", Level: "debug"}, {Format: "text", Level: "error"}} {
		if _, err := newNodeLog(os.Stderr, c); err != nil {
			t.Errorf("%+v: %v", c, err)
		}
	}
	if _, err := newNodeLog(os.Stderr, config.Log{Format: "text", Level: "loud"}); err == nil {
		t.Error("level loud was accepted")
	}
}
