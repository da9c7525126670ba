package main

import (
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/onsale-dev/onsale/sale"
)

// This file is the Nagios form of a check: one line, "ONSALE STATE - text | perfdata", as the
// plugin guidelines ask. A value that is not known is "U"; a threshold below which a value is
// bad is the range "80:".

func writeNagios(w io.Writer, states []*sale.State) error {
	_, err := fmt.Fprintf(w, "ONSALE %s - %s | %s\n", nagiosWord(overall(states)), nagiosText(states), strings.Join(perfdata(states), " "))
	return err
}

func nagiosWord(v sale.Verdict) string {
	switch v {
	case sale.OK:
		return "OK"
	case sale.Watch:
		return "WARNING"
	case sale.Bad:
		return "CRITICAL"
	}
	return "UNKNOWN"
}

// nagiosText names the worst sales first and leaves the OK ones to a count. The bar ends the
// text in this form, so it may not be in it.
func nagiosText(states []*sale.State) string {
	var parts []string
	fine := 0
	for _, st := range states {
		if st.Verdict == sale.OK {
			fine++
			continue
		}
		parts = append(parts, fmt.Sprintf("%s: %s", st.Sale.ID, causeOf(st, time.Time{})))
	}
	if len(parts) == 0 {
		return fmt.Sprintf("%d of %d sales ok", fine, len(states))
	}
	if fine > 0 {
		parts = append(parts, fmt.Sprintf("%d ok", fine))
	}
	return strings.ReplaceAll(strings.Join(parts, "; "), "|", "/")
}

func perfdata(states []*sale.State) []string {
	var data []string
	for _, st := range states {
		prefix := ""
		if len(states) > 1 {
			prefix = string(st.Sale.ID) + "."
		}
		for _, k := range st.Signals {
			data = append(data, perf(prefix, st, k))
		}
	}
	return data
}

func perf(prefix string, st *sale.State, k sale.Known) string {
	label := strings.NewReplacer("'", "", "=", "").Replace(prefix + string(k.Spec.Signal))
	if strings.ContainsAny(label, " \t") {
		label = "'" + label + "'"
	}
	if !k.Has || k.Freshness == sale.Stale {
		return label + "=U"
	}
	scale, uom, least, most := 1.0, "", "0", ""
	switch k.Spec.Unit {
	case sale.Ratio:
		scale, uom, most = 100, "%", "100"
	case sale.Seconds:
		uom = "s"
	case sale.Bytes:
		uom = "B"
	}
	if k.Spec.Signal == sale.TicketsLeft && st.Sale.Tickets > 0 {
		most = strconv.Itoa(st.Sale.Tickets)
	}
	if of, ok := wholeOf(st, k.Spec.Of); ok && most == "" {
		most = number(of)
	}
	warn := perfLimit(st, k.Spec.Rules.Watch.In(st.Phase), scale)
	crit := perfLimit(st, k.Spec.Rules.Bad.In(st.Phase), scale)
	return fmt.Sprintf("%s=%s%s;%s;%s;%s;%s", label, number(k.Value*scale), uom, warn, crit, least, most)
}

// perfLimit writes a threshold in the value's own unit; a share of another signal becomes an
// absolute figure, or nothing while that signal is not known.
func perfLimit(st *sale.State, r *sale.Rule, scale float64) string {
	if r == nil {
		return ""
	}
	limit := r.Limit * scale
	if r.Of != "" {
		of, ok := wholeOf(st, r.Of)
		if !ok {
			return ""
		}
		limit = r.Limit * of * scale
	}
	if r.Above {
		return number(limit)
	}
	return number(limit) + ":"
}

func wholeOf(st *sale.State, of sale.Signal) (float64, bool) {
	if of == "" {
		return 0, false
	}
	k, ok := st.Signal(of)
	if !ok || !k.Has || k.Freshness == sale.Stale {
		return 0, false
	}
	return k.Value, true
}

// number writes a figure without an exponent and with at most four decimals.
func number(v float64) string {
	return strconv.FormatFloat(math.Round(v*1e4)/1e4, 'f', -1, 64)
}
