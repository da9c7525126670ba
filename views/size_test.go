package views

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/charmbracelet/x/ansi"
	"pgregory.net/rapid"

	"github.com/onsale-dev/onsale/sale"
)

// checkSize holds the promise of every screen: h lines of w cells, however a terminal
// measures, and no control byte other than those of SGR and of hyperlinks.
func checkSize(t interface{ Fatalf(string, ...any) }, screen string, w, h int) {
	lines := strings.Split(screen, "\n")
	if len(lines) != h {
		t.Fatalf("%d lines instead of %d", len(lines), h)
	}
	for i, line := range lines {
		if got := ansi.StringWidth(line); got != w {
			t.Fatalf("line %d has %d cells instead of %d: %q", i+1, got, w, line)
		}
		if got := ansi.StringWidthWc(line); got != w {
			t.Fatalf("line %d has %d cells by wcwidth instead of %d: %q", i+1, got, w, line)
		}
		for _, r := range ansi.Strip(line) {
			if r < 0x20 || r >= 0x7f && r < 0xa0 {
				t.Fatalf("line %d holds the control %U: %q", i+1, r, line)
			}
		}
	}
}

// names are hostile and yet clean: wide, combining, long, right-to-left, empty.
func names() *rapid.Generator[string] {
	return rapid.OneOf(
		rapid.SampledFrom([]string{
			"", " ", "·", "東京ドーム · 夜の音楽隊と長い名前の続き", "e\u0301e\u0301e\u0301 Café", "עיר הנמל", "Ω≈ç√∫˜µ≤≥÷", "\U0001F3AB tickets \U0001F3AB",
			"ｶﾞｷﾞｸﾞ", "नमस्ते दुनिया", "…", "→ → →", strings.Repeat("very long name ", 30), "ﷺ", "\ufffd\ufffd", "a·b · c · d",
		}),
		rapid.StringOfN(rapid.RuneFrom([]rune("aZ 9·…→東é\u0301ß漢\U0001F3ABक्ष")), 0, 60, -1),
	)
}

func values() *rapid.Generator[float64] {
	return rapid.OneOf(
		rapid.SampledFrom([]float64{0, -1, 1e-9, 0.999, 1, 59.6, 99999, 1e6, 1e15, 1e300, -1e300, math.MaxFloat64, math.SmallestNonzeroFloat64}),
		rapid.Float64Range(-10, 1e7),
	)
}

func moments() *rapid.Generator[time.Time] {
	return rapid.Custom(func(t *rapid.T) time.Time {
		if rapid.IntRange(0, 9).Draw(t, "zero") == 0 {
			return time.Time{}
		}
		return worldNow.Add(time.Duration(rapid.Int64Range(-500*3600, 500*3600).Draw(t, "seconds")) * time.Second)
	})
}

func anyKnown(t *rapid.T, signal sale.Signal) (sale.Spec, sale.Known) {
	m, _ := sale.MeaningOf(signal)
	spec := sale.Spec{
		Signal: signal, Label: rapid.OneOf(rapid.Just(m.Label), names()).Draw(t, "label"), Unit: m.Unit, Source: names().Draw(t, "source"),
		Cadence:  sale.Cadence{Period: time.Duration(rapid.Int64Range(0, 600).Draw(t, "period")) * time.Second},
		Estimate: rapid.Bool().Draw(t, "estimate"), Runbook: rapid.SampledFrom([]string{"", "runbooks/x.md", "https://console.example.com/\x1b"}).Draw(t, "runbook"),
	}
	rule := sale.Rule{Above: rapid.Bool().Draw(t, "above"), Limit: values().Draw(t, "limit"), Of: rapid.SampledFrom([]sale.Signal{"", sale.DBConnectionsMax, "absent"}).Draw(t, "rule of")}
	if rapid.Bool().Draw(t, "ruled") {
		spec.Rules.Watch.Default = &rule
		spec.Rules.Bad.Default = &rule
	}
	spec.Of = rapid.SampledFrom([]sale.Signal{"", "", sale.ActiveLimit, sale.DBConnectionsMax, "absent"}).Draw(t, "of")
	if rapid.IntRange(0, 9).Draw(t, "constant") == 0 {
		spec.Constant = ptr(values().Draw(t, "declared"))
	}
	if rapid.Bool().Draw(t, "needed") {
		spec.Needed = sale.Phases()
	}
	k := sale.Known{Has: rapid.Bool().Draw(t, "has"), Ratio: math.NaN(), Verdict: verdicts().Draw(t, "verdict")}
	if k.Has {
		k.Value, k.At = values().Draw(t, "value"), moments().Draw(t, "at")
		n := rapid.IntRange(0, 40).Draw(t, "points")
		points := make([]sale.Point, n)
		for i := range points {
			points[i] = sale.Point{At: worldNow.Add(-time.Duration(n-i) * 31 * time.Second), Value: k.Value * float64(i%7)}
			if math.IsInf(points[i].Value, 0) {
				points[i].Value = k.Value
			}
		}
		k.History = sale.SeriesOf(points)
	}
	if rapid.IntRange(0, 4).Draw(t, "breach") == 0 {
		k.Breach = &sale.Breach{Rule: rule, Verdict: verdicts().Draw(t, "breach verdict")}
	}
	if rapid.IntRange(0, 4).Draw(t, "problem") == 0 {
		k.Problem = &sale.Problem{Class: sale.Auth, Text: names().Draw(t, "problem text"), Hint: names().Draw(t, "hint")}
	}
	return spec, k
}

