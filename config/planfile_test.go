package config

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/onsale-dev/onsale/sale"
)

func TestAPlanThatCannotBeMeantIsRefusedWithItsLine(t *testing.T) {
	for text, want := range map[string]string{
		"":                                     "no heading",
		"at,waiting\n":                         "no points",
		"at,queue\n0s,1\n":                     `can't be called "queue"`,
		"at,at\n0s,1s\n":                       "twice",
		"waiting\n1\n":                         `no column "at"`,
		"at,waiting\n0s,1\nsoon,2\n":           `line 3: "soon" is not a time`,
		"at,waiting\n0s,many\n":                `line 2: waiting is not a number: "many"`,
		"at,waiting\n0s,NaN\n":                 "line 2: NaN is not a figure",
		"at,waiting\n0s,-1\n":                  "line 2: -1 is not a figure",
		"at,waiting\n0s,1e300\n":               "is not a figure",
		"at,waiting\n0s,1\n0s,2\n":             "point 2 is not after",
		"at,waiting\n1000h,1\n":                "too far",
		"at,waiting\n1e300,1\n":                "too far",
		"at,waiting\n0s,1,2\n":                 "wrong number of fields",
		`[{"at": "0s", "queue": 1}]`:           "unknown field",
		`[{"at": "0s"}] [1]`:                   "something follows",
		`[{"at": "0s", "waiting": "a\u001b"}]`: "not a list of points",
		`{"at": "0s"}`:                         "not a list of points",
	} {
		_, err := parsePlanFile([]byte(text))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q gives %v, want %q", text, err, want)
		}
	}
}

func TestAnEarlierSalesCourseIsScaledByTheTickets(t *testing.T) {
	c, err := fixture(t, "testdata/good/plan-like-an-earlier-sale.yaml")
	if err != nil {
		t.Fatal(err)
	}
	plan := c.Sales[0].Plan
	for _, want := range []struct {
		signal sale.Signal
		after  time.Duration
		value  float64
	}{
		{sale.Waiting, -10 * time.Minute, 18000},
		{sale.Waiting, -5 * time.Minute, 21000},
		{sale.AdmissionRate, time.Minute, 400},
		{sale.AdmissionRate, time.Hour, 800},
		{sale.CapacityInService, 0, 24},
		{sale.CapacityInService, 10 * time.Minute, 26},
	} {
		line := plan.Line(want.signal)
		if line == nil {
			t.Fatalf("nothing is planned of %s", want.signal)
		}
		if got, ok := line.At(want.after); !ok || got != want.value {
			t.Errorf("%s at %s is %v, %v; want %v", want.signal, want.after, got, ok, want.value)
		}
	}
}

func FuzzPlanFile(f *testing.F) {
	f.Add([]byte("at,waiting,admission,capacity\n-10m,1,2,3\n0,4,,\n"))
	f.Add([]byte(`[{"at": "-10m", "waiting": 1}, {"at": "0s", "capacity": 2}]`))
	f.Add([]byte("\ufeffat\n\"1s\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		rows, err := parsePlanFile(data)
		if err != nil {
			if text := err.Error(); len(rows) > 0 || strings.ContainsAny(text, "\n\x1b") {
				t.Fatalf("%d rows with the error %q", len(rows), text)
			}
			return
		}
		for _, line := range planLines(rows, 1.5) {
			for i, p := range line.Points {
				if !(p.Value >= 0) || math.IsInf(p.Value, 0) || i > 0 && p.After <= line.Points[i-1].After {
					t.Fatalf("point %d of %s is %+v", i, line.Signal, p)
				}
			}
		}
	})
}
