package sources

import (
	"strings"

	"github.com/onsale-dev/onsale/sale"
)

// Match says that an alarm is a sale's: its name, its labels and its tags are all as given. A
// pattern is exact but for "*", which stands for any text, and an empty one matches everything. A
// label that is not there matches no pattern.
type Match struct {
	Sale   sale.ID
	Name   string
	Labels map[string]string // of the alarm, or the dimensions of its metric
	Tags   map[string]string // of the resource, where the system has them
}

// Whose finds whose an alarm is. The first rule that matches counts.
type Whose []Match

// Sale is the sale that an alarm belongs to; "" when no rule matches.
func (w Whose) Sale(name string, labels, tags map[string]string) sale.ID {
	for i := range w {
		m := &w[i]
		if glob(m.Name, name) && all(m.Labels, labels) && all(m.Tags, tags) {
			return m.Sale
		}
	}
	return ""
}

// NeedsTags reports whether any rule looks at tags, which cost a request per alarm.
func (w Whose) NeedsTags() bool {
	for i := range w {
		if len(w[i].Tags) > 0 {
			return true
		}
	}
	return false
}

func all(want, have map[string]string) bool {
	for name, pattern := range want {
		value, ok := have[name]
		if !ok || !glob(pattern, value) {
			return false
		}
	}
	return true
}

// glob matches a text with a pattern in which "*" stands for any text; "" matches everything. It
// takes time in proportion to both, whatever they hold.
func glob(pattern, text string) bool {
	if pattern == "" {
		return true
	}
	parts := strings.Split(pattern, "*")
	if len(parts) == 1 {
		return pattern == text
	}
	if !strings.HasPrefix(text, parts[0]) {
		return false
	}
	text = text[len(parts[0]):]
	last := parts[len(parts)-1]
	for _, part := range parts[1 : len(parts)-1] {
		i := strings.Index(text, part)
		if i < 0 {
			return false
		}
		text = text[i+len(part):]
	}
	return strings.HasSuffix(text, last)
}

// The bounds of what a source of alarms hands on, in cells.
const (
	MaxAlarms    = 2000
	AlarmName    = 120
	AlarmText    = 200
	AlarmThrough = 200
)
