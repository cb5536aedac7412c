package cmd

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
)

// A lab is hosts with networks of their own on this machine, all behind one router: each is a network namespace that lives as long as
// one process in it, and all of these end with the test, however that ends. Nothing outside of them is touched.
//
// Host i has 10.77.i.2/24; the router stands between all, and at 10.77.i.1 on the link to host i.
type lab struct {
	t      *testing.T
	router *host
	hosts  []*host
}

// A host is one namespace.
type host struct {
	t  *testing.T
	ip string
	at string // the file that names the namespace
	id int    // of the process that holds it
}

// newLab makes the router and n hosts.
func newLab(t *testing.T, n int) *lab {
	t.Helper()
	if os.Geteuid() != 0 {
		absent(t, "network namespaces need root")
	}
	for _, program := range []string{"ip", "nft", "nsenter"} {
		if _, err := exec.LookPath(program); err != nil {
			absent(t, program+" is not installed")
		}
	}
	l := &lab{t: t, router: newHost(t)}
	l.router.sh(`
		echo 1 >/proc/sys/net/ipv4/ip_forward
		for all in all default; do echo 0 >/proc/sys/net/ipv4/conf/$all/rp_filter; done
		nft -f - <<-END
			table inet lab {
				set cut { type ipv4_addr; }
				set far { type ipv4_addr; flags interval; }
				chain forward {
					type filter hook forward priority 0;
					ip daddr @far drop
					ip saddr @cut ip daddr != @cut drop
					ip saddr != @cut ip daddr @cut drop
				}
			}
		END`)
	for range n {
		l.add()
	}
	return l
}

// add links one more host to the router.
func (l *lab) add() *host {
	l.t.Helper()
	h := newHost(l.t)
	i := len(l.hosts) + 1
	h.ip = fmt.Sprintf("10.77.%d.2", i)
	l.router.sh(fmt.Sprintf(`
		ip link add v%[1]d type veth peer name wan0 netns %[2]d
		ip addr add 10.77.%[1]d.1/24 dev v%[1]d
		ip link set v%[1]d up`, i, h.id))
	h.sh(fmt.Sprintf(`
		ip addr add %[2]s/24 dev wan0
		ip link set wan0 up
		ip route add default via 10.77.%[1]d.1`, i, h.ip))
	l.hosts = append(l.hosts, h)
	return h
}

// cut parts some hosts from all others: what either side sends to the other is dropped.
func (l *lab) cut(hosts ...*host) {
	l.t.Helper()
	var ips []string
	for _, h := range hosts {
		ips = append(ips, h.ip)
	}
	l.router.sh("nft add element inet lab cut { " + strings.Join(ips, ", ") + " }")
}

func (l *lab) heal() {
	l.t.Helper()
	l.router.sh("nft flush set inet lab cut")
}

// swallow has the router drop what is sent to some addresses.
func (l *lab) swallow(prefix string) {
	l.t.Helper()
	l.router.sh("nft add element inet lab far { " + prefix + " }")
}

func newHost(t *testing.T) *host {
	t.Helper()
	holder := exec.Command("cat") // ends when its input does, which is at the latest when this process does
	holder.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET, Pdeathsig: syscall.SIGKILL}
	in, err := holder.StdinPipe()
	if err == nil {
		err = holder.Start()
	}
	if err != nil {
		absent(t, fmt.Sprintf("no network namespace can be made: %v", err))
	}
	t.Cleanup(func() {
		_ = in.Close()
		_ = holder.Wait() // cat's own end is of no interest
	})
	h := &host{t: t, id: holder.Process.Pid, at: fmt.Sprintf("/proc/%d/ns/net", holder.Process.Pid)}
	h.sh("ip link set lo up")
	return h
}

// enter is what stands before a program to have it run on the host.
func (h *host) enter() []string { return []string{"nsenter", "--net=" + h.at, "--"} }

func (h *host) sh(script string) {
	h.t.Helper()
	words := append(h.enter(), "sh", "-ec", script)
	if out, err := exec.Command(words[0], words[1:]...).CombinedOutput(); err != nil {
		h.t.Fatalf("%s: %v: %s", script, err, out)
	}
}

// site is a node on the host, with the ports and the addresses that it has by default.
func (h *host) site(name string) *site {
	h.t.Helper()
	s := newSite(h.t, name)
	s.enter, s.flags = h.enter(), nil
	return s
}

// sites has one node on each host.
func (l *lab) sites() (sites []*site) {
	l.t.Helper()
	for i, h := range l.hosts {
		sites = append(sites, h.site(fmt.Sprint("n", i)))
	}
	return sites
}
