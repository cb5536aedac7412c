// Command g2g founds, joins and watches networks of nodes that trust each other without a certificate authority.
package main

import (
	"os"

	"github.com/g2g-net/g2g/cmd"
)

func main() { os.Exit(cmd.Main()) }
