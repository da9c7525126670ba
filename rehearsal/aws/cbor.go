package aws

import (
	"encoding/binary"
	"fmt"
	"math"
	"time"

	"github.com/aws/smithy-go/encoding/cbor"
)

// object reads the members of one CBOR map. The first member of a wrong type is kept in problem;
// every read after it gives the zero value. A null is an absent member, as in Smithy RPC v2.
type object struct {
	members cbor.Map
	path    string
	problem **apiError
}

// decodeObject reads a request body. An empty body is an empty structure.
func decodeObject(body []byte) (object, *apiError) {
	var problem *apiError
	o := object{problem: &problem, members: cbor.Map{}}
	if len(body) == 0 {
		return o, nil
	}
	v, err := cbor.Decode(body)
	if err != nil {
		return o, serialization("The body is not CBOR: " + err.Error())
	}
	m, ok := v.(cbor.Map)
	if !ok {
		return o, serialization(fmt.Sprintf("The body must be a map, not %T.", v))
	}
	o.members = m
	return o, nil
}

func (o object) wrong(name, want string, got cbor.Value) {
	if *o.problem == nil {
		*o.problem = serialization(fmt.Sprintf("%s%s must be %s, not %T.", o.path, name, want, got))
	}
}

func (o object) get(name string) (cbor.Value, bool) {
	v, ok := o.members[name]
	switch v.(type) {
	case *cbor.Nil, *cbor.Undefined:
		return nil, false
	}
	return v, ok && *o.problem == nil
}

// text reads a string; given tells an empty one from an absent one.
func (o object) text(name string) (s string, given bool) {
	v, ok := o.get(name)
	if !ok {
		return "", false
	}
	str, ok := v.(cbor.String)
	if !ok {
		o.wrong(name, "a string", v)
	}
	return string(str), ok
}

func (o object) integer(name string) (n int64, given bool) {
	v, ok := o.get(name)
	if !ok {
		return 0, false
	}
	i, err := cbor.AsInt32(v)
	if err != nil {
		o.wrong(name, "a 32-bit integer", v)
		return 0, false
	}
	return int64(i), true
}

// boolean reads a bool, or the given default if it is absent.
func (o object) boolean(name string, otherwise bool) bool {
	v, ok := o.get(name)
	if !ok {
		return otherwise
	}
	b, ok := v.(cbor.Bool)
	if !ok {
		o.wrong(name, "a boolean", v)
	}
	return bool(b)
}

// moment reads a timestamp: tag 1 around seconds since 1970, whole or not.
func (o object) moment(name string) (at time.Time, given bool) {
	v, ok := o.get(name)
	if !ok {
		return time.Time{}, false
	}
	tag, ok := v.(*cbor.Tag)
	if !ok || tag.ID != 1 {
		o.wrong(name, "a timestamp (tag 1)", v)
		return time.Time{}, false
	}
	seconds, ok := number(tag.Value)
	if !ok || math.IsNaN(seconds) || math.Abs(seconds) > 253402300799 { // the end of the year 9999
		o.wrong(name, "a timestamp between the years 0 and 9999", tag.Value)
		return time.Time{}, false
	}
	return time.UnixMilli(int64(math.Round(seconds * 1000))).UTC(), true
}

func number(v cbor.Value) (float64, bool) {
	switch n := v.(type) {
	case cbor.Uint:
		return float64(n), true
	case cbor.NegInt:
		return -float64(n), true
	case cbor.Float32:
		return float64(n), true
	case cbor.Float64:
		return float64(n), true
	}
	return 0, false
}

// list calls each for every element that is a map.
func (o object) list(name string, each func(object)) {
	o.elements(name, func(i int, v cbor.Value) {
		m, ok := v.(cbor.Map)
		path := fmt.Sprintf("%s%s.%d.", o.path, name, i+1)
		if !ok {
			o.wrong(fmt.Sprintf("%s.%d", name, i+1), "a map", v)
			return
		}
		each(object{members: m, path: path, problem: o.problem})
	})
}

func (o object) texts(name string) []string {
	var out []string
	o.elements(name, func(i int, v cbor.Value) {
		s, ok := v.(cbor.String)
		if !ok {
			o.wrong(fmt.Sprintf("%s.%d", name, i+1), "a string", v)
			return
		}
		out = append(out, string(s))
	})
	return out
}

func (o object) elements(name string, each func(int, cbor.Value)) {
	v, ok := o.get(name)
	if !ok {
		return
	}
	l, ok := v.(cbor.List)
	if !ok {
		o.wrong(name, "a list", v)
		return
	}
	for i, e := range l {
		each(i, e)
	}
}

// child reads a member that is a structure.
func (o object) child(name string) (object, bool) {
	v, ok := o.get(name)
	if !ok {
		return object{}, false
	}
	m, ok := v.(cbor.Map)
	if !ok {
		o.wrong(name, "a map", v)
		return object{}, false
	}
	return object{members: m, path: o.path + name + ".", problem: o.problem}, true
}

// writer builds a CBOR body in the form of AWS's own answers: maps and lists of indefinite length,
// and members in a fixed order, so that equal answers are equal bytes.
// RFC 8949, section 3.
type writer struct{ b []byte }

func (w *writer) head(major byte, n uint64) {
	switch major <<= 5; {
	case n < 24:
		w.b = append(w.b, major|byte(n))
	case n < 1<<8:
		w.b = append(w.b, major|24, byte(n))
	case n < 1<<16:
		w.b = binary.BigEndian.AppendUint16(append(w.b, major|25), uint16(n))
	case n < 1<<32:
		w.b = binary.BigEndian.AppendUint32(append(w.b, major|26), uint32(n))
	default:
		w.b = binary.BigEndian.AppendUint64(append(w.b, major|27), n)
	}
}

func (w *writer) beginMap()  { w.b = append(w.b, 0xbf) }
func (w *writer) beginList() { w.b = append(w.b, 0x9f) }
func (w *writer) end()       { w.b = append(w.b, 0xff) }

func (w *writer) string(s string) {
	w.head(3, uint64(len(s)))
	w.b = append(w.b, s...)
}

func (w *writer) float(f float64) {
	w.b = binary.BigEndian.AppendUint64(append(w.b, 0xfb), math.Float64bits(f))
}

// seconds writes a timestamp.
func (w *writer) seconds(at float64) {
	w.b = append(w.b, 0xc1)
	w.float(at)
}

func (w *writer) key(name string) *writer {
	w.string(name)
	return w
}

func (w *writer) text(name, value string)            { w.key(name).string(value) }
func (w *writer) decimal(name string, value float64) { w.key(name).float(value) }
func (w *writer) moment(name string, at time.Time) {
	w.key(name).seconds(float64(at.UnixMilli()) / 1000)
}

func (w *writer) nonNegative(name string, value int64) { w.key(name).head(0, uint64(max(value, 0))) }

func (w *writer) flag(name string, value bool) {
	w.key(name)
	if value {
		w.b = append(w.b, 0xf5)
		return
	}
	w.b = append(w.b, 0xf4)
}

func (w *writer) textList(name string, values []string) {
	w.key(name).beginList()
	for _, v := range values {
		w.string(v)
	}
	w.end()
}
