package config

import (
	"fmt"
	"slices"

	"github.com/onsale-dev/onsale/sale"
)

// mostPart bounds the words for a part of a figure, in cells.
const mostPart = 40

// parts reads which signals tell of one part of another's figure: one payment provider, one zone.
func (r *reader) parts(all []built, known map[sale.Signal]bool, removed map[string]leveled) {
	for i := range all {
		b := &all[i]
		of, part := b.in.Splits, b.in.Part
		if !of.given() && !part.given() {
			continue
		}
		r.about = fmt.Sprintf("signal %q", b.spec.Signal)
		name := sale.Signal(of.S)
		whole := slices.IndexFunc(all, func(o built) bool { return o.spec.Signal == name })
		switch {
		case !of.given() || !part.given():
			at, have, want := of.at, "splits", "part: payment provider A"
			if part.given() {
				at, have, want = part.at, "part", "splits: payment_failure_ratio"
			}
			r.wrong(at, fmt.Sprintf("%q says nothing alone", have), "add "+want)
		case !known[name]:
			r.unknownSignal(of.at, of.S, known, removed)
		case name == b.spec.Signal:
			r.wrong(of.at, fmt.Sprintf("the signal %q can't be a part of itself", of.S), "name the signal of the whole")
		case whole < 0: // it is wrong itself, and told
		case all[whole].in.Splits.given():
			r.wrong(of.at, fmt.Sprintf("%q is a part itself", of.S), "name the signal of the whole")
		case all[whole].spec.Unit != b.spec.Unit:
			r.wrong(of.at, fmt.Sprintf("%q is in %s, its part %q in %s", of.S, all[whole].spec.Unit, b.spec.Signal, b.spec.Unit), fmt.Sprintf("add unit: %s and read the part in it", all[whole].spec.Unit))
		default:
			b.spec.Splits, b.spec.Part = name, sale.Clean(part.S, mostPart)
		}
		r.about = ""
	}
}
