package config

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// A Variable is an environment variable that g2g reads.
type Variable struct {
	Name string
	Doc  string
}

// otherVariables begin with G2G_ and are no keys of the file; cmd reads them.
var otherVariables = []Variable{
	{"G2G_DIR", "The node's folder, when --dir is not given."},
	{"G2G_TOKEN", "The token to join with, when none is given as an argument."},
}

// Variables returns every environment variable whose name begins with G2G_ and that has a meaning.
func Variables() []Variable {
	variables := slices.Clone(otherVariables)
	for _, k := range Keys() {
		variables = append(variables, Variable{k.Env, "Overrides " + k.Path + " of " + FileName + "."})
	}
	return variables
}

// environmentLayer reads the variable of every key. An empty variable counts as unset, as in most shells and tools.
func environmentLayer(getenv func(string) string) (Layer, error) {
	var l Layer
	var errs []error
	for _, k := range table {
		name := envName(k.Path)
		text := getenv(name)
		if text == "" {
			continue
		}
		origin := "environment " + name
		if err := l.set(k, splitList(k, text), origin); err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", origin, err))
		}
	}
	if len(errs) > 0 {
		return Layer{}, errors.Join(errs...)
	}
	return l, nil
}

func splitList(k Key, text string) []string {
	if !k.isList() {
		return []string{text}
	}
	texts := strings.Split(text, ",")
	for i := range texts {
		texts[i] = strings.TrimSpace(texts[i])
	}
	return texts
}

// CheckEnvironment reports every variable of environ ("NAME=value", as os.Environ gives them) that begins with G2G_
// and means nothing: it is a setting that would silently have no effect. Load cannot do this, for it is given no list
// of names; cmd calls both. Values are not quoted, they may be secret.
func CheckEnvironment(environ []string) error {
	var known []string
	for _, v := range Variables() {
		known = append(known, v.Name)
	}
	var errs []error
	for _, entry := range environ {
		name, _, _ := strings.Cut(entry, "=")
		if strings.HasPrefix(name, "G2G_") && !slices.Contains(known, name) {
			errs = append(errs, fmt.Errorf("environment: unknown variable %s%s", quoted(name), suggestion(name, known)))
		}
	}
	return errors.Join(atMost(errs)...)
}
