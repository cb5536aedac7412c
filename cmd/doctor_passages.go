package cmd

import (
	"context"
	"net"

	"github.com/g2g-net/g2g/node/config"
)

// passages looks at both ends of routes and forwards: the programs that routes lead to, and the peers that forwards do.
func (d *doctor) passages(ctx context.Context, c config.Config, p picture) {
	if p.self.Mode != modeServer && len(c.Routes) > 0 {
		d.warn("route", "take the routes out, or join anew in server mode", "a client-mode member has no port: it serves nothing")
		return
	}
	ctx, cancel := context.WithTimeout(ctx, answerTime)
	defer cancel()
	for _, r := range c.Routes {
		conn, err := new(net.Dialer).DialContext(ctx, "tcp", r.Address)
		if err != nil {
			d.warn("route", "start the program that serves it, or correct backend", "nobody listens where %s is routed to: %s", r.Service, reason(err))
			continue
		}
		_ = conn.Close()
		d.ok("route", "a program listens at %s for %s", r.Address, r.Service)
	}
	for _, f := range c.Forwards {
		if n := len(p.serving(f.Service)); n > 0 {
			d.ok("forward", "%s in the order: %s", count(n, "peer"), f.Service)
			continue
		}
		d.warn("forward", "give a node beside a program that serves it a [[route]], and start that node again", "no peer in the order serves %s", f.Service)
	}
}
