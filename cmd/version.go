package cmd

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"

	"github.com/g2g-net/g2g/node/wire"
)

// version is set at link time, -ldflags "-X github.com/g2g-net/g2g/cmd.version=v1.2.3"; otherwise the module's counts.
var version string

type versionView struct {
	Version     string `json:"version"`
	Commit      string `json:"commit"`
	Go          string `json:"go"`
	ProtocolMin int    `json:"protocol_min"`
	ProtocolMax int    `json:"protocol_max"`
}

// buildVersion is what the linker and the module say about this binary.
func buildVersion() versionView {
	view := versionView{Version: version, Go: runtime.Version(), ProtocolMin: wire.ProtocolVersion, ProtocolMax: wire.ProtocolVersion}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		info = &debug.BuildInfo{}
	}
	if view.Version == "" {
		view.Version = info.Main.Version
	}
	if view.Version == "" {
		view.Version = "(devel)"
	}
	for _, s := range info.Settings {
		switch s.Key {
		case "vcs.revision":
			view.Commit = s.Value
		case "vcs.modified":
			if s.Value == "true" && view.Commit != "" {
				view.Commit += "-modified"
			}
		}
	}
	return view
}

func (a *app) versionCommand() *cobra.Command {
	c := &cobra.Command{
		Use:     "version",
		Short:   "Show the version of this binary",
		Long:    "Shows the version, the commit it was built from, and the range of protocol versions that it speaks.",
		Example: "  g2g version -o json",
		Args:    exactly(0),
	}
	f := output(c)
	c.RunE = func(*cobra.Command, []string) error {
		v := buildVersion()
		return writeObject(a.out, f.value, v, v.Version, []field{
			{"version", v.Version},
			{"commit", v.Commit},
			{"go", v.Go},
			{"protocol", fmt.Sprintf("%d to %d", v.ProtocolMin, v.ProtocolMax)},
		})
	}
	return c
}
