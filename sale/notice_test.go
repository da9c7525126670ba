package sale

import (
	"slices"
	"testing"
	"time"
)

func TestANoticeIsWatchedUntilItEndsAndHidesNothingWorse(t *testing.T) {
	n := newNight(t, live)
	n.healthy()
	n.want(OK)
	told := harbour(t)
	since := n.now
	told.Notices = []Notice{
		{Text: "the calendar moved the opening", Source: "calendar", Since: since, Until: since.Add(10 * time.Second)},
		{Text: "the calendar says CANCELLED", Source: "calendar", Since: since.Add(-time.Hour)},
	}
	n.Redeclare(allSame(told), n.now)
	n.want(Watch)
	st := n.state()
	if got := texts(st); !slices.Equal(got, []string{"the calendar says CANCELLED", "the calendar moved the opening"}) || st.Reasons[1].Source != "calendar" || !st.Reasons[1].Since.Equal(since) {
		t.Errorf("%q %+v", got, st.Reasons)
	}
	n.pass(9 * time.Second)
	n.healthy()
	if got := texts(n.state()); len(got) != 2 {
		t.Errorf("a second before its end: %q", got)
	}
	n.pass(time.Second) // nothing is read: time alone ends it
	if got := texts(n.state()); !slices.Equal(got, []string{"the calendar says CANCELLED"}) {
		t.Errorf("after its end: %q", got)
	}
	n.Redeclare(allSame(harbour(t)), n.now)
	n.want(OK)
	told.Notices[0].Until = time.Time{}
	n.Redeclare(allSame(told), n.now)
	n.pass(time.Hour) // everything is stale by now
	n.want(Unknown)
	if got := texts(n.state()); len(got) < 3 {
		t.Errorf("what can't be seen and what must be known stand side by side: %q", got)
	}
}
