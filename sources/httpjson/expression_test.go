package httpjson

import (
	"context"
	"encoding/json"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/onsale-dev/onsale/sale"
)

func TestWhatAnExpressionGivesIsOneNumberOrAReasonWhyNot(t *testing.T) {
	for _, c := range []struct {
		name, answer, expr string
		unit               sale.Unit
		boolean            bool
		want               float64
		why                string // "" wants the value
	}{
		{name: "a number", answer: `{"a":{"b":12.5}}`, expr: ".a.b", want: 12.5},
		{name: "a sum over a list", answer: `[{"n":3},{"n":4}]`, expr: "map(.n) | add", want: 7},
		{name: "a number in a string, as Queue-it has it", answer: `{"n":" 12400 "}`, expr: ".n", want: 12400},
		{name: "minus zero is zero", answer: `{"n":"-0"}`, expr: ".n", want: 0},
		{name: "an integer beyond 64 bits", answer: `{}`, expr: "100000000000000000000", want: 1e20},
		{name: "null is not known", answer: `{"n":null}`, expr: ".n", why: "null: not known"},
		{name: "what is not there is not known", answer: `{}`, expr: ".n", why: "null: not known"},
		{name: "nothing is not known", answer: `[]`, expr: ".[]", why: "gives nothing"},
		{name: "two values are none", answer: `[1,2]`, expr: ".[]", why: "more than one value"},
		{name: "a value and then a failure are none", answer: `[1]`, expr: `.[0], error("late")`, why: "late"},
		{name: "a separator of thousands is not guessed at", answer: `{"n":"12,400"}`, expr: ".n", why: "12,400"},
		{name: "an empty text is not zero", answer: `{"n":""}`, expr: ".n", why: "not a number"},
		{name: "hex is not a number here", answer: `{"n":"0x10"}`, expr: ".n", why: "not a number"},
		{name: "the word NaN is not a number", answer: `{"n":"NaN"}`, expr: ".n", why: "not a number"},
		{name: "a text that overflows", answer: `{"n":"1e999"}`, expr: ".n", why: "out of range"},
		{name: "nan is not a number", answer: `{}`, expr: "nan", why: "not a finite"},
		{name: "infinite is not a number", answer: `{}`, expr: "infinite", why: "not a finite"},
		{name: "true is not 1 unless asked", answer: `{"on":true}`, expr: ".on", why: "boolean: true"},
		{name: "true is 1 when asked", answer: `{"on":true}`, expr: ".on", boolean: true, want: 1},
		{name: "false is 0 when asked", answer: `{"on":false}`, expr: ".on", boolean: true, want: 0},
		{name: "null is not false", answer: `{"on":null}`, expr: ".on", boolean: true, why: "null: not known"},
		{name: "-1 people stands for not known", answer: `{"n":-1}`, expr: ".n", unit: sale.Users, why: "never negative"},
		{name: "a count may fall below zero", answer: `{"n":-1}`, expr: ".n", unit: sale.Count, want: -1},
		{name: "a list is not its length", answer: `{"n":[1]}`, expr: ".n", why: "length"},
		{name: "an object is no number", answer: `{"n":{}}`, expr: ".n", why: "an object"},
		{name: "a failure is told", answer: `{"n":"x"}`, expr: ".n.m", why: "expected an object"},
		{name: "what halts gives nothing", answer: `{}`, expr: "halt_error", why: "halts"},
		{name: "what never ends is ended", answer: `{}`, expr: "last(range(1e18))", why: "longer than"},
	} {
		t.Run(c.name, func(t *testing.T) {
			e, err := compile(c.expr)
			if err != nil {
				t.Fatal(err)
			}
			var answer any
			if err := json.Unmarshal([]byte(c.answer), &answer); err != nil {
				t.Fatal(err)
			}
			got, err := take(context.Background(), &want{Query{Unit: c.unit, Boolean: c.boolean}, e}, answer)
			switch {
			case c.why == "" && (err != nil || got != c.want || math.Signbit(got) != math.Signbit(c.want)):
				t.Errorf("%v, %v; want %v", got, err, c.want)
			case c.why != "" && (err == nil || !strings.Contains(err.Error(), c.why)):
				t.Errorf("%v, %v; want the reason %q", got, err, c.why)
			}
		})
	}
}

