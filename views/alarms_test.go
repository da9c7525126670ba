package views

import (
	"strings"
	"testing"
	"time"

	"github.com/onsale-dev/onsale/sale"
)

func TestTheAlarmsScreenLooksAsItDid(t *testing.T) {
	r := NewRenderer()
	cases := map[string]func(Frame) string{
		"alarms": func(f Frame) string {
			f.Snapshot = alarmsWorld()
			return r.Alarms(f)
		},
		"alarms-foreign": func(f Frame) string {
			f.Snapshot, f.Cursor, f.Scroll = alarmsWorld(), 5, 1
			return r.Alarms(f)
		},
		"alarms-flood": func(f Frame) string {
			f.Snapshot = flood()
			return r.Alarms(f)
		},
		"alarms-none": func(f Frame) string {
			f.Snapshot = &sale.Snapshot{At: worldNow}
			return r.Alarms(f)
		},
	}
	for name, draw := range cases {
		for _, size := range sizes() {
			compareGolden(t, name, size, "mono", draw)
		}
	}
	for theme := range themes() {
		compareGolden(t, "alarms", [2]int{120, 36}, theme, cases["alarms"])
	}
}

func TestAFoldedFloodShowsItsCountAndItsWorst(t *testing.T) {
	f := worldFrame(200, 50, nil)
	f.Snapshot = flood()
	got := NewRenderer().Alarms(f)
	for _, want := range []string{"18 active", "18 new in 10 min (limit 10)", "7 folded", "7 more in 10 min", "payment declines", "can't be read"} {
		if !strings.Contains(got, want) {
			t.Errorf("the screen does not say %q:\n%s", want, got)
		}
	}
}

func TestEveryAlarmCanBeReachedAtEverySize(t *testing.T) {
	r := NewRenderer()
	for _, size := range sizes() {
		f := worldFrame(size[0], size[1], NewTheme(themes()["mono"]))
		f.Snapshot = flood()
		items := AlarmItems(f.Snapshot, f.Now)
		for i := range items {
			f.Cursor, f.Scroll = i, i
			if got := r.Alarms(f); !strings.Contains(got, "\n> ") && !strings.HasPrefix(got, "> ") {
				t.Fatalf("%dx%d: item %d of %d is not in sight:\n%s", size[0], size[1], i, len(items), got)
			}
			if visible, total := r.AlarmsRows(f); visible < 1 || total != len(items) {
				t.Fatalf("%d of %d visible, want some of %d", visible, total, len(items))
			}
		}
	}
}

func TestTheNextMoveIsWrittenWithTheKeyThatIsBound(t *testing.T) {
	f := worldFrame(80, 24, NewTheme(themes()["mono"]))
	f.Snapshot.Sale("lanterns").Next = sale.Move{Text: "pause admission: a lower rate does not cure declines", Action: "pause"}
	r := NewRenderer()
	if got := r.Overview(f); !strings.Contains(got, "next   pause admission") {
		t.Errorf("without keys the move is not in words:\n%s", got)
	}
	f.ActKeys = map[string]string{"pause": "ctrl+p"}
	if got := r.Overview(f); !strings.Contains(got, "next   ctrl+p pause admission") {
		t.Errorf("the bound key is not there:\n%s", got)
	}
}

func TestASourceOfAlarmsThatFailsSaysHowOldItsWordIs(t *testing.T) {
	f := worldFrame(200, 50, NewTheme(themes()["mono"]))
	f.Snapshot = alarmsWorld()
	last := &f.Snapshot.Sources[len(f.Snapshot.Sources)-1]
	last.Condition, last.AlarmsAt = sale.SourceError, worldNow.Add(-3*time.Minute)
	if got := NewRenderer().Alarms(f); !strings.Contains(got, "3:00 old") {
		t.Errorf("the age of what it said last is missing:\n%s", got)
	}
	last.AlarmsAt = time.Time{}
	if got := NewRenderer().Alarms(f); !strings.Contains(got, "pager not read") {
		t.Errorf("a source that was never read counts as fine:\n%s", got)
	}
}
