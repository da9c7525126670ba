package sale

import "time"

// Notice is what somebody must know of a sale and no system measures, such as that the calendar
// moved its date. While it holds, the sale is Watch at least.
type Notice struct {
	Text   string // clean, one line
	Source string // who says it
	Since  time.Time
	Until  time.Time // zero: as long as it is declared
}

// heed finds the notices that hold at now, and when the next of them ends.
func (s *saleEntry) heed(now time.Time) (due time.Time) {
	s.heeded = s.heeded[:0]
	for _, n := range s.sale.Notices {
		if !n.Until.IsZero() {
			if !now.Before(n.Until) {
				continue
			}
			due = earliest(due, n.Until)
		}
		s.heeded = append(s.heeded, Reason{Verdict: Watch, Text: n.Text, Since: n.Since, Source: n.Source})
	}
	return due
}
