package sale

import "strings"

// culprits are the parts of a broken figure that broke it: of the parts that are declared, those
// that were beyond the figure's own limit in the mean of all samples since the breach began. It
// names none where fewer than two parts are declared, where one of them is not known, where no
// part is beyond the limit, and where all are: then it is no part's own trouble.
func (s *saleEntry) culprits(st *State, whole *Known) (guilty []*Known) {
	b := whole.Breach
	if b == nil || b.Rule.Of != "" {
		return nil
	}
	parts := 0
	for i := range st.Signals {
		k := &st.Signals[i]
		if k.Spec.Splits != whole.Spec.Signal {
			continue
		}
		parts++
		samples := s.slots[i].ring.samples
		samples = samples[firstNotBefore(samples, b.Since.UnixNano()):]
		if missing(k) || len(samples) == 0 {
			return nil
		}
		mean := 0.0
		for n, p := range samples {
			mean += (p.value - mean) / float64(n+1)
		}
		if b.Rule.breached(mean) {
			guilty = append(guilty, k)
		}
	}
	if len(guilty) == parts || parts < 2 {
		return nil
	}
	return guilty
}

// culpritWords name the parts that broke a figure: "payment provider A declines".
func culpritWords(whole *Spec, guilty []*Known) string {
	names := make([]string, 0, len(guilty))
	for _, k := range guilty {
		names = append(names, k.Spec.Part)
	}
	return strings.Join(names, " and ") + " " + label(whole)
}
