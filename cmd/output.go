package cmd

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"
)

// Formats of -o.
const (
	asTable = "table"
	asJSON  = "json"
	asLines = "jsonl"
	asName  = "name"
)

// A format is the value of -o: it refuses what its command does not print.
type format struct {
	value   string
	allowed []string
}

func (f *format) String() string { return f.value }
func (f *format) Type() string   { return "format" }

func (f *format) Set(value string) error {
	if !slices.Contains(f.allowed, value) {
		return fmt.Errorf("must be one of %s", strings.Join(f.allowed, ", "))
	}
	f.value = value
	return nil
}

// output gives a command its -o, with table as the default.
func output(c *cobra.Command, allowed ...string) *format {
	if len(allowed) == 0 {
		allowed = []string{asTable, asJSON, asLines, asName}
	}
	f := &format{value: asTable, allowed: allowed}
	c.Flags().VarP(f, "output", "o", strings.Join(allowed, "|"))
	mustComplete(c, "output", cobra.FixedCompletions(allowed, cobra.ShellCompDirectiveNoFileComp))
	return f
}

// A listing knows how rows of one kind are printed.
type listing[T any] struct {
	columns []column[T]
	name    func(T) string // for -o name
}

type column[T any] struct {
	title string
	cell  func(T) string
}

// write prints rows: an array for json, an object a line for jsonl, a name a line for name.
func (l listing[T]) write(w io.Writer, f string, rows []T) error {
	switch f {
	case asJSON:
		return writeJSON(w, nonNil(rows))
	case asLines:
		return writeLines(w, rows)
	case asName:
		names := make([][]string, len(rows))
		for i, row := range rows {
			names[i] = []string{l.name(row)}
		}
		return table(w, nil, names)
	}
	header := make([]string, len(l.columns))
	for i, c := range l.columns {
		header[i] = c.title
	}
	return table(w, header, l.cells(rows))
}

func (l listing[T]) cells(rows []T) [][]string {
	cells := make([][]string, len(rows))
	for i, row := range rows {
		for _, c := range l.columns {
			cells[i] = append(cells[i], c.cell(row))
		}
	}
	return cells
}

// A field is one line of an object's table.
type field struct{ label, value string }

// writeObject prints one thing: its fields, one a line, or the whole of it as JSON.
func writeObject(w io.Writer, f string, object any, name string, fields []field) error {
	switch f {
	case asJSON:
		return writeJSON(w, object)
	case asLines:
		return writeLines(w, []any{object})
	case asName:
		return table(w, nil, [][]string{{name}})
	}
	rows := make([][]string, len(fields))
	for i, one := range fields {
		rows[i] = []string{one.label, one.value}
	}
	return table(w, nil, rows)
}

func writeJSON(w io.Writer, value any) error {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(value); err != nil {
		return fmt.Errorf("write json: %w", err)
	}
	_, err := w.Write(b.Bytes())
	return err
}

func writeLines[T any](w io.Writer, rows []T) error {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	for _, row := range rows {
		if err := e.Encode(row); err != nil {
			return fmt.Errorf("write json: %w", err)
		}
	}
	_, err := w.Write(b.Bytes())
	return err
}

// nonNil keeps null out of JSON arrays.
func nonNil[T any](rows []T) []T {
	if rows == nil {
		return []T{}
	}
	return rows
}
