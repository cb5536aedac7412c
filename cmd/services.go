package cmd

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/g2g-net/g2g/node/config"
	"github.com/g2g-net/g2g/pki"
)

// A serviceView is a shared address and what answered there last.
type serviceView struct {
	Address   string     `json:"address"`
	Origin    string     `json:"origin"` // config, added, peers
	LastVisit *time.Time `json:"last_visit"`
	LastID    string     `json:"last_id"` // this node's own where the visit came home
	LastName  string     `json:"last_name"`
	Self      bool       `json:"self"`
	Error     string     `json:"error"` // of the last visit
	Visits    uint32     `json:"visits"`
	ToldBy    []string   `json:"told_by"`
}

// Origins of a service that cmd tells apart.
const (
	originConfig = "config"
	originAdded  = "added"
	originPeers  = "peers"
)

const servicesLong = `Lists the services: addresses that many nodes share, such as a Kubernetes Service, a load balancer or a DNS name. The
node visits its own ones every now and then and introduces itself to whoever answers; that may be the node itself.

Origins: config, from g2g.toml or the flags of serve; added, with "g2g services add"; peers, named by a peer and visited
only by a node that reaches nobody.`

func (a *app) servicesCommand() *cobra.Command {
	c := group(&cobra.Command{
		Use:     "services",
		Short:   "List and change the shared addresses",
		Long:    servicesLong,
		Example: "  g2g services\n  g2g services add mesh.example:7401",
	}, a.servicesListCommand(), a.servicesAddCommand(), a.servicesRemoveCommand())
	c.Use = "services [COMMAND]"
	f := output(c)
	c.Args = func(c *cobra.Command, args []string) error {
		if len(args) > 0 {
			return unknownCommand(c, c.CommandPath(), args[0])
		}
		return nil
	}
	c.RunE = func(c *cobra.Command, _ []string) error { return a.listServices(c, f.value) }
	return c
}

func (a *app) servicesListCommand() *cobra.Command {
	c := &cobra.Command{
		Use:     "list",
		Short:   "List the shared addresses",
		Long:    servicesLong,
		Example: "  g2g services list -o json | jq -r '.[] | select(.error != \"\") | .address'",
		Args:    exactly(0),
	}
	f := output(c)
	c.RunE = func(c *cobra.Command, _ []string) error { return a.listServices(c, f.value) }
	return c
}

func (a *app) listServices(c *cobra.Command, f string) error {
	return a.ask(c.Context(), func(node *client) error {
		services, err := node.Services(c.Context())
		if err != nil {
			return err
		}
		return serviceListing(time.Now()).write(a.out, f, services)
	})
}

func (a *app) servicesAddCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "add ADDRESS",
		Short: "Add a shared address",
		Long: `Makes ADDRESS, host:port, one of the services of the node in the folder, for good: it is kept in the folder, visited at
once, and told to the peers. A node has at most 64. One that it has already changes nothing.`,
		Example:           "  g2g services add mesh.example:7401",
		Args:              exactly(1, "ADDRESS"),
		ValidArgsFunction: cobra.NoFileCompletions,
	}
	f := output(c)
	c.RunE = func(c *cobra.Command, args []string) error {
		if err := checkService(args[0]); err != nil {
			return err
		}
		return a.ask(c.Context(), func(node *client) error {
			services, err := node.AddService(c.Context(), args[0])
			if err != nil {
				return err
			}
			s, ok := serviceAt(services, args[0])
			if !ok || s.Origin == originPeers {
				return &failure{
					why:  fmt.Errorf("the node has %d services, which is as many as it can have", config.MaxServices),
					hint: "make room: g2g services remove ADDRESS", code: exitFailed,
				}
			}
			a.Note("%s is a service of this node (%s)", s.Address, s.Origin)
			return a.tellService(s, f.value)
		})
	}
	return c
}

