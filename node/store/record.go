package store

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"hash/crc32"
	"unicode"

	"go.etcd.io/bbolt"
)

// A value in state.db is a version byte, a body and a checksum of 4 bytes over its bucket, its key, the version and the body.
// The checksum is against disks, not against people: who can write the file can write its checksum too.
const (
	recordVersion = 1
	recordExtra   = 1 + 4
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

func recordSum(bucket, key string, b []byte) uint32 {
	sum := crc32.Update(0, castagnoli, []byte(bucket+"/"+key))
	return crc32.Update(sum, castagnoli, b)
}

// put writes one value.
func put(tx *bbolt.Tx, bucket, key string, body []byte) error {
	b := append(make([]byte, 0, len(body)+recordExtra), recordVersion)
	b = append(b, body...)
	b = binary.BigEndian.AppendUint32(b, recordSum(bucket, key, b))
	return tx.Bucket([]byte(bucket)).Put([]byte(key), b)
}

// get reads one value, or nil where there is none. The bytes are good only within the transaction.
func get(tx *bbolt.Tx, bucket, key string) ([]byte, error) {
	b := tx.Bucket([]byte(bucket))
	if b == nil {
		return nil, fmt.Errorf("%w: bucket %s is missing", ErrDamaged, bucket)
	}
	v := b.Get([]byte(key))
	if v == nil {
		return nil, nil
	}
	return body(bucket, key, v)
}

// body takes the checked body out of a value.
func body(bucket, key string, v []byte) ([]byte, error) {
	if len(v) < recordExtra {
		return nil, damaged(bucket, key, "%d bytes are too few", len(v))
	}
	end := len(v) - 4
	if binary.BigEndian.Uint32(v[end:]) != recordSum(bucket, key, v[:end]) {
		return nil, damaged(bucket, key, "the checksum does not fit")
	}
	if v[0] != recordVersion {
		return nil, fmt.Errorf("%s: %s: version %d, this g2g knows %d: use the g2g that wrote it, or a newer one", StateFile, named(bucket, key), v[0], recordVersion)
	}
	return v[1:end], nil
}

func damaged(bucket, key, format string, args ...any) error {
	return fmt.Errorf("%w: %s: %w", ErrDamaged, named(bucket, key), fmt.Errorf(format, args...))
}

// named names a value for people: keys that are words as words, IDs in hex.
func named(bucket, key string) string {
	for _, c := range key {
		if c > unicode.MaxASCII || !unicode.IsLower(c) {
			return bucket + "/" + hex.EncodeToString([]byte(key[:min(len(key), 8)]))
		}
	}
	return bucket + "/" + key
}

// each reads all values of a bucket whose keys have a fixed length, in the order of the keys, and refuses more than bound.
func each(tx *bbolt.Tx, bucket string, keySize, bound int, read func(key string, body []byte) error) error {
	n := 0
	return tx.Bucket([]byte(bucket)).ForEach(func(k, v []byte) error {
		if n++; n > bound {
			return fmt.Errorf("%w: over %d %s", ErrDamaged, bound, bucket)
		}
		key := string(k)
		if len(key) != keySize {
			return damaged(bucket, key, "a key of %d bytes where %d are needed", len(key), keySize)
		}
		b, err := body(bucket, key, v)
		if err != nil {
			return err
		}
		return read(key, b)
	})
}

// clearBucket drops all values of a bucket.
func clearBucket(tx *bbolt.Tx, bucket string) error {
	if err := tx.DeleteBucket([]byte(bucket)); err != nil {
		return err
	}
	_, err := tx.CreateBucket([]byte(bucket))
	return err
}
