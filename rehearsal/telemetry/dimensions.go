package telemetry

import (
	"maps"
	"slices"
	"strings"
)

// Dimensions writes a set of CloudWatch dimensions in the form that Metric.Dimensions uses.
// It is the one place that knows the form; an empty set is "".
func Dimensions(set map[string]string) string {
	var b strings.Builder
	for i, name := range slices.Sorted(maps.Keys(set)) {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(name + "=" + set[name])
	}
	return b.String()
}

// SplitDimensions is the inverse of Dimensions for names without "=" and values without ",".
// The pairs come back in the order of their names.
func SplitDimensions(s string) [][2]string {
	if s == "" {
		return nil
	}
	var pairs [][2]string
	for part := range strings.SplitSeq(s, ",") {
		name, value, _ := strings.Cut(part, "=")
		pairs = append(pairs, [2]string{name, value})
	}
	return pairs
}
