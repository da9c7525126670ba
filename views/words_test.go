package views

import (
	"strings"
	"testing"
	"time"

	"github.com/charmbracelet/x/ansi"

	"github.com/onsale-dev/onsale/sale"
)

func texts(facts []fact) string {
	lines := make([]string, len(facts))
	for i, f := range facts {
		lines[i] = f.label + " " + f.text
	}
	return strings.Join(lines, "\n")
}

func TestTheFactsOfASaleBeginWithItsCause(t *testing.T) {
	at := worldNow.Add(-time.Minute)
	spec := &sale.Spec{Signal: sale.AdmissionRate, Label: "admitted", Source: "metrics", Needed: []sale.Phase{sale.Live}}
	missing := sale.Known{Spec: spec, Problem: &sale.Problem{Class: sale.NotFound, Text: "no series"}}
	refused := sale.Known{Spec: spec, Problem: &sale.Problem{Class: sale.Unreachable, Text: "refused"}}
	for _, tc := range []struct {
		name  string
		state sale.State
		want  string
	}{
		{"OK says what was seen", sale.State{Verdict: sale.OK, Needed: 3, NeededLive: 3}, "cause none: 3 of 3 needed signals live and inside limits"},
		{"OK with nothing needed says so", sale.State{Verdict: sale.OK}, "cause none: no signal is needed now, none is over its limit"},
		{"a verdict without a reason is not passed over", sale.State{Verdict: sale.Bad}, "cause not known: no reason was given"},
		{
			"reasons in their order, then what is needed",
			sale.State{Verdict: sale.Bad, Needed: 3, NeededLive: 3, Reasons: []sale.Reason{{Text: "a", Since: at}, {Text: "b"}}},
			"cause a, since 10:07:41\nalso b\nneeded signals: 3 of 3 live",
		},
		{
			"what can't be seen comes before notes",
			sale.State{Verdict: sale.Unknown, Needed: 3, NeededLive: 1, Reasons: []sale.Reason{{Text: "a"}}, Notes: []sale.Note{{Text: "queue_all is on"}}},
			"cause a\nneeded signals: 1 of 3 live\nnote queue_all is on",
		},
		{"a source that is down is told once", sale.State{Verdict: sale.OK, Phase: sale.Live, Signals: []sale.Known{refused, refused}}, "cause none: no signal is needed now, none is over its limit\nsource metrics unreachable: refused"},
		{"a missing series of a needed signal is told", sale.State{Verdict: sale.OK, Phase: sale.Live, Signals: []sale.Known{missing}}, "cause none: no signal is needed now, none is over its limit\nsource metrics admitted not found: no series"},
		{"a missing series that nobody needs yet is not", sale.State{Verdict: sale.OK, Phase: sale.Prequeue, Signals: []sale.Known{missing}}, "cause none: no signal is needed now, none is over its limit"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if got := texts((&Frame{Now: worldNow}).facts(&tc.state)); got != tc.want {
				t.Errorf("got\n%s\nwant\n%s", got, tc.want)
			}
		})
	}
}

func TestAFactIsNeverTornInTwoByTheTable(t *testing.T) {
	long := strings.Repeat("word ", 20)
	above, below := paneFacts([]fact{{"cause", "short", text}, {"note", long, text}, {"also", "x", text}}, 60, panePlan{above: 2, below: 5})
	if len(above) != 1 || len(below) != 3 || below[0].label != "note" || below[1].label != "" {
		t.Errorf("above %v, below %v", above, below)
	}
	above, below = paneFacts([]fact{{"cause", long, text}, {"note", "y", text}}, 60, panePlan{above: 2, below: 5})
	if len(above) != 2 || len(below) != 1 {
		t.Errorf("a long cause: above %v, below %v", above, below)
	}
	above, _ = paneFacts([]fact{{"cause", "c", text}, {"a", "1", text}, {"b", "2", text}}, 60, panePlan{above: 1})
	if len(above) != 1 || above[0].more != 2 {
		t.Errorf("what does not fit is not counted: %v", above)
	}
}

func TestASaleClockHasHoursOnlyWhenThereAreSome(t *testing.T) {
	for d, want := range map[time.Duration]string{
		23*time.Minute + 41*time.Second: "T+23:41", -26*time.Minute - 19*time.Second: "T-26:19", 2*time.Hour + 8*time.Minute + 41*time.Second: "T+2:08:41",
		-14 * time.Hour: "T-14:00:00", -12*24*time.Hour - 3*time.Hour: "T-12d 03h",
	} {
		st := &sale.State{Sale: &sale.Sale{Opens: worldNow.Add(-d)}}
		if got := shortClock(st, worldNow); got != want || len(got) > clockCell+1 {
			t.Errorf("%v after the doors opened: %q, want %q", d, got, want)
		}
	}
}