func verdicts() *rapid.Generator[sale.Verdict] {
	return rapid.SampledFrom([]sale.Verdict{sale.OK, sale.Watch, sale.Bad, sale.Unknown, "", "strange"})
}

func anyState(t *rapid.T, id sale.ID) *sale.State {
	s := &sale.Sale{
		ID: id, Digit: rapid.IntRange(0, 9).Draw(t, "digit"), Name: names().Draw(t, "name"), Venue: names().Draw(t, "venue"), Group: names().Draw(t, "group"),
		Opens: moments().Draw(t, "opens"), Prequeue: moments().Draw(t, "prequeue"), Closes: moments().Draw(t, "closes"), Tickets: rapid.IntRange(-1, 1e9).Draw(t, "tickets"),
	}
	st := &sale.State{
		Sale: s, Phase: rapid.SampledFrom(append(sale.Phases(), "", "strange phase")).Draw(t, "phase"), PhaseSince: moments().Draw(t, "phase since"),
		Verdict: verdicts().Draw(t, "verdict"), Since: moments().Draw(t, "since"), Needed: rapid.IntRange(0, 40).Draw(t, "needed"), NeededLive: rapid.IntRange(0, 40).Draw(t, "live"),
	}
	all := sale.Standard()
	picked := rapid.SliceOfNDistinct(rapid.IntRange(0, len(all)-1), 0, len(all), rapid.ID[int]).Draw(t, "signals")
	s.Signals = make([]sale.Spec, len(picked))
	for i, n := range picked {
		var k sale.Known
		s.Signals[i], k = anyKnown(t, all[n].Signal)
		k.Spec = &s.Signals[i]
		st.Signals = append(st.Signals, k)
	}
	for range rapid.IntRange(0, 9).Draw(t, "panels") {
		p := sale.Panel{Title: names().Draw(t, "panel")}
		for range rapid.IntRange(0, 3).Draw(t, "panel signals") {
			p.Signals = append(p.Signals, all[rapid.IntRange(0, len(all)-1).Draw(t, "panel signal")].Signal)
		}
		s.Panels = append(s.Panels, p)
	}
	for range rapid.IntRange(0, 3).Draw(t, "reasons") {
		st.Reasons = append(st.Reasons, sale.Reason{Text: names().Draw(t, "reason"), Since: moments().Draw(t, "reason since"), Verdict: sale.Bad})
		st.Notes = append(st.Notes, sale.Note{Text: names().Draw(t, "note")})
		s.Links = append(s.Links, sale.Link{Title: names().Draw(t, "link"), URL: rapid.SampledFrom([]string{"", "https://console.example.com/a b", "http://x", "::", "https://console.example.com/\x1b]8;;evil"}).Draw(t, "url")})
	}
	return st
}

