package config

import (
	"errors"
	"fmt"
	"maps"
	"slices"
)

// A Layer is what one source says: some keys, each with its value and where exactly it was found. Layers lie on one
// another and the uppermost that has a key decides it.
//
//  1. Every value is of its key's type; set checks, Apply relies on it.
//
// The zero Layer says nothing.
type Layer struct {
	settings map[string]setting // by key path
}

type setting struct {
	texts  []string
	origin string
}

// set records what a source says about k; an error leaves the layer as it was.
func (l *Layer) set(k Key, texts []string, origin string) error {
	var scratch Config
	if err := k.assign(&scratch, texts); err != nil {
		return err
	}
	if l.settings == nil {
		l.settings = make(map[string]setting)
	}
	l.settings[k.Path] = setting{texts, origin}
	return nil
}

// Apply returns c with what the layer says put over it. It does not validate.
func (l Layer) Apply(c Config) Config {
	for _, k := range table {
		s, ok := l.settings[k.Path]
		if !ok {
			continue
		}
		if err := k.assign(&c, s.texts); err != nil {
			panic(fmt.Sprintf("config: layer holds what set would refuse: %v", err))
		}
	}
	return c
}

// Values are settings by key path, as text. A list has one text an entry, every other key exactly one.
type Values map[string][]string

// layer makes a Layer of the flags that were given.
func (v Values) layer() (Layer, error) {
	var l Layer
	var errs []error
	for _, path := range slices.Sorted(maps.Keys(v)) {
		if err := l.setFlag(path, v[path]); err != nil {
			errs = append(errs, err)
		}
	}
	if len(errs) > 0 {
		return Layer{}, errors.Join(errs...)
	}
	return l, nil
}

func (l *Layer) setFlag(path string, texts []string) error {
	k, ok := lookUp(path)
	if !ok || k.Flag == "" {
		return fmt.Errorf("flags: no flag sets key %q", path)
	}
	origin := "flag --" + k.Flag
	if err := l.set(k, texts, origin); err != nil {
		return fmt.Errorf("%s: %w", origin, err)
	}
	return nil
}
