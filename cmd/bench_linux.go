package cmd

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// benchable: here it can be measured.
func benchable() error { return nil }

// tie lets a child end with this process, however that ends, and keeps Ctrl-C from it: it is stopped in order.
func tie(c *exec.Cmd) {
	c.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Setpgid: true}
}

// pause stops the process where it is, and resume lets it go on.
func (v *vessel) pause() error  { return v.process.Process.Signal(syscall.SIGSTOP) }
func (v *vessel) resume() error { return v.process.Process.Signal(syscall.SIGCONT) }

// loadAverage is that of the last minute, 0 where it is not to be had.
func loadAverage() float64 {
	text, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return 0
	}
	first, _, _ := strings.Cut(string(text), " ")
	load, _ := strconv.ParseFloat(first, 64) // 0 for what is no number
	return load
}

// ticks is the unit of times in /proc/PID/stat: Linux shows hundredths of a second to programs, whatever it counts in.
const ticks = 10 * time.Millisecond

// counters reads those of all nodes.
func (b *fleet) counters() (reading, error) {
	r := reading{at: time.Now()}
	var err error
	if r.bytes, r.packets, err = loopbackCounters(); err != nil {
		return reading{}, fmt.Errorf("read the counters of loopback: %w", err)
	}
	for _, v := range b.nodes {
		pid := v.process.Process.Pid
		processor, err := processorTime(pid)
		if err != nil {
			return reading{}, fmt.Errorf("read the processor time of %s: %w", v.name, err)
		}
		wakeups, err := wakeupsOf(pid)
		if err != nil {
			return reading{}, fmt.Errorf("read the wake-ups of %s: %w", v.name, err)
		}
		r.processor += processor
		r.wakeups += wakeups
	}
	return r, nil
}

// loopbackCounters are of one direction: what is sent on loopback is received on it too.
func loopbackCounters() (bytes, packets uint64, err error) {
	text, err := os.ReadFile("/proc/self/net/dev")
	if err != nil {
		return 0, 0, err
	}
	return parseLoopback(string(text))
}

func parseLoopback(text string) (bytes, packets uint64, err error) {
	for line := range strings.Lines(text) {
		name, rest, _ := strings.Cut(line, ":")
		if strings.TrimSpace(name) != "lo" {
			continue
		}
		fields := strings.Fields(rest)
		if len(fields) < 10 {
			return 0, 0, fmt.Errorf("%d fields are too few", len(fields))
		}
		numbers, err := parseUints(fields[0], fields[1], fields[8], fields[9])
		if err != nil {
			return 0, 0, err
		}
		return (numbers[0] + numbers[2]) / 2, (numbers[1] + numbers[3]) / 2, nil
	}
	return 0, 0, fmt.Errorf("there is no interface lo")
}

// processorTime is the user and system time of a process with all its threads.
func processorTime(pid int) (time.Duration, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, err
	}
	return parseProcessorTime(string(text))
}

func parseProcessorTime(text string) (time.Duration, error) {
	end := strings.LastIndexByte(text, ')') // the program's name may hold anything
	fields := strings.Fields(text[end+1:])
	if end < 0 || len(fields) < 13 {
		return 0, fmt.Errorf("%d fields are too few", len(fields))
	}
	numbers, err := parseUints(fields[11], fields[12])
	if err != nil {
		return 0, err
	}
	return time.Duration(numbers[0]+numbers[1]) * ticks, nil //nolint:gosec // far from the bound
}

// wakeupsOf counts how often the threads of a process that there are now went to sleep by themselves.
func wakeupsOf(pid int) (uint64, error) {
	files, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/status", pid))
	if err != nil || len(files) == 0 {
		return 0, fmt.Errorf("process %d has no threads", pid)
	}
	var sum uint64
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			continue // the thread has ended
		}
		n, err := parseKeyed(text, "voluntary_ctxt_switches:")
		if err != nil {
			return 0, err
		}
		sum += n
	}
	return sum, nil
}

// memory is the proportional set size of a node on average, and that of the largest, in KiB.
func (b *fleet) memory() (mean, largest int64, err error) {
	var sum int64
	for _, v := range b.nodes {
		text, err := os.ReadFile(fmt.Sprintf("/proc/%d/smaps_rollup", v.process.Process.Pid))
		if err != nil {
			return 0, 0, fmt.Errorf("read the memory of %s: %w", v.name, err)
		}
		n, err := parseKeyed(text, "Pss:")
		if err != nil {
			return 0, 0, fmt.Errorf("read the memory of %s: %w", v.name, err)
		}
		kib := int64(n) //nolint:gosec // KiB of a process
		sum, largest = sum+kib, max(largest, kib)
	}
	return sum / int64(len(b.nodes)), largest, nil
}

// parseKeyed finds "KEY NUMBER" at the beginning of a line.
func parseKeyed(text []byte, key string) (uint64, error) {
	lines := bufio.NewScanner(bytes.NewReader(text))
	for lines.Scan() {
		if fields := strings.Fields(lines.Text()); len(fields) > 1 && fields[0] == key {
			return strconv.ParseUint(fields[1], 10, 64)
		}
	}
	return 0, fmt.Errorf("there is no %s", key)
}

func parseUints(texts ...string) ([]uint64, error) {
	numbers := make([]uint64, len(texts))
	for i, text := range texts {
		var err error
		if numbers[i], err = strconv.ParseUint(text, 10, 64); err != nil {
			return nil, err
		}
	}
	return numbers, nil
}
