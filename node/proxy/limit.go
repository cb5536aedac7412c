package proxy

import (
	"net"
	"sync"
)

// limited is a listener that closes what is one connection too many: nobody waits in a queue that he cannot see.
type limited struct {
	net.Listener
	places chan struct{}
}

func atMost(l net.Listener, n int) net.Listener { return limited{l, make(chan struct{}, n)} }

// Accept gives the next connection for which there is a place.
func (l limited) Accept() (net.Conn, error) {
	for {
		c, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		select {
		case l.places <- struct{}{}:
			return &placed{Conn: c, leave: sync.OnceFunc(func() { <-l.places })}, nil
		default:
			_ = c.Close()
		}
	}
}

type placed struct {
	net.Conn
	leave func()
}

// Close gives the place back.
func (p *placed) Close() error {
	defer p.leave()
	return p.Conn.Close()
}
