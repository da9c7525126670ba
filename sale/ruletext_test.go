package sale

import (
	"errors"
	"math"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestThresholdsAreReadAsPeopleWriteThem(t *testing.T) {
	tests := []struct {
		text string
		unit Unit
		want Rule
	}{
		{"> 2% for 30s", Ratio, Rule{Above: true, Limit: 0.02, For: 30 * time.Second, Clear: 0.02 * 0.9, ClearFor: time.Minute}},
		{">2%", Ratio, Rule{Above: true, Limit: 0.02, Clear: 0.02 * 0.9, ClearFor: 30 * time.Second}},
		{"> 0.02", Ratio, Rule{Above: true, Limit: 0.02, Clear: 0.02 * 0.9, ClearFor: 30 * time.Second}},
		{"> 1.5", Ratio, Rule{Above: true, Limit: 1.5, Clear: 1.5 * 0.9, ClearFor: 30 * time.Second}},
		{"> 1.5s for 1m", Seconds, Rule{Above: true, Limit: 1.5, For: time.Minute, Clear: 1.5 * 0.9, ClearFor: 2 * time.Minute}},
		{"> 1500ms for 1m", Seconds, Rule{Above: true, Limit: 1.5, For: time.Minute, Clear: 1.5 * 0.9, ClearFor: 2 * time.Minute}},
		{"> 2m for 1min", Seconds, Rule{Above: true, Limit: 120, For: time.Minute, Clear: 120 * 0.9, ClearFor: 2 * time.Minute}},
		{"> 2min", Seconds, Rule{Above: true, Limit: 120, Clear: 120 * 0.9, ClearFor: 30 * time.Second}},
		{"> 80% of db_connections_max for 1m", Count, Rule{Above: true, Limit: 0.8, Of: DBConnectionsMax, For: time.Minute, Clear: 0.8 * 0.9, ClearFor: 2 * time.Minute}},
		{"< 80% for 2m, clear > 85% for 4m", Ratio, Rule{Limit: 0.8, For: 2 * time.Minute, Clear: 0.85, ClearFor: 4 * time.Minute}},
		{"< 80% for 2m, clear > 85%", Ratio, Rule{Limit: 0.8, For: 2 * time.Minute, Clear: 0.85, ClearFor: 4 * time.Minute}},
		{"> 5000 for 1m", Count, Rule{Above: true, Limit: 5000, For: time.Minute, Clear: 4500, ClearFor: 2 * time.Minute}},
		{"  >\t5e3  for 90s ", "", Rule{Above: true, Limit: 5000, For: 90 * time.Second, Clear: 4500, ClearFor: 3 * time.Minute}},
		{"< 100/min for 1m30s", PerMinute, Rule{Limit: 100, For: 90 * time.Second, Clear: 100 * 1.1, ClearFor: 3 * time.Minute}},
		{"> 7/s", PerSecond, Rule{Above: true, Limit: 7, Clear: 7 * 0.9, ClearFor: 30 * time.Second}},
		{"> 0 for 1m", Count, Rule{Above: true, For: time.Minute, ClearFor: 2 * time.Minute}},
		{"> -5", Count, Rule{Above: true, Limit: -5, Clear: -5.5, ClearFor: 30 * time.Second}},
		{"< -5", Count, Rule{Limit: -5, Clear: -4.5, ClearFor: 30 * time.Second}},
		{"> 5, clear < 5 for 0s", Count, Rule{Above: true, Limit: 5, Clear: 5}},
		{"> 95 %of active_limit for 2m", Users, Rule{Above: true, Limit: 0.95, Of: ActiveLimit, For: 2 * time.Minute, Clear: 0.95 * 0.9, ClearFor: 4 * time.Minute}},
	}
	for _, tt := range tests {
		t.Run(tt.text, func(t *testing.T) {
			got, err := ParseRule(tt.text, tt.unit)
			if err != nil {
				t.Fatal(err)
			}
			if got != tt.want {
				t.Errorf("got %+v, want %+v", got, tt.want)
			}
		})
	}
}

func TestAThresholdThatCantBeMeantIsRefusedWithPlaceAndFix(t *testing.T) {
	tests := []struct {
		text   string
		unit   Unit
		offset int
		want   string
	}{
		{"", Count, 0, `threshold "", offset 0: a comparison is missing; begin with > or <, such as "> 2%"`},
		{"5%", Ratio, 0, `threshold "5%", offset 0: "5%" is no comparison; begin with > or <, such as "> 2%"`},
		{">= 5%", Ratio, 0, `threshold ">= 5%", offset 0: >= is not known; write >`},
		{"> ", Ratio, 2, `threshold "> ", offset 2: a number is missing; write a number such as 5000, 1.5s or 2%`},
		{"> high", Ratio, 2, `threshold "> high", offset 2: "high" is no number; write a number such as 5000, 1.5s or 2%`},
		{"> NaN", Count, 2, `threshold "> NaN", offset 2: "NaN" is no number; write a number such as 5000, 1.5s or 2%`},
		{"> 1e999", Count, 2, `threshold "> 1e999", offset 2: the number is too large; write a smaller number`},
		{"> 20,000", Count, 4, `threshold "> 20,000", offset 4: a comma inside a number; write thousands without a comma: 20000`},
		{"> 5", Ratio, 2, `threshold "> 5", offset 2: 5 is no share: a ratio of 1 is all of it; write 5%, or 5.0 if you do mean 5 times as much`},
		{"> 80 of db_connections_max", Count, 2, `threshold "> 80 of db_connections_max", offset 2: 80 is no share: a ratio of 1 is all of it; write 80%, or 80.0 if you do mean 80 times as much`},
		{"> 5s", Ratio, 3, `threshold "> 5s", offset 3: "s" does not fit a signal in ratio; write a share such as 5%`},
		{"> 5%", Seconds, 3, `threshold "> 5%", offset 3: "%" does not fit a signal in seconds; write a time such as 1.5s, 200ms or 2m`},
		{"> 5%", Count, 3, `threshold "> 5%", offset 3: "%" does not fit a signal in count; write the number alone, or compare with another signal: "80% of active_limit"`},
		{"> 5/s", PerMinute, 3, `threshold "> 5/s", offset 3: "/s" does not fit a signal in per_minute; write a rate such as 300/min`},
		{"> 5/min", PerSecond, 3, `threshold "> 5/min", offset 3: "/min" does not fit a signal in per_second; write a rate such as 5/s`},
		{"> 5/h", PerSecond, 3, `threshold "> 5/h", offset 3: "/h" is no unit; units are %, s, ms, m, min, /min and /s`},
		{"> 5 furlongs", Count, 4, `threshold "> 5 furlongs", offset 4: "furlongs" is no unit; units are %, s, ms, m, min, /min and /s`},
		{"> 5% of for 1m", Count, 8, `threshold "> 5% of for 1m", offset 8: a signal's name is missing after "of"; name a signal, such as "of db_connections_max"`},
		{"> 5% for", Ratio, 8, `threshold "> 5% for", offset 8: a time is missing after "for"; write a time such as 30s, 1m30s or 2m`},
		{"> 5% for long", Ratio, 9, `threshold "> 5% for long", offset 9: "long" is no time; write a time such as 30s, 1m30s or 2m`},
		{"> 5% for 30", Ratio, 9, `threshold "> 5% for 30", offset 9: "30" is no time; write a time such as 30s, 1m30s or 2m`},
		{"> 5% for -1m", Ratio, 9, `threshold "> 5% for -1m", offset 9: a time can't be negative; write a time such as 30s, 1m30s or 2m`},
		{"> 5% for 48h", Ratio, 9, `threshold "> 5% for 48h", offset 9: the time is too long; write at most 24h`},
		{"> 5% for 1m or so", Ratio, 12, `threshold "> 5% for 1m or so", offset 12: "or" is not expected here; a threshold reads like "> 2% for 30s" or "< 80% for 2m, clear > 85% for 4m"`},
		{"> 5%,", Ratio, 5, `threshold "> 5%,", offset 5: "clear" is missing after the comma; write ", clear < 4%" with the limit of return, or end before the comma`},
		{"> 5%, clear > 4%", Ratio, 12, `threshold "> 5%, clear > 4%", offset 12: a threshold clears on the other side; write clear <`},
		{"> 5%, clear < 6%", Ratio, 14, `threshold "> 5%, clear < 6%", offset 14: the clear limit is on the bad side, so the threshold would clear while it is broken; it must be at or below the limit of 0.05`},
		{"< 5%, clear > 4%", Ratio, 14, `threshold "< 5%, clear > 4%", offset 14: the clear limit is on the bad side, so the threshold would clear while it is broken; it must be at or above the limit of 0.05`},
		{"> 5, clear < 0 for 0s", Count, 15, `threshold "> 5, clear < 0 for 0s", offset 15: a clear limit of 0 can't clear at once; give it a time, such as for 30s`},
	}
	for _, tt := range tests {
		t.Run(tt.text, func(t *testing.T) {
			_, err := ParseRule(tt.text, tt.unit)
			var ruleErr *RuleError
			if !errors.As(err, &ruleErr) {
				t.Fatalf("error %v", err)
			}
			if err.Error() != tt.want || ruleErr.Offset != tt.offset {
				t.Errorf("got  %s\nwant %s", err, tt.want)
			}
		})
	}
}

func TestARuleIsWrittenAsItWasRead(t *testing.T) {
	tests := []struct {
		text      string
		unit      Unit
		bare, own string
	}{
		{"> 2% for 30s", Ratio, "> 0.02 for 30s", "> 2% for 30s"},
		{"> 5.8%", Ratio, "> 0.058", "> 5.8%"},
		{"> 200%", Ratio, "> 2.0", "> 200%"},
		{"> 1500ms for 90s", Seconds, "> 1.5 for 1m30s", "> 1.5s for 1m30s"},
		{"> 80% of db_connections_max for 60s", Count, "> 80% of db_connections_max for 1m", "> 80% of db_connections_max for 1m"},
		{"< 80% for 2m, clear > 85% for 4m", Ratio, "< 0.8 for 2m, clear > 0.85 for 4m", "< 80% for 2m, clear > 85% for 4m"},
		{"> 5000 for 1h", Count, "> 5000 for 1h", "> 5000 for 1h"},
		{"> 5/min, clear < 4/min for 1h30m", PerMinute, "> 5.0, clear < 4.0 for 1h30m", "> 5/min, clear < 4/min for 1h30m"},
	}
	for _, tt := range tests {
		r, err := ParseRule(tt.text, tt.unit)
		if err != nil {
			t.Fatal(err)
		}
		if r.String() != tt.bare || r.Text(tt.unit) != tt.own {
			t.Errorf("%q is written %q and %q, want %q and %q", tt.text, r.String(), r.Text(tt.unit), tt.bare, tt.own)
		}
	}
}

var everyUnit = []Unit{"", Count, Users, Tickets, PerMinute, PerSecond, Ratio, Seconds, Bytes, USD, "furlongs"}

func readsBack(t interface{ Fatalf(string, ...any) }, r Rule, unit Unit) {
	for _, text := range []string{r.String(), r.Text(unit)} {
		again, err := ParseRule(text, unit)
		if err != nil || again != r {
			t.Fatalf("%+v in %q is written %q, which reads as %+v, %v", r, unit, text, again, err)
		}
	}
}

func FuzzParseRule(f *testing.F) {
	for i, text := range []string{
		"> 2% for 30s", "> 1.5s for 1m", "> 80% of db_connections_max for 1m", "< 80% for 2m, clear > 85% for 4m", "> 5000 for 1m",
		"> 1e-7", "<-0", "> 3.3333333333333335%", "> 300/min", "> 5/s,clear<4/s for 0s", "> 1.7976931348623157e308",
	} {
		f.Add(text, i)
	}
	f.Fuzz(func(t *testing.T, text string, pick int) {
		unit := everyUnit[uint(pick)%uint(len(everyUnit))]
		r, err := ParseRule(text, unit)
		if err != nil {
			var ruleErr *RuleError
			if !errors.As(err, &ruleErr) || ruleErr.Offset < 0 || ruleErr.Offset > len(text) || ruleErr.Fix == "" || ruleErr.Reason == "" {
				t.Fatalf("error %#v", err)
			}
			return
		}
		if !isFinite(r.Limit) || !isFinite(r.Clear) || r.For < 0 || r.ClearFor < 0 || r.breached(r.Clear) {
			t.Fatalf("%q gives the rule %+v", text, r)
		}
		readsBack(t, r, unit)
	})
}

func TestAnyRuleReadsBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := Rule{
			Above: rapid.Bool().Draw(t, "above"),
			Limit: rapid.Float64().Filter(isFinite).Draw(t, "limit"),
			Of:    Signal(rapid.SampledFrom([]string{"", "db_connections_max", "x"}).Draw(t, "of")),
			For:   time.Duration(rapid.Int64Range(0, int64(longestFor)).Draw(t, "for")),
		}
		unit := rapid.SampledFrom(everyUnit).Draw(t, "unit")
		r.Clear, r.ClearFor = r.defaultClear(), r.defaultClearFor()
		if rapid.Bool().Draw(t, "own clear") {
			r.ClearFor = time.Duration(rapid.Int64Range(1, int64(longestFor)).Draw(t, "clear for"))
			if clear := rapid.Float64().Filter(isFinite).Draw(t, "clear"); !r.breached(clear) {
				r.Clear = clear
			}
		}
		if r.breached(r.Clear) {
			t.Fatalf("the default clear limit of %v is on the bad side", r.Limit)
		}
		readsBack(t, r, unit)
	})
}

func TestARuleWithoutAClearSideHasTheDefaults(t *testing.T) {
	got := Rule{Above: true, Limit: 10, For: time.Minute}.withDefaults()
	if want := (Rule{Above: true, Limit: 10, For: time.Minute, Clear: 9, ClearFor: 2 * time.Minute}); got != want {
		t.Errorf("%+v", got)
	}
	if huge := (Rule{Limit: math.MaxFloat64}).withDefaults(); !isFinite(huge.Clear) {
		t.Errorf("the clear limit is %v", huge.Clear)
	}
}
