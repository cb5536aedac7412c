package config

import (
	"fmt"
	"strings"
)

// suggestion names the one known word that word was most likely meant to be, as the end of an error; empty when
// none or several come equally near.
func suggestion(word string, known []string) string {
	best, nearest := "", 3 // more than two typing errors is another word
	for _, candidate := range known {
		d := distance(word, candidate)
		if strings.HasSuffix(candidate, "."+word) {
			d = 1 // the right key outside its table
		}
		switch {
		case d < nearest:
			best, nearest = candidate, d
		case d == nearest:
			best = ""
		}
	}
	if best == "" {
		return ""
	}
	return fmt.Sprintf(", did you mean %q?", best)
}

// distance counts the bytes to insert, delete or replace that make b of a. Lengths that differ by more than two are
// far apart without counting: a comes from outside and may be long.
func distance(a, b string) int {
	if gap := len(a) - len(b); gap > 2 || gap < -2 {
		return 3
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			change := diagonal
			if a[i] != b[j] {
				change++
			}
			diagonal = row[j+1]
			row[j+1] = min(change, diagonal+1, row[j]+1)
		}
	}
	return row[len(b)]
}
