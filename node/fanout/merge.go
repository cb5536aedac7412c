package fanout

import (
	"errors"
	"fmt"
)

// Merge makes one value of the answers of a query: each is read, then merged into what those before it make, by hops and then by the time.
//
// An answer that its handler gave as an error, or that cannot be read, is left out and stands in err with its node: one node that answers
// nonsense takes nothing from the others. So value is what the merged answers make, also where there is an error; without any it is the zero
// value.
//
// Answers come to whoever asks one by one, with who gave them. So how they are merged is for the asker alone to know, and two askers of one
// name may do it differently.
func Merge[T any](r Result, read func(Answer) (T, error), merge func(before, next T) T) (value T, merged int, err error) {
	var errs []error
	for _, a := range r.Answers {
		if a.Unknown {
			continue // it says whom it is connected to, and nothing else
		}
		next, err := readOne(a, read)
		if err != nil {
			errs = append(errs, fmt.Errorf("answer of %q (%s): %w", a.Name, a.ID.Short(), err))
			continue
		}
		if merged++; merged > 1 {
			next = merge(value, next)
		}
		value = next
	}
	return value, merged, errors.Join(errs...)
}

func readOne[T any](a Answer, read func(Answer) (T, error)) (value T, err error) {
	if a.Error != "" {
		return value, fmt.Errorf("%q", a.Error) // its words are the peer's
	}
	return read(a)
}