func TestAnExpressionThatReadsAnythingButTheAnswerIsRefused(t *testing.T) {
	for _, text := range []string{"env.HOME", "$ENV.HOME", "env", "input", "inputs", "[inputs]", "debug", "stderr", "input_filename", `import "a" as a; 1`, `include "a"; 1`, "$x", "", ".a |", "nosuch(1)"} {
		if _, err := compile(text); err == nil && text != "" {
			t.Errorf("%q is taken", text)
		}
	}
}

func TestHowOldAFigureIsComesFromTheAnswer(t *testing.T) {
	now := time.Date(2026, 12, 4, 10, 8, 0, 0, time.UTC)
	for _, c := range []struct {
		name string
		v    any
		want time.Time
		why  string
	}{
		{"RFC 3339", "2026-12-04T10:07:00Z", now.Add(-time.Minute), ""},
		{"another zone, with fractions", "2026-12-04T11:07:00.0000000+01:00", now.Add(-time.Minute), ""},
		{"seconds", float64(now.Unix() - 60), now.Add(-time.Minute), ""},
		{"milliseconds", float64(now.UnixMilli() - 60_000), now.Add(-time.Minute), ""},
		{"seconds in a string", "1796378820", now.Add(-time.Minute), ""},
		{"a clock a little ahead is taken for now", "2026-12-04T10:09:00Z", now, ""},
		{"a clock far ahead is wrong", "2026-12-04T10:11:00Z", now, "future"},
		{"no zone is no time", "2026-12-04T10:07:00", now, "zone"},
		{"zero is no time", 0.0, now, "1970"},
		{"null is no time", nil, now, "null"},
		{"true is no time", true, now, "boolean"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := instant(c.v, now)
			switch {
			case c.why == "" && (err != nil || !got.Equal(c.want)):
				t.Errorf("%v, %v; want %v", got, err, c.want)
			case c.why != "" && (err == nil || !strings.Contains(err.Error(), c.why)):
				t.Errorf("%v, %v; want the reason %q", got, err, c.why)
			}
		})
	}
}

func TestEveryPresetCompiles(t *testing.T) {
	for _, name := range Presets() {
		for _, f := range Fields(name) {
			if _, err := compile(presets[name].fields[f].expr); err != nil {
				t.Errorf("%s %s: %v", name, f, err)
			}
		}
		for path, at := range presets[name].at {
			if _, err := compile(at); err != nil {
				t.Errorf("%s at %s: %v", name, path, err)
			}
		}
	}
}

func FuzzWhatAnAnswerGivesIsFinite(f *testing.F) {
	for _, seed := range []string{`{"n":"12"}`, `[1,[2,{"n":-0}]]`, `"1e308"`, `{"n":1e400}`, `null`, `{"n":"\u001b[2J"}`} {
		f.Add([]byte(seed))
	}
	var all []*expression
	for _, text := range []string{".", ".n", "[.. | numbers] | add", "tostring", "length", ".n | tonumber"} {
		e, err := compile(text)
		if err != nil {
			f.Fatal(err)
		}
		all = append(all, e)
	}
	now := time.Date(2026, 12, 4, 10, 8, 0, 0, time.UTC)
	f.Fuzz(func(t *testing.T, body []byte) {
		var answer any
		if json.Unmarshal(body, &answer) != nil {
			return
		}
		for _, e := range all {
			if v, err := take(context.Background(), &want{Query{Unit: sale.Users}, e}, answer); err == nil && !(v >= 0 && v < math.Inf(1)) {
				t.Errorf("%s of %q gives %v users", e.text, body, v)
			}
			if at, err := when(context.Background(), e, answer, now); err == nil && (at.After(now) || at.Year() < 1970) {
				t.Errorf("%s of %q gives the time %v", e.text, body, at)
			}
		}
	})
}
