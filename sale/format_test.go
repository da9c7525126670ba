package sale

import (
	"math"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestValuesAreWrittenForAPerson(t *testing.T) {
	tests := []struct {
		v        float64
		unit     Unit
		estimate bool
		want     string
	}{
		{0.07, Ratio, false, "7.0 %"},
		{0.0021, Ratio, false, "0.21 %"},
		{0.92, Ratio, false, "92 %"},
		{0.0996, Ratio, false, "10 %"},
		{0.00996, Ratio, false, "1.0 %"},
		{1.31, Ratio, false, "131 %"},
		{0, Ratio, false, "0.00 %"},
		{1.24, Seconds, false, "1.24 s"},
		{0.19, Seconds, false, "0.19 s"},
		{0.0042, Seconds, false, "4.2 ms"},
		{42, Seconds, false, "42 s"},
		{59.6, Seconds, false, "1:00"},
		{130, Seconds, false, "2:10"},
		{9521, Seconds, false, "2:38:41"},
		{0, Seconds, false, "0 s"},
		{-2, Seconds, false, "-2.00 s"},
		{12_400, Users, true, "~12,400"},
		{0, Users, true, "~0"},
		{1_234_567, Count, false, "1,234,567"},
		{999, Count, false, "999"},
		{3.5, Count, false, "3.5"},
		{0.26, Count, false, "0.26"},
		{-1200, Tickets, false, "-1,200"},
		{-0.001, Count, false, "0.00"},
		{math.Copysign(0, -1), Count, false, "0"},
		{244.6, PerMinute, false, "245/min"},
		{2310, PerSecond, false, "2,310/s"},
		{0.5, PerSecond, true, "~0.50/s"},
		{512, Bytes, false, "512 B"},
		{1536, Bytes, false, "1.5 KiB"},
		{1 << 30, Bytes, false, "1 GiB"},
		{3.98, USD, false, "$3.98"},
		{-3.98, USD, true, "~-$3.98"},
		{1560, USD, false, "$1,560"},
		{7, "", false, "7"},
		{1e15, Count, false, "1.0e+15"},
		{1e308, Ratio, false, "1.8e+308 %"},
		{math.NaN(), Ratio, true, ""},
		{math.Inf(1), Seconds, true, ""},
	}
	for _, tt := range tests {
		if got := Format(tt.v, tt.unit, tt.estimate); got != tt.want {
			t.Errorf("Format(%v, %q, %t) = %q, want %q", tt.v, tt.unit, tt.estimate, got, tt.want)
		}
	}
}

func TestAShareThatIsNotWholeIsNeverWrittenAsWhole(t *testing.T) {
	for v, want := range map[float64]string{0.994: "99 %", 0.995: "99.50 %", 0.9995: "99.95 %", 0.99999: "99.99 %", 1 - 1e-12: "99.99 %", 1: "100 %", 1.002: "100 %"} {
		if got := Format(v, Ratio, false); got != want {
			t.Errorf("%v is %q, want %q", v, got, want)
		}
	}
}

func TestNoFiniteValueIsWrittenAsNaNOrWithoutBound(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		v := rapid.Float64().Draw(t, "v")
		unit := rapid.SampledFrom(everyUnit).Draw(t, "unit")
		got := Format(v, unit, rapid.Bool().Draw(t, "estimate"))
		if strings.Contains(got, "N") || strings.Contains(got, "Inf") || len(got) > 32 {
			t.Fatalf("%v in %q is %q", v, unit, got)
		}
		if got == "" {
			t.Fatalf("%v in %q is empty", v, unit)
		}
	})
}

func TestAValueIsNeverWrittenLikeTheLimitThatItBreaks(t *testing.T) {
	for _, tt := range []struct {
		v, limit    float64
		unit        Unit
		value, want string
	}{
		{0.058, 0.05, Ratio, "5.8 %", "5.0 %"},
		{0.0504, 0.05, Ratio, "5.04 %", "5.00 %"},
		{5000.2, 5000, Count, "5,000.2", "5,000.0"},
		{120.4, 120, Seconds, "120.4 s", "120.0 s"},
		{7, 7, Count, "7", "7"},
	} {
		if value, limit := distinct(tt.v, tt.limit, tt.unit, false); value != tt.value || limit != tt.want {
			t.Errorf("%v and %v are written %q and %q, want %q and %q", tt.v, tt.limit, value, limit, tt.value, tt.want)
		}
	}
}

func TestAgesAreWrittenInWholeSeconds(t *testing.T) {
	tests := map[time.Duration]string{
		-time.Hour: "0s", 0: "0s", 31*s + 999*time.Millisecond: "31s", 59 * s: "59s", time.Minute: "1:00", 101 * s: "1:41",
		time.Hour: "1:00:00", 2*time.Hour + 38*time.Minute + 41*s: "2:38:41", 99*time.Hour + 59*time.Minute + 59*s: "99:59:59", 123 * time.Hour: "5d 3h",
		math.MaxInt64: "106751d 23h",
	}
	for d, want := range tests {
		if got := FormatAge(d); got != want {
			t.Errorf("FormatAge(%s) = %q, want %q", d, got, want)
		}
	}
}

func TestTheClockRunsFromTheOpening(t *testing.T) {
	tests := map[time.Duration]string{
		-(26*time.Minute + 19*s):             "T-00:26:19",
		-s:                                   "T-00:00:01",
		-1:                                   "T-00:00:01",
		0:                                    "T+00:00:00",
		s - 1:                                "T+00:00:00",
		time.Hour + 8*time.Minute + 41*s + 5: "T+01:08:41",
		-99 * time.Hour:                      "T-99:00:00",
		-(12*24 + 3) * time.Hour:             "T-12d 03h",
	}
	for d, want := range tests {
		if got := Clock(opens, opens.Add(d)); got != want {
			t.Errorf("%s from the opening it is %q, want %q", d, got, want)
		}
	}
	if got := Clock(time.Time{}, opens); got != "" {
		t.Errorf("without an opening it is %q", got)
	}
}
