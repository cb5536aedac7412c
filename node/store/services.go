package store

import (
	"fmt"
	"strings"

	"go.etcd.io/bbolt"

	"github.com/g2g-net/g2g/node/view"
	"github.com/g2g-net/g2g/pki"
)

// saveServices keeps the services that an operator added, one a line.
func saveServices(tx *bbolt.Tx, services []string) error {
	if err := checkServices(services); err != nil {
		return fmt.Errorf("services: %w", err)
	}
	return put(tx, bucketOwn, keyServices, []byte(strings.Join(services, "\n")))
}

func checkServices(services []string) error {
	if len(services) > view.MaxServices {
		return fmt.Errorf("%d addresses are over the bound of %d", len(services), view.MaxServices)
	}
	for _, a := range services {
		if err := pki.CheckAddress(a); err != nil {
			return err
		}
	}
	return nil
}

func loadServices(tx *bbolt.Tx) ([]string, error) {
	b, err := get(tx, bucketOwn, keyServices)
	if err != nil || len(b) == 0 {
		return nil, err
	}
	services := strings.Split(string(b), "\n")
	if err := checkServices(services); err != nil {
		return nil, damaged(bucketOwn, keyServices, "%w", err)
	}
	return services, nil
}
