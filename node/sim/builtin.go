package sim

import (
	"embed"
	"path"
	"strings"
)

//go:embed scenarios/*.txt
var scenarios embed.FS

// A Scenario is one that comes with the program.
type Scenario struct {
	Name, About, Text string
}

// Builtin are the scenarios that come with the program, ordered by name.
func Builtin() []Scenario {
	entries, err := scenarios.ReadDir("scenarios")
	if err != nil {
		panic(err) // it is built in
	}
	list := make([]Scenario, 0, len(entries))
	for _, e := range entries {
		text, err := scenarios.ReadFile("scenarios/" + e.Name())
		if err != nil {
			panic(err)
		}
		list = append(list, Scenario{strings.TrimSuffix(e.Name(), path.Ext(e.Name())), about(string(text)), string(text)})
	}
	return list
}

// about is the comment that a scenario begins with, as one line.
func about(text string) string {
	var words []string
	for _, line := range strings.Split(text, "\n") {
		comment, ok := strings.CutPrefix(line, "#")
		if !ok {
			break
		}
		words = append(words, strings.Fields(comment)...)
	}
	return strings.Join(words, " ")
}