func anyFrame(t *rapid.T) Frame {
	f := Frame{
		Now: worldNow, Width: rapid.IntRange(1, 300).Draw(t, "width"), Height: rapid.IntRange(1, 100).Draw(t, "height"),
		Theme: NewTheme(Options{Dark: true, Profile: rapid.SampledFrom([]Profile{TrueColor, Mono}).Draw(t, "profile"), ASCII: rapid.Bool().Draw(t, "ascii")}),
		Focus: sale.ID(rapid.SampledFrom([]string{"s0", "s1", "gone"}).Draw(t, "focus")), Window: time.Duration(rapid.Int64Range(-1, 36000).Draw(t, "window")) * time.Second,
		Panel: rapid.IntRange(-1, 12).Draw(t, "panel"), Zoomed: rapid.Bool().Draw(t, "zoomed"), Scroll: rapid.IntRange(-2, 60).Draw(t, "scroll"), Cursor: rapid.IntRange(-2, 60).Draw(t, "cursor"),
		Header:     Header{Environment: names().Draw(t, "environment"), Accounts: rapid.SliceOfN(names(), 0, 4).Draw(t, "accounts"), Operator: names().Draw(t, "operator"), Role: "READ-ONLY", Filter: names().Draw(t, "filter")},
		Footer:     Footer{Message: names().Draw(t, "message"), Severity: verdicts().Draw(t, "severity"), Keys: []KeyHint{{Keys: names().Draw(t, "keys"), Label: names().Draw(t, "key label"), Off: names().Draw(t, "off")}}},
		CoarseAges: rapid.Bool().Draw(t, "coarse"), Links: LinkPolicy{On: true, Hosts: []string{"console.example.com"}},
	}
	snap := &sale.Snapshot{At: worldNow}
	for i := range rapid.IntRange(0, 9).Draw(t, "sales") {
		id := sale.ID("s" + number(i))
		snap.Sales = append(snap.Sales, anyState(t, id))
		f.Order = append(f.Order, id)
	}
	for range rapid.IntRange(0, 6).Draw(t, "sources") {
		s := sale.SourceState{
			Condition: rapid.SampledFrom([]sale.Condition{sale.SourceLive, sale.SourceError, sale.SourceNoData, ""}).Draw(t, "condition"),
			LastOK:    moments().Draw(t, "last ok"), Newest: moments().Draw(t, "newest"), NextTry: moments().Draw(t, "next"), Calls: 1e9, CostUSD: values().Draw(t, "cost"),
		}
		s.Name, s.Kind, s.Gives, s.Limit = names().Draw(t, "source name"), names().Draw(t, "kind"), names().Draw(t, "gives"), names().Draw(t, "limit text")
		s.Recent = make([]sale.Try, rapid.IntRange(0, 10).Draw(t, "tries"))
		s.Warnings = rapid.SliceOfN(names(), 0, 2).Draw(t, "warnings")
		snap.Sources = append(snap.Sources, s)
	}
	if rapid.IntRange(0, 19).Draw(t, "no snapshot") > 0 {
		f.Snapshot = snap
	}
	return f
}

func TestEveryScreenHasItsExactSizeWhateverItShows(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f := anyFrame(t)
		r := NewRenderer()
		for _, draw := range screens(r) {
			if len(f.Order) < 3 {
				f.Order = append(f.Order, "gone", "gone", "gone")
			}
			checkSize(t, draw(f), f.Width, f.Height)
		}
		checkSize(t, r.TooSmall(f), f.Width, f.Height)
		for _, screen := range []Screen{OverviewScreen, SaleScreen, SourcesScreen, LogsScreen, HelpScreen, "strange"} {
			r.Hit(f, screen, rapid.IntRange(-1, f.Width).Draw(t, "x"), rapid.IntRange(-1, f.Height).Draw(t, "y"))
		}
		for _, rows := range []func(Frame) (int, int){r.OverviewRows, r.SaleRows, r.SourcesRows} {
			if visible, total := rows(f); visible < 0 || visible > total {
				t.Fatalf("%d rows in sight of %d", visible, total)
			}
		}
	})
}

func TestLogsAndHelpHaveTheirSizeWithNothingInThem(t *testing.T) {
	r := NewRenderer()
	for _, size := range sizes() {
		f := Frame{Now: worldNow, Width: size[0], Height: size[1]}
		checkSize(t, r.Logs(f, nil), size[0], size[1])
		checkSize(t, r.Help(f, nil), size[0], size[1])
		checkSize(t, r.Over(r.Sources(f), r.Palette(f, "", nil, 5), f), size[0], size[1])
	}
}
