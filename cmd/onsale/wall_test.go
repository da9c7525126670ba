package main

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/onsale-dev/onsale/ui"
)

func TestTheWallStartsAgainAfterAMistakeAndEndsForGoodOtherwise(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var stderr bytes.Buffer
		p := &program{stderr: &stderr}
		began := time.Now()
		var starts []time.Duration
		gone := ui.ErrTerminalLost
		err := p.watchWall(t.Context(), func(context.Context) error {
			starts = append(starts, time.Since(began))
			switch len(starts) {
			case 4:
				time.Sleep(24 * time.Hour) // a run that went well
				return &ui.PanicError{Where: "the screen", Value: "no such row"}
			case 6:
				return gone
			}
			return &ui.PanicError{Where: "the screen", Value: "no such row"}
		})
		if !errors.Is(err, gone) {
			t.Errorf("it ended with %v, not with its terminal", err)
		}
		s := time.Second
		want := []time.Duration{0, 5 * s, 15 * s, 35 * s, 24*time.Hour + 40*s, 24*time.Hour + 50*s}
		if len(starts) != len(want) {
			t.Fatalf("started at %v", starts)
		}
		for i := range want {
			if starts[i] != want[i] {
				t.Errorf("started at %v, want %v", starts, want)
				break
			}
		}
		if !strings.Contains(stderr.String(), "panic in the screen: no such row; the wall starts again in 5s") {
			t.Errorf("it says %q", stderr.String())
		}
	})
}

func TestTheRestsOfTheWallHaveAnEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &program{stderr: new(bytes.Buffer)}
		ctx, stop := context.WithTimeout(t.Context(), 24*time.Hour)
		defer stop()
		n := 0
		err := p.watchWall(ctx, func(context.Context) error {
			n++
			return &ui.PanicError{Where: "the screen", Value: "always"}
		})
		if err == nil || n < 24*60/5-1 || n > 24*60/5+10 {
			t.Errorf("%d starts in a day, ended with %v", n, err)
		}
	})
}

func TestTheWallTakesOnlyTimesThatCanBeRead(t *testing.T) {
	for _, rotate := range []string{"1s", "-20s", "2h", "soon"} {
		got := runIn(t, nil, "wall", "--rotate", rotate)
		if got.code == 0 || !strings.Contains(got.stderr, "rotate") {
			t.Errorf("--rotate %s: exit %d, %q", rotate, got.code, got.stderr)
		}
	}
}

func TestTheWallOpensNoJournalAndNoControl(t *testing.T) {
	p := &program{wall: true, lookup: func(string) (string, bool) { return "", false }, journalAt: t.TempDir() + "/journal"}
	h, closeJournal, err := p.handsOf(&cockpit{}, nil) // a config would be read, and here there is none
	if h != nil || err != nil {
		t.Errorf("the wall has hands: %v, %v", h, err)
	}
	closeJournal()
}
