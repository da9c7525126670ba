package views

import (
	"strings"
	"testing"
	"time"

	"github.com/onsale-dev/onsale/sale"
)

func TestTheLettersOverTheChartsAreThoseOfTheTimeline(t *testing.T) {
	f := monoFrame(200, 50)
	f.Snapshot = pagedWorld()
	f.ready()
	st := f.focused()
	var said []string
	for _, m := range f.lettered(st) {
		said = append(said, m.letter+" "+st.Timeline[m.event].At.Format("15:04:05"))
	}
	want := "a 09:49:00, b 09:57:00, c 10:04:12, d 10:04:40, e 10:05:21, f 10:06:10, g 10:07:12" // 09:45 lies before the window
	if got := strings.Join(said, ", "); got != want {
		t.Errorf("letters are %s, want %s", got, want)
	}
	p := planSale(&f, st)
	lane := f.marksLane(st, p)
	if len(lane) != 1 {
		t.Fatalf("%d rows", len(lane))
	}
	if got := strings.Join(strings.Fields(lane[0]), ""); got != strings.Repeat("marksabcdefg", p.across) {
		t.Errorf("the lane says %q over %d columns of charts", got, p.across)
	}
}

func TestEventsOfOneMomentHaveTheirLettersSideBySide(t *testing.T) {
	f := monoFrame(160, 45)
	f.Snapshot = pagedWorld()
	f.ready()
	st := f.focused()
	at := st.Timeline[0].At
	st.Timeline = nil
	for i := range 6 {
		st.Timeline = append(st.Timeline, sale.Event{At: at.Add(-time.Duration(i) * time.Millisecond), Kind: sale.NoteEvent, Text: "note"})
	}
	lane := f.marksLane(st, planSale(&f, st))[0]
	if !strings.Contains(lane, "cabd") || strings.ContainsAny(lane, "ef") {
		t.Errorf("%q", lane)
	}
}

func TestWithoutATimelineUnderTheChartsNoRowIsGivenToMarks(t *testing.T) {
	for _, size := range sizes() {
		f := monoFrame(size[0], size[1])
		f.Snapshot = pagedWorld()
		f.ready()
		p := planSale(&f, f.focused())
		if (p.lane > 0) != (p.bottomH > 0 && p.chartH > 0) {
			t.Errorf("%v: a lane of %d, a timeline of %d", size, p.lane, p.bottomH)
		}
		if p.shown > 0 && p.lane+1+p.each > p.chartH {
			t.Errorf("%v: %+v does not fit", size, p)
		}
	}
}
