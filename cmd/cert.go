package cmd

import (
	"fmt"
	"time"

	"github.com/spf13/cobra"
)

func (a *app) certCommand() *cobra.Command {
	return group(&cobra.Command{
		Use:   "cert",
		Short: "Show, check and renew certificates",
		Long: `A leaf is the TLS certificate that a node uses; each node makes and renews its own, and its identity vouches for it.
These commands show the leaves of the node in the folder and of its peers, tell whether one ends soon, and renew the
node's own before its time.`,
	}, a.certListCommand(), a.certShowCommand(), a.certRotateCommand(), a.certCheckCommand())
}

// A certView is the leaf of a node: its TLS certificate in use. Of a peer without a connection only the epoch is known.
type certView struct {
	ID          string     `json:"id"`
	Name        string     `json:"name"`
	Self        bool       `json:"self"`
	Epoch       uint64     `json:"epoch"`
	NotBefore   *time.Time `json:"not_before"`
	NotAfter    *time.Time `json:"not_after"`
	Fingerprint string     `json:"fingerprint"`
}

// A chainView is a leaf with the admissions behind its node, up to the founder.
type chainView struct {
	certView
	Chain []linkView `json:"chain"`
}

// certsOf is the node itself, then its peers.
func certsOf(p picture) []chainView {
	certs := []chainView{{certOf(p.self.ID, p.self.Name, p.self.Leaf), p.self.Chain}}
	certs[0].Self = true
	for _, peer := range p.peers {
		certs = append(certs, chainView{certOf(peer.ID, peer.Name, peer.leaf), peer.chain})
	}
	return certs
}

func certOf(id, name string, l leafView) certView {
	return certView{ID: id, Name: name, Epoch: l.Epoch, NotBefore: l.NotBefore, NotAfter: l.NotAfter, Fingerprint: l.Fingerprint}
}

func (a *app) certListCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "list",
		Short: "List the leaves of this node and its peers",
		Long: `Lists the leaf (the TLS certificate in use) of the node in the folder, and of each peer as its connection showed
it. Of a peer without a connection only the epoch is known.`,
		Example: "  g2g cert list",
		Args:    exactly(0),
	}
	f := output(c)
	c.RunE = func(c *cobra.Command, _ []string) error {
		p, err := a.picture(c.Context())
		if err != nil {
			return err
		}
		var certs []certView
		for _, cert := range certsOf(p) {
			certs = append(certs, cert.certView)
		}
		return certListing(p.taken).write(a.out, f.value, certs)
	}
	return c
}

func certListing(now time.Time) listing[certView] {
	return listing[certView]{
		name: func(c certView) string { return c.Name },
		columns: []column[certView]{
			{"NAME", func(c certView) string { return c.Name }},
			{"SELF", func(c certView) string { return yes(c.Self) }},
			{"EPOCH", func(c certView) string { return fmt.Sprint(c.Epoch) }},
			{"UNTIL", func(c certView) string { return until(c.NotAfter, now) }},
			{"FINGERPRINT", func(c certView) string { return shortID(c.Fingerprint) }},
			{"ID", func(c certView) string { return shortID(c.ID) }},
		},
	}
}

func (a *app) certShowCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "show [PEER]",
		Short: "Show one leaf and the admissions behind it",
		Long: `Shows the leaf of the node in the folder, or of a peer, and its chain: the admissions from the node up to the
founder of the network. PEER is a name, an ID or an unambiguous ID prefix.`,
		Example:           "  g2g cert show\n  g2g cert show node-b -o json",
		Args:              exactly(0, "PEER"),
		ValidArgsFunction: a.completePeers,
	}
	f := output(c)
	c.RunE = func(c *cobra.Command, args []string) error {
		p, err := a.picture(c.Context())
		if err != nil {
			return err
		}
		cert, err := pickCert(p, args)
		if err != nil {
			return err
		}
		return writeObject(a.out, f.value, cert, cert.Name, certFields(cert, p))
	}
	return c
}

// pickCert finds the leaf that is asked for: the node's own one without a PEER, or with its own name.
func pickCert(p picture, args []string) (chainView, error) {
	certs := certsOf(p)
	if len(args) == 0 {
		return certs[0], nil
	}
	everybody := append([]peerView{{ID: p.self.ID, Name: p.self.Name}}, p.peers...)
	peer, err := resolve(everybody, args[0])
	if err != nil {
		return chainView{}, err
	}
	for _, cert := range certs {
		if cert.ID == peer.ID {
			return cert, nil
		}
	}
	return chainView{}, nobody(p.peers, args[0])
}

func certFields(c chainView, p picture) []field {
	fields := []field{
		{"name", c.Name},
		{"id", c.ID},
		{"epoch", fmt.Sprint(c.Epoch)},
		{"valid from", moment(c.NotBefore)},
		{"valid until", until(c.NotAfter, p.taken)},
		{"fingerprint", c.Fingerprint},
	}
	for _, l := range c.Chain {
		text := fmt.Sprintf("%s admitted by %s at %s as %s", nameOf(p, l.Subject), nameOf(p, l.Nominator), moment(l.IssuedAt), l.Mode)
		if !l.MayNominate {
			text += ", may not nominate"
		}
		fields = append(fields, field{fmt.Sprintf("chain %d", l.Depth), text})
	}
	return fields
}

// nameOf is the name of a node that the picture shows, else its ID.
func nameOf(p picture, id string) string {
	if id == p.self.ID {
		return p.self.Name
	}
	for _, peer := range p.peers {
		if peer.ID == id {
			return peer.Name
		}
	}
	return id
}