func (a *app) servicesRemoveCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "remove ADDRESS",
		Short: "Remove an address that was added",
		Long: `Undoes "g2g services add". An address of the configuration stays until that is changed and the node started again; one
that only peers name is theirs.`,
		Example:           "  g2g services remove mesh.example:7401",
		Args:              exactly(1, "ADDRESS"),
		ValidArgsFunction: a.completeAdded,
	}
	f := output(c)
	c.RunE = func(c *cobra.Command, args []string) error {
		if err := checkService(args[0]); err != nil {
			return err
		}
		return a.ask(c.Context(), func(node *client) error {
			before, err := node.Services(c.Context())
			if err != nil {
				return err
			}
			gone, err := removable(before, args[0])
			if err != nil {
				return err
			}
			if _, err := node.RemoveService(c.Context(), args[0]); err != nil {
				return err
			}
			a.Note("%s is no service of this node any more", gone.Address)
			return a.tellService(gone, f.value)
		})
	}
	return c
}

func checkService(address string) error {
	if err := pki.CheckAddress(address); err != nil {
		return wrongUsage(err.Error(), "give it as HOST:PORT, such as mesh.example:7401")
	}
	return nil
}

func serviceAt(services []serviceView, address string) (serviceView, bool) {
	i := slices.IndexFunc(services, func(s serviceView) bool { return s.Address == address })
	if i < 0 {
		return serviceView{}, false
	}
	return services[i], true
}

// tellService prints the service that a command changed; to people its note has said enough.
func (a *app) tellService(s serviceView, f string) error {
	if f == asTable {
		return nil
	}
	return writeObject(a.out, f, s, s.Address, nil)
}

// removable finds the service to remove, or says why it cannot be removed here, before the node is asked.
func removable(services []serviceView, address string) (serviceView, error) {
	s, ok := serviceAt(services, address)
	switch {
	case !ok:
		return s, &failure{why: fmt.Errorf("no service %q", address), hint: "see them: g2g services", code: exitNobody}
	case s.Origin == originConfig:
		return s, &failure{
			why:  fmt.Errorf("service %q is one of the configuration", address),
			hint: "take it out of g2g.toml, and send the node SIGHUP; one of the environment or of the flags of serve needs a new start", code: exitFailed,
		}
	case s.Origin == originPeers:
		return s, &failure{why: fmt.Errorf("service %q is named by peers only: %s", address, list(s.ToldBy)), hint: "remove it there", code: exitFailed}
	}
	return s, nil
}

func serviceListing(now time.Time) listing[serviceView] {
	return listing[serviceView]{
		name: func(s serviceView) string { return s.Address },
		columns: []column[serviceView]{
			{"ADDRESS", func(s serviceView) string { return s.Address }},
			{"ORIGIN", func(s serviceView) string { return s.Origin }},
			{"VISITS", func(s serviceView) string { return fmt.Sprint(s.Visits) }},
			{"LAST", func(s serviceView) string { return ago(s.LastVisit, now) }},
			{"ANSWERED", answered},
			{"TOLD BY", func(s serviceView) string { return list(s.ToldBy) }},
		},
	}
}

// answered is who answered at a service, or why nobody did.
func answered(s serviceView) string {
	switch {
	case s.Error != "":
		return s.Error
	case s.Self:
		return "this node itself"
	case s.LastName != "":
		return s.LastName
	}
	return shortID(s.LastID)
}

// ago is how long something is past, in a table.
func ago(t *time.Time, now time.Time) string {
	if t == nil {
		return "never"
	}
	return span(max(0, now.Sub(*t))) + " ago"
}

// completeAdded offers the addresses that can be removed, silently nothing when the node does not tell them in time.
func (a *app) completeAdded(c *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	var added []cobra.Completion
	ctx, cancel := context.WithTimeout(c.Context(), completionTime)
	defer cancel()
	_ = a.ask(ctx, func(node *client) error {
		services, err := node.Services(ctx)
		for _, s := range services {
			if s.Origin == originAdded {
				added = append(added, cobra.CompletionWithDesc(s.Address, s.Origin))
			}
		}
		return err
	})
	return added, cobra.ShellCompDirectiveNoFileComp
}
