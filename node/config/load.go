package config

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// Loaded is a valid Config with the origin of each of its values.
type Loaded struct {
	Config  Config
	origins map[string]string // by key path; a key that is absent has its default
}

// An Entry is one setting for display. Value is written as an environment variable would be: a list with commas,
// a duration with its unit.
type Entry struct {
	Key    string
	Value  string
	Origin string
}

// Load settles the configuration of the node in dir: a flag wins over the environment, that over the folder's
// file, that over the default. A folder without a file is fine. Whatever is wrong in any of them is reported at
// once, each line with its origin.
func Load(dir string, getenv func(string) string, flags Values) (Loaded, error) {
	file, fileErr := parseFile(filepath.Join(dir, FileName))
	if errors.Is(fileErr, fs.ErrNotExist) {
		fileErr = nil
	}
	environment, environmentErr := environmentLayer(getenv)
	flagged, flagErr := flags.layer()
	if err := errors.Join(fileErr, environmentErr, flagErr); err != nil {
		return Loaded{}, err
	}
	return stack(file, environment, flagged)
}

// LoadFile settles a configuration from one file over the defaults, without environment and flags.
func LoadFile(path string) (Loaded, error) {
	file, err := parseFile(path)
	if err != nil {
		return Loaded{}, err
	}
	return stack(file)
}

func parseFile(path string) (Layer, error) {
	f, err := os.Open(path)
	if err != nil {
		return Layer{}, fmt.Errorf("read configuration: %w", err)
	}
	defer f.Close() // only read: closing cannot lose anything
	data, err := io.ReadAll(io.LimitReader(f, MaxFileSize+1))
	if err != nil {
		return Layer{}, fmt.Errorf("read configuration: %w", err)
	}
	return Parse(data, path)
}

// stack lays layers over the defaults, the last one uppermost, and validates what comes out.
func stack(layers ...Layer) (Loaded, error) {
	l := Loaded{Config: Default(), origins: make(map[string]string)}
	for _, layer := range layers {
		l.Config = layer.Apply(l.Config)
		for path, s := range layer.settings {
			l.origins[path] = s.origin
		}
	}
	var errs []error
	for _, f := range l.Config.faults() {
		// "file" before a position would hide it from editors that jump to one.
		errs = append(errs, fmt.Errorf("%s: %s", strings.TrimPrefix(l.Origin(f.path), "file "), f.text))
	}
	if len(errs) > 0 {
		return Loaded{}, errors.Join(atMost(errs)...)
	}
	return l, nil
}

// Origin tells where a key's value comes from: "flag --listen", "environment G2G_GOSSIP_LISTEN",
// "file /path/g2g.toml:7" or "default".
func (l Loaded) Origin(path string) string {
	if origin, ok := l.origins[path]; ok {
		return origin
	}
	return "default"
}

// Entries returns every setting in the order of the file.
func (l Loaded) Entries() []Entry {
	entries := make([]Entry, 0, len(table))
	for _, k := range table {
		entries = append(entries, Entry{k.Path, strings.Join(k.texts(l.Config), ","), l.Origin(k.Path)})
	}
	return entries
}
