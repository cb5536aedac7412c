package cmd

import (
	"context"
	"net"
	"os"
	"strconv"
	"strings"
	"time"
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

// watchdogPeriod is how often the service manager wants a sign of life, 0 for never.
func (a *app) watchdogPeriod() time.Duration {
	if pid := a.getenv("WATCHDOG_PID"); pid != "" && pid != strconv.Itoa(os.Getpid()) {
		return 0 // it is meant for another process
	}
	micros, err := strconv.ParseInt(a.getenv("WATCHDOG_USEC"), 10, 64)
	if err != nil || micros <= 0 || micros > int64(time.Hour/time.Microsecond)*24 {
		return 0
	}
	return time.Duration(micros) * time.Microsecond
}

// A living is asked whether it still is.
type living interface{ alive(context.Context) error }

// watchdog tells the service manager twice a period that the node lives, as long as its loop answers: a node that hangs is
// started again. The function that it returns ends it.
func (a *app) watchdog(node living) (stop func()) {
	period := a.watchdogPeriod() / 2
	if period == 0 {
		return func() {}
	}
	ctx, cancel := context.WithCancel(context.Background())
	gone := make(chan struct{})
	go func() {
		defer close(gone)
		for ctx.Err() == nil {
			call, done := context.WithTimeout(ctx, period)
			if node.alive(call) == nil {
				a.notifySystemd("WATCHDOG=1")
			}
			done()
			pause(ctx, period)
		}
	}()
	return func() { cancel(); <-gone }
}