func TestTheHeaderSaysHowGoodTheDataIs(t *testing.T) {
	source := func(c sale.Condition, age time.Duration) sale.SourceState {
		return sale.SourceState{Condition: c, Newest: worldNow.Add(-age)}
	}
	for _, tc := range []struct {
		name    string
		sources []sale.SourceState
		want    string
	}{
		{"all live", []sale.SourceState{source(sale.SourceLive, time.Second), source(sale.SourceLive, time.Minute)}, "data 2 LIVE"},
		{"the worst first, with the age of the oldest", []sale.SourceState{source(sale.SourceLate, 3*time.Minute), source(sale.SourceError, time.Minute), source(sale.SourceError, 4*time.Minute)}, "data 2 ERROR 4:00, 1 LATE 3:00"},
		{"nothing has answered yet", []sale.SourceState{{Condition: sale.SourceStarting}}, "data 1 START"},
		{"no source at all", nil, "data: no source"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			f := Frame{Now: worldNow, Snapshot: &sale.Snapshot{At: worldNow, Sources: tc.sources}}
			if got, _ := f.dataSummary(); got[0] != tc.want {
				t.Errorf("%q, want %q", got[0], tc.want)
			}
		})
	}
}

func TestASlowLinkIsSaidLoudly(t *testing.T) {
	f := monoFrame(80, 24)
	f.Header.LinkLag = 3 * time.Second
	if text := ansi.Strip(NewRenderer().Overview(f)); !strings.Contains(text, "LINK 3.00 s") {
		t.Errorf("a write of 3 s is not told:\n%s", text)
	}
}

func TestTheHeaderSaysHowFarTheTerminalLags(t *testing.T) {
	for _, c := range []struct {
		lag     time.Duration
		unknown bool
		want    string
	}{
		{40 * time.Millisecond, false, "link 0.04 s"},
		{620 * time.Millisecond, false, "link 0.6 s"},
		{0, true, "link ?"},
		{300 * time.Microsecond, true, "link ?"}, // what the write took says nothing of the drawing
		{3 * time.Second, true, "LINK 3.00 s"},
	} {
		f := monoFrame(200, 50)
		f.Header.LinkLag, f.Header.LinkUnknown = c.lag, c.unknown
		if text := ansi.Strip(NewRenderer().Overview(f)); !strings.Contains(text, c.want) {
			t.Errorf("a lag of %s, unknown %v: %q is not said:\n%s", c.lag, c.unknown, c.want, text)
		}
	}
}

func TestALagThatIsFeltHasItsPlaceOnANarrowScreenToo(t *testing.T) {
	for _, size := range []struct{ w, h int }{{80, 24}, {120, 36}, {200, 50}} {
		f := monoFrame(size.w, size.h)
		f.Header.LinkLag = 620 * time.Millisecond
		if text := ansi.Strip(NewRenderer().Overview(f)); !strings.Contains(text, "link 0.6 s") {
			t.Errorf("%dx%d does not say it:\n%s", size.w, size.h, text)
		}
	}
}

func TestTheFooterShowsWhatWorksAndWhyTheRestDoesNot(t *testing.T) {
	f := monoFrame(120, 36)
	lines := plainLines(strings.Join(f.footer(), "\n"))
	if !strings.HasPrefix(lines[1], "keys  ? help  : palette  / filter") {
		t.Errorf("keys: %q", lines[1])
	}
	if want := "off   y this terminal takes no copies · tab no chart on this screen"; strings.TrimRight(lines[2], " ") != want {
		t.Errorf("off: %q", lines[2])
	}
	f.Width = 60
	if line := plainLines(strings.Join(f.footer(), "\n"))[1]; !strings.HasSuffix(strings.TrimRight(line, " "), "…") {
		t.Errorf("keys that were cut are not announced: %q", line)
	}
}

func TestMoneyForReadingIsWrittenToAHundredthOfACent(t *testing.T) {
	for usd, want := range map[float64]string{0: "0", 0.00001: "<0.0001", 0.036: "0.0360", 1.5: "1.5000", 43: "43.00"} {
		if got := cost(usd); got != want {
			t.Errorf("%v is %q, want %q", usd, got, want)
		}
	}
	for d, want := range map[time.Duration]string{0: "none", 2 * time.Second: "2s", time.Minute: "1m", 90 * time.Second: "1m30s", time.Hour: "1h"} {
		if got := every(d); got != want {
			t.Errorf("%v is %q, want %q", d, got, want)
		}
	}
}

func TestWhatHindersAScaleUpIsSaidBeforeWhatIsAsItShouldBe(t *testing.T) {
	note := func(code string) sale.Note { return sale.Note{Code: code, Text: code} }
	got := ""
	for _, n := range weighed([]sale.Note{note("event"), note("hpa_at_min"), note("rollout"), note("pods_unschedulable"), note("gitops")}) {
		got += n.Code + " "
	}
	if want := "pods_unschedulable gitops event rollout hpa_at_min "; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}
