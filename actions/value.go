package actions

import (
	"encoding/json"
	"errors"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
)

// Setting is one absolute setting of a target: a number, a flag, a word, or Unset. It is
// comparable, and in JSON it is a number, a boolean, a string or null.
type Setting struct {
	kind kind
	num  float64
	word string
}

type kind uint8

const (
	unset kind = iota
	number
	flag
	word
)

// Unset is a setting that the target has, but that holds no value of its own, such as an
// event's override that inherits the room's.
var Unset = Setting{}

// Number is a numeric setting. A number that is not finite is never equal to anything and
// is refused by the runner.
func Number(v float64) Setting { return Setting{kind: number, num: v} }

// Flag is a switch.
func Flag(on bool) Setting {
	s := Setting{kind: flag}
	if on {
		s.num = 1
	}
	return s
}

// Word is a setting that is one of some names: "triggered", "fifo".
func Word(w string) Setting { return Setting{kind: word, word: w} }

// Number returns the number; ok is false for any other kind.
func (s Setting) Number() (v float64, ok bool) { return s.num, s.kind == number }

// Flag returns the switch; ok is false for any other kind.
func (s Setting) Flag() (on, ok bool) { return s.kind == flag && s.num == 1, s.kind == flag }

// Word returns the word; ok is false for any other kind.
func (s Setting) Word() (w string, ok bool) { return s.word, s.kind == word }

// Finite reports whether the setting can be sent: any kind but a number that is NaN or infinite.
func (s Setting) Finite() bool {
	return s.kind != number || !math.IsNaN(s.num) && !math.IsInf(s.num, 0)
}

// String writes the setting for a person: "24", "on", "off", "fifo", "unset".
func (s Setting) String() string {
	switch s.kind {
	case number:
		return strconv.FormatFloat(s.num, 'f', -1, 64)
	case flag:
		if s.num == 1 {
			return "on"
		}
		return "off"
	case word:
		return s.word
	default:
		return "unset"
	}
}

// MarshalJSON writes a number, a boolean, a string or null. A number that is not finite is
// written as its name, so that the record of a refusal can hold it.
func (s Setting) MarshalJSON() ([]byte, error) {
	switch {
	case !s.Finite():
		return json.Marshal(s.String())
	case s.kind == number:
		return json.Marshal(s.num)
	case s.kind == flag:
		return json.Marshal(s.num == 1)
	case s.kind == word:
		return json.Marshal(s.word)
	default:
		return []byte("null"), nil
	}
}

// UnmarshalJSON reads what MarshalJSON writes.
func (s *Setting) UnmarshalJSON(data []byte) error {
	var v any
	if err := json.Unmarshal(data, &v); err != nil {
		return err
	}
	switch v := v.(type) {
	case nil:
		*s = Unset
	case float64:
		*s = Number(v)
	case bool:
		*s = Flag(v)
	case string:
		*s = Word(v)
	default:
		return errors.New("a setting is a number, a boolean, a string or null")
	}
	return nil
}

// Value is what a target is set to: absolute settings by the provider's own names.
type Value map[string]Setting

// Holds reports whether every setting of want has the same value in v. Settings that want
// doesn't name may be anything. An empty want is held by nothing: it can't be proven.
func (v Value) Holds(want Value) bool {
	if len(want) == 0 {
		return false
	}
	return len(v.differs(want)) == 0
}

// Equal reports whether both hold the same settings.
func (v Value) Equal(w Value) bool { return len(v) == len(w) && len(v.differs(w)) == 0 }

// With returns a copy of v in which the settings of changed replace its own.
func (v Value) With(changed Value) Value {
	merged := maps.Clone(v)
	if merged == nil {
		merged = Value{}
	}
	maps.Copy(merged, changed)
	return merged
}

// Only returns the settings of v that like names as well.
func (v Value) Only(like Value) Value {
	part := Value{}
	for name := range like {
		if s, ok := v[name]; ok {
			part[name] = s
		}
	}
	return part
}

// String writes the settings in the order of their names: "max 60, min 40".
func (v Value) String() string {
	parts := make([]string, 0, len(v))
	for _, name := range v.names() {
		parts = append(parts, name+" "+v[name].String())
	}
	return strings.Join(parts, ", ")
}

// Change says how v differs from next, in the settings that next names: "rate 800 → 600".
// It is empty when nothing differs.
func (v Value) Change(next Value) string {
	parts := []string{}
	for _, name := range v.differs(next) {
		was := "not known"
		if s, ok := v[name]; ok {
			was = s.String()
		}
		parts = append(parts, name+" "+was+" → "+next[name].String())
	}
	return strings.Join(parts, ", ")
}

// differs names the settings of want that v lacks or holds otherwise, in order.
func (v Value) differs(want Value) []string {
	var names []string
	for _, name := range want.names() {
		has, ok := v[name]
		if !ok || has != want[name] || !has.Finite() {
			names = append(names, name)
		}
	}
	return names
}

func (v Value) names() []string { return slices.Sorted(maps.Keys(v)) }
