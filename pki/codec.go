package pki

import (
	"encoding/binary"
	"errors"
	"fmt"
)

var errTrailing = errors.New("bytes after the end")

// writer appends the fields of a statement. Integers are big-endian; variable fields carry their length in front.
type writer []byte

func (w *writer) u8(v uint8)      { *w = append(*w, v) }
func (w *writer) u16(v uint16)    { *w = binary.BigEndian.AppendUint16(*w, v) }
func (w *writer) u32(v uint32)    { *w = binary.BigEndian.AppendUint32(*w, v) }
func (w *writer) u64(v uint64)    { *w = binary.BigEndian.AppendUint64(*w, v) }
func (w *writer) raw(b []byte)    { *w = append(*w, b...) }
func (w *writer) time(unix int64) { w.u64(uint64(unix)) } //nolint:gosec // two's complement on the wire

// short appends a field of at most 255 bytes; its callers have checked the length.
func (w *writer) short(b []byte) {
	w.u8(uint8(len(b))) //nolint:gosec // bounded by every caller
	w.raw(b)
}

// reader takes the fields of a statement. After the first error every further field is zero, and done reports it.
type reader struct {
	b   []byte
	err error
}

func (r *reader) fail(err error) {
	if r.err == nil {
		r.err, r.b = err, nil
	}
}

func (r *reader) raw(n int) []byte {
	if r.err != nil || len(r.b) < n {
		r.fail(fmt.Errorf("cut short: %d bytes where %d are needed", len(r.b), n))
		return make([]byte, min(n, 255))
	}
	out := r.b[:n]
	r.b = r.b[n:]
	return out
}

func (r *reader) u8() uint8     { return r.raw(1)[0] }
func (r *reader) u16() uint16   { return binary.BigEndian.Uint16(r.raw(2)) }
func (r *reader) u32() uint32   { return binary.BigEndian.Uint32(r.raw(4)) }
func (r *reader) u64() uint64   { return binary.BigEndian.Uint64(r.raw(8)) }
func (r *reader) time() int64   { return int64(r.u64()) } //nolint:gosec // two's complement on the wire
func (r *reader) short() []byte { return r.raw(int(r.u8())) }

func (r *reader) id() (id ID) {
	copy(id[:], r.raw(len(id)))
	return id
}

func (r *reader) key() (k Key) {
	copy(k[:], r.raw(len(k)))
	return k
}

func (r *reader) network() (n NetworkID) {
	copy(n[:], r.raw(len(n)))
	return n
}

// version takes the first byte of every statement.
func (r *reader) version(want uint8) {
	if v := r.u8(); r.err == nil && v != want {
		r.fail(fmt.Errorf("version %d where %d is known", v, want))
	}
}

// flag takes a boolean; only 0 and 1 are canonical.
func (r *reader) flag() bool {
	v := r.u8()
	if v > 1 {
		r.fail(fmt.Errorf("flag %d is neither 0 nor 1", v))
	}
	return v == 1
}

func (r *reader) mode() Mode {
	m := Mode(r.u8())
	if r.err == nil && !m.Valid() {
		r.fail(fmt.Errorf("mode %d is unknown", uint8(m)))
	}
	return m
}

// done reports the first error, or that something stands behind the last field.
func (r *reader) done() error {
	if r.err == nil && len(r.b) > 0 {
		return errTrailing
	}
	return r.err
}

func boolByte(b bool) uint8 {
	if b {
		return 1
	}
	return 0
}
