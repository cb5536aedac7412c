package cmd

import (
	"net"
	"strings"
)

// notifySystemd tells the service manager how far the node is (sd_notify); nothing happens where there is none.
func (a *app) notifySystemd(state string) {
	socket := a.getenv("NOTIFY_SOCKET")
	if socket == "" {
		return
	}
	if name, abstract := strings.CutPrefix(socket, "@"); abstract {
		socket = "\x00" + name
	}
	conn, err := net.DialUnix("unixgram", nil, &net.UnixAddr{Name: socket, Net: "unixgram"})
	if err != nil {
		return // a manager that does not listen is no reason not to run
	}
	defer conn.Close()
	_, _ = conn.Write([]byte(state))
}
