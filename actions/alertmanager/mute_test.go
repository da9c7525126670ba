package alertmanager_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/onsale-dev/onsale/actions"
)

const minutesOf = "silence_minutes"

// silenced previews and does one silence of the test's sale.
func silenced(t *testing.T, x actions.Executor, req actions.Request) actions.Preview {
	t.Helper()
	p, err := x.Preview(t.Context(), req, seen())
	if err != nil || p.Refused() {
		t.Fatalf("the preview: %v %+v", err, p.Refusals)
	}
	if _, err := x.Execute(t.Context(), p, "key"); err != nil {
		t.Fatal(err)
	}
	return p
}

func muteCase(t *testing.T, back http.Handler) {
	f := newFront(t, back)
	x := executor(t, options(f))
	minutes := 45.0
	req := actions.Request{Sale: saleID, Verb: actions.Silence, To: &minutes, Reason: "load test"}
	p := silenced(t, x, req)
	if from, _ := p.From[minutesOf].Number(); from != 0 || !strings.Contains(p.Change, "for 45 min") || !strings.Contains(p.PeopleText, "incidents that onsale opens go on telling") {
		t.Errorf("the preview is %+v", p)
	}
	state, err := x.ReadBack(t.Context(), p)
	if got, _ := state.Value[minutesOf].Number(); err != nil || got != 45 {
		t.Fatalf("read back %v (%v), want 45 minutes", state.Value, err)
	}

	longer := 90.0
	req.To = &longer
	again := silenced(t, x, req)
	if from, _ := again.From[minutesOf].Number(); from != 45 || len(again.Warnings) == 0 {
		t.Errorf("a second one begins from %v with %q, want 45 and a warning", again.From, again.Warnings)
	}
	if state, err = x.ReadBack(t.Context(), again); err != nil || !state.Value.Equal(again.To) {
		t.Fatalf("the second one reads back %v (%v): one silence, not two", state.Value, err)
	}

	undo := actions.Request{Sale: saleID, Verb: actions.Undo, Of: actions.Silence, Restore: actions.Value{minutesOf: actions.Number(0)}}
	back2 := silenced(t, x, undo)
	if state, err = x.ReadBack(t.Context(), back2); err != nil || !state.Value.Equal(undo.Restore) {
		t.Errorf("after the undo it reads %v (%v), want none", state.Value, err)
	}
	if !strings.HasPrefix(back2.Change, "expire the silence") {
		t.Errorf("the undo says %q", back2.Change)
	}
}

func TestASilenceIsBoundedReplacedAndExpiredByUndo(t *testing.T) { muteCase(t, &fake{}) }

func TestASilenceOnTheRealAlertmanager(t *testing.T) {
	realBinary(t)
	muteCase(t, startReal(t).proxy())
}

func TestASilenceOfTooLongOrOfNothingIsRefused(t *testing.T) {
	x := executor(t, options(newFront(t, &fake{})))
	for _, minutes := range []float64{0, -1, 0.5, 481, 1e9} {
		p, err := x.Preview(t.Context(), actions.Request{Sale: saleID, Verb: actions.Silence, To: &minutes}, seen())
		if err == nil && !p.Refused() {
			t.Errorf("a silence of %v minutes is not refused", minutes)
		}
	}
	p, err := x.Preview(t.Context(), actions.Request{Sale: saleID, Verb: actions.Silence}, seen())
	if got, _ := p.To[minutesOf].Number(); err != nil || got != 30 {
		t.Errorf("without a time it lasts %v (%v), want 30 minutes", p.To, err)
	}
}
