package cmd

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"github.com/g2g-net/g2g/node/config"
	"github.com/g2g-net/g2g/pki"
)

// folder looks at the folder itself, and says whether there is one to look into.
func (d *doctor) folder() bool {
	info, err := os.Stat(d.dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		d.problem("folder", fmt.Sprintf("found a network: g2g init%s; or join one: g2g join%[1]s", d.a.atDir(d.dir)), "there is no folder %s", d.dir)
		return false
	case err != nil:
		d.problem("folder", "run this as the user that the node runs as", "%v", err)
		return false
	case !info.IsDir():
		d.problem("folder", "choose another: --dir DIR", "%s is no folder", d.dir)
		return false
	}
	if mode := info.Mode().Perm(); modes && mode&0o077 != 0 {
		d.problem("folder", "chmod 700 "+shellWord(d.dir), "%s has mode %04o: other users can look into it", d.dir, mode)
		return true
	}
	d.ok("folder", "%s", d.dir)
	return true
}

// modes: Windows has no modes that would say who may read.
const modes = runtime.GOOS != "windows"

// files looks at what a node keeps.
func (d *doctor) files() {
	state, _ := d.private(stateFile)
	switch there := d.key(identityFile); {
	case !there && state:
		d.problem("identity", "put it back from a backup, or begin with a new folder", "%s is missing, but %s is that of an identity", identityFile, stateFile)
	case !there:
		d.warn("identity", fmt.Sprintf("found a network: g2g init%s; or join one: g2g join%[1]s", d.a.atDir(d.dir)), "there is no %s yet: the folder is new", identityFile)
	}
	if d.key(founderFile) {
		d.warn("founder", "move it to a safe place that is not on this machine", "%s is in the folder: the node does not need it, and who has it can admit anybody", founderFile)
	}
}

// key looks at a key file, and says whether there is one.
func (d *doctor) key(name string) bool {
	check := map[string]string{identityFile: "identity", founderFile: "founder"}[name]
	there, fine := d.private(name)
	d.locked = d.locked || !fine && name == identityFile
	if !there || !fine {
		return there
	}
	id, err := keyID(filepath.Join(d.dir, name))
	switch {
	case err != nil:
		d.locked = d.locked || name == identityFile
		d.problem(check, "put it back from a backup", "%v", err)
	case name == identityFile:
		d.ok(check, "%s", id)
	}
	return true
}

// private says whether a file is there, and whether nobody else can get at it, as its reader wants it.
func (d *doctor) private(name string) (there, fine bool) {
	path := filepath.Join(d.dir, name)
	info, err := os.Lstat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return false, true
	case err != nil:
		d.problem("files", "run this as the user that the node runs as", "%v", err)
		return true, false
	}
	if mode := info.Mode().Perm(); modes && info.Mode().IsRegular() && mode&0o077 != 0 {
		d.problem("files", "chmod 600 "+shellWord(path), "%s has mode %04o: other users can get at it", name, mode)
		return true, false
	}
	return true, true
}

// config settles the configuration as a start would, and says whether that worked.
func (d *doctor) config() (config.Loaded, bool) {
	path := filepath.Join(d.dir, config.FileName)
	info, err := os.Stat(path)
	if mode := fileMode(info, err); modes && mode&0o022 != 0 {
		d.problem("config", "chmod 600 "+shellWord(path), "%s has mode %04o: other users can change it", config.FileName, mode)
	}
	loaded, failed := d.a.load(d.dir, nil)
	switch {
	case failed != nil:
		d.problem("config", "see the settings: g2g help config", "%s", failed)
		return loaded, false
	case errors.Is(err, fs.ErrNotExist):
		d.ok("config", "there is no %s: all settings have their defaults", config.FileName)
	default:
		d.ok("config", "%s is fine", path)
	}
	return loaded, true
}

func fileMode(info fs.FileInfo, err error) fs.FileMode {
	if err != nil {
		return 0
	}
	return info.Mode().Perm()
}

// firstDay is before the first g2g was built: no right clock shows an earlier one.
var firstDay = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

const clockHint = "set the clock, and keep it right: NTP, chrony or systemd-timesyncd"

// clock looks whether this machine's clock can be right: nothing here has been written after now.
func (d *doctor) clock() {
	if d.now.Before(firstDay) {
		d.problem("clock", clockHint, "this machine's clock says %s", d.now.UTC().Format(time.RFC3339))
		return
	}
	for _, name := range []string{identityFile, config.FileName, stateFile} {
		info, err := os.Stat(filepath.Join(d.dir, name))
		if err == nil && info.ModTime().Sub(d.now) > pki.Tolerance {
			d.problem("clock", clockHint, "%s was written %s from now: this machine's clock has gone back", name, span(info.ModTime().Sub(d.now)))
			return
		}
	}
	d.ok("clock", "%s", d.now.UTC().Format(time.RFC3339))
}
