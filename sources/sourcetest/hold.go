package sourcetest

import (
	"fmt"
	"math"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/onsale-dev/onsale/sale"
	"github.com/onsale-dev/onsale/sources"
)

// holdBatch is what must hold for every batch, of a healthy poll and of a broken one.
func holdBatch(t *testing.T, h Harness, b sale.Batch) {
	t.Helper()
	for _, r := range b.Readings {
		unit, ok := h.Want[r.Key]
		if !ok {
			t.Errorf("a reading for %v, which was not asked for", r.Key)
		}
		if r.Unit != unit {
			t.Errorf("%v has the unit %q, want %q", r.Key, r.Unit, unit)
		}
		if math.IsNaN(r.Value) || math.IsInf(r.Value, 0) {
			t.Errorf("%v has the value %v", r.Key, r.Value)
		}
		if r.At.IsZero() || r.FetchedAt.IsZero() {
			t.Errorf("%v has no time: at %v, fetched %v", r.Key, r.At, r.FetchedAt)
		}
		if r.At.After(r.FetchedAt.Add(2 * time.Minute)) {
			t.Errorf("%v describes %v, later than it was fetched at %v", r.Key, r.At, r.FetchedAt)
		}
	}
	got := readings(b)
	for _, m := range b.Missing {
		if _, ok := h.Want[m.Key]; !ok {
			t.Errorf("%v is in Missing, which was not asked for", m.Key)
		}
		if _, also := got[m.Key]; also {
			t.Errorf("%v is delivered and in Missing", m.Key)
		}
		if m.Problem.Class == "" || m.Problem.Text == "" {
			t.Errorf("%v is missing without a class or a text: %+v", m.Key, m.Problem)
		}
	}
	if b.Incidents != nil && b.Problem != nil {
		t.Errorf("a failed poll tells of incidents: %+v", *b.Incidents)
	}
	for _, text := range texts(b) {
		holdClean(t, text)
	}
}

// texts lists every text of a batch that can reach a person.
func texts(b sale.Batch) []string {
	all := append([]string{}, b.Warnings...)
	add := func(p *sale.Problem) { all = append(all, string(p.Class), p.Text, p.Hint) }
	if b.Problem != nil {
		add(b.Problem)
	}
	for i := range b.Missing {
		add(&b.Missing[i].Problem)
	}
	for _, n := range b.Notes {
		all = append(all, n.Code, n.Text)
	}
	if b.Incidents != nil {
		for _, in := range b.Incidents.List {
			all = append(all, in.Key, in.Name, in.Title, in.System, string(in.Status), in.OpenedBy, in.AcknowledgedBy, in.ResolvedBy, in.URL)
		}
	}
	for i := range b.Alarms {
		a := &b.Alarms[i]
		all = append(all, string(a.State), a.Name, a.Text, a.Kind, a.Muted, a.Through)
	}
	return all
}

func holdClean(t *testing.T, text string) {
	t.Helper()
	if strings.Contains(text, Secret) {
		t.Errorf("a secret is in the text %q", text)
	}
	if !utf8.ValidString(text) {
		t.Errorf("the text %q is not UTF-8", text)
	}
	for _, r := range text {
		if unicode.IsControl(r) || unicode.Is(unicode.Cf, r) {
			t.Errorf("the text %q holds the character %U", text, r)
		}
	}
	if n := len(text); n > 4096 {
		t.Errorf("a text of %d bytes: want one line", n)
	}
}

func readings(b sale.Batch) map[sale.Key]sale.Reading {
	newest := make(map[sale.Key]sale.Reading, len(b.Readings))
	for _, r := range b.Readings {
		if old, ok := newest[r.Key]; !ok || r.At.After(old.At) {
			newest[r.Key] = r
		}
	}
	return newest
}

func holdHealthy(t *testing.T, h Harness, b sale.Batch) {
	t.Helper()
	if why := notHealthy(h, b); why != "" {
		t.Error(why)
	}
}

func notHealthy(h Harness, b sale.Batch) string {
	if b.Problem != nil {
		return "a healthy system failed: " + b.Problem.Error()
	}
	if len(h.Incidents) > 0 {
		if b.Incidents == nil || b.Incidents.At.IsZero() || len(b.Incidents.List) != len(h.Incidents) {
			return "a healthy system tells of other incidents: " + fmt.Sprintf("%+v", b.Incidents)
		}
		for _, in := range b.Incidents.List {
			if h.Incidents[in.Sale] != in.Status || in.Key == "" || in.Seen.IsZero() {
				return "an incident of a healthy system is " + fmt.Sprintf("%+v", in)
			}
		}
	}
	got := readings(b)
	for key := range h.Want {
		if _, ok := got[key]; !ok {
			why := "without a reason in Missing"
			for _, m := range b.Missing {
				if m.Key == key {
					why = m.Problem.Error()
				}
			}
			return "no reading for " + string(key.Sale) + " " + string(key.Signal) + ": " + why
		}
	}
	for _, name := range h.WantAlarms {
		if !slices.ContainsFunc(b.Alarms, func(a sale.ForeignAlarm) bool { return a.Name == name }) {
			return "the alarm " + name + " is not told of"
		}
	}
	return ""
}

// holdHealthySoon allows the polls after which a source asks again for what it had put aside.
func holdHealthySoon(t *testing.T, h Harness, src sources.Source) {
	t.Helper()
	why := ""
	for range h.recovery() {
		if why = notHealthy(h, read(t, h, src, patient)); why == "" {
			return
		}
	}
	t.Errorf("after %d polls of the mended system: %s", h.recovery(), why)
}

// holdFailed holds a poll that can't have got anything: one of the classes, a reason, a hint,
// and no reading invented.
func holdFailed(t *testing.T, h Harness, b sale.Batch, classes ...sale.Class) {
	t.Helper()
	if len(b.Readings) > 0 {
		t.Errorf("%d readings were invented, first %+v", len(b.Readings), b.Readings[0])
	}
	if len(b.Alarms) > 0 {
		t.Errorf("%d alarms were invented, first %+v", len(b.Alarms), b.Alarms[0])
	}
	problem := b.Problem
	if problem == nil {
		// An API that answers per item may fail for each item instead of as a whole.
		if len(b.Missing) < len(h.Want) || len(b.Missing) == 0 {
			t.Fatalf("the poll has neither a problem nor everything in Missing: %+v", b)
		}
		problem = &b.Missing[0].Problem
	}
	if problem.Text == "" {
		t.Errorf("no reason given: %+v", problem)
	}
	if problem.Hint == "" {
		t.Errorf("no hint how to mend it: %+v", problem)
	}
	for _, class := range classes {
		if problem.Class == class {
			return
		}
	}
	t.Errorf("classed as %q (%s), want %v", problem.Class, problem.Text, classes)
}

// holdNoGoroutines waits until what the case started has ended.
func holdNoGoroutines(t *testing.T, before int) {
	t.Helper()
	deadline := time.Now().Add(slack)
	for runtime.NumGoroutine() > before {
		if time.Now().After(deadline) {
			stacks := make([]byte, 1<<20)
			t.Errorf("%d goroutines before, %d after:\n%s", before, runtime.NumGoroutine(), stacks[:runtime.Stack(stacks, true)])
			return
		}
		runtime.Gosched()
		time.Sleep(5 * time.Millisecond)
	}
}
