package ui

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
)

type leaky struct{ Token string }

type discreet struct{ token string }

func (discreet) String() string { return "a discreet thing" }

func TestTheLogRing(t *testing.T) {
	for _, c := range []struct {
		sentence string
		log      func(*slog.Logger)
		line     string
	}{
		{"a record with its attributes is one line", func(l *slog.Logger) { l.Info("polled", "source", "metrics", "calls", 3) }, "polled source=metrics calls=3"},
		{"groups are written with dots", func(l *slog.Logger) { l.WithGroup("http").With("code", 503).Info("failed", "path", "/x") }, "failed http.code=503 http.path=/x"},
		{"a group of values too", func(l *slog.Logger) { l.Info("x", slog.Group("g", "a", 1, "b", "two")) }, "x g.a=1 g.b=two"},
		{"an error is its text", func(l *slog.Logger) { l.Warn("x", "err", errors.New("refused")) }, "x err=refused"},
		{"a secret by its name is hidden", func(l *slog.Logger) { l.Info("x", "api_token", "abcdef", "Authorization", "Bearer abcdef") }, "x api_token=<hidden> Authorization=<hidden>"},
		{"a secret that was told of is hidden anywhere", func(l *slog.Logger) { l.Info("GET /?k=s3cr3t-value", "url", "u:s3cr3t-value@h") }, "GET /?k=<hidden> url=u:<hidden>@h"},
		{"a struct is never written field by field", func(l *slog.Logger) { l.Info("x", "cfg", leaky{"abcdef"}, "p", &leaky{"abcdef"}) }, "x cfg=<ui.leaky> p=<*ui.leaky>"},
		{"a thing with words of its own says them", func(l *slog.Logger) { l.Info("x", "d", discreet{"abcdef"}) }, "x d=a discreet thing"},
	} {
		t.Run(c.sentence, func(t *testing.T) {
			var file bytes.Buffer
			ring := NewLogRing(10, &file, nil)
			ring.Hide("s3cr3t-value", "no")
			c.log(slog.New(ring))
			lines := ring.Lines()
			if len(lines) != 1 || lines[0].Text != c.line {
				t.Errorf("the screen shows %v, want %q", lines, c.line)
			}
			if leaked := file.String() + fmt.Sprint(lines); strings.Contains(leaked, "abcdef") || strings.Contains(leaked, "s3cr3t") {
				t.Errorf("a secret leaked: %s", leaked)
			}
			var rec map[string]any
			if err := json.Unmarshal(file.Bytes(), &rec); err != nil {
				t.Errorf("the file holds no JSON line: %v: %q", err, file.String())
			}
		})
	}
}

func TestTheLogKeepsControlCharactersOut(t *testing.T) {
	var file bytes.Buffer
	ring := NewLogRing(10, &file, nil)
	slog.New(ring).Error("a\x1b]0;title\x07b\u202e", "label\n", "x\r\ny\u009b2J", "err", errors.New("\x1b[2J"))
	for _, text := range []string{ring.Lines()[0].Text, file.String()} {
		for _, r := range strings.TrimSuffix(text, "\n") {
			if r < 0x20 || r >= 0x7f && r < 0xa0 || r == 0x202e {
				t.Errorf("%q holds %U", text, r)
			}
		}
	}
}

func TestTheLogKeepsTheNewestLinesNewestFirst(t *testing.T) {
	ring := NewLogRing(3, nil, nil)
	log := slog.New(ring)
	for i := range 7 {
		log.Info(fmt.Sprint(i))
	}
	var got []string
	for _, l := range ring.Lines() {
		got = append(got, l.Text)
	}
	if fmt.Sprint(got) != "[6 5 4]" {
		t.Errorf("%v", got)
	}
}

func TestTheLogKeepsNothingBelowItsLevel(t *testing.T) {
	ring := NewLogRing(3, nil, slog.LevelWarn)
	slog.New(ring).Info("x")
	if len(ring.Lines()) != 0 {
		t.Error("kept")
	}
}

func TestTheLogTakesManyWritersAndReaders(t *testing.T) {
	ring := NewLogRing(100, nil, nil)
	bell, hangUp := ring.Subscribe()
	var wg sync.WaitGroup
	for w := range 4 {
		wg.Go(func() {
			log := slog.New(ring).With("writer", w)
			for i := range 500 {
				log.Info("x", "i", i)
				if lines := ring.Lines(); len(lines) > 100 {
					t.Errorf("%d lines", len(lines))
				}
			}
		})
	}
	wg.Wait()
	<-bell
	hangUp()
	if got := len(ring.Lines()); got != 100 {
		t.Errorf("%d lines kept", got)
	}
}

func TestTheLogsScreen(t *testing.T) {
	ring := NewLogRing(5, nil, nil)
	log := slog.New(ring)
	h := newHand(t, 2, func(o *Options) { o.Logs = ring })
	for _, text := range []string{"first", "second", "third"} {
		log.Info(text)
	}
	h.send(logMsg{ring.Lines()})
	h.keys("e")
	h.sees("screen logs", "log third\nlog second\nlog first", "cursor 0")
	h.keys("j")
	h.sees("cursor 1")
	log.Info("fourth")
	h.send(logMsg{ring.Lines()})
	h.sees("cursor 2") // still on the same line
	for _, text := range []string{"fifth", "sixth"} {
		log.Info(text)
	}
	h.send(logMsg{ring.Lines()})
	h.sees("cursor 4")
	h.keys("y")
	h.sees("message copied: ", " info second")
	for i := range 9 {
		log.Info(fmt.Sprint("more ", i))
	}
	h.send(logMsg{ring.Lines()})
	h.sees("cursor 4") // its line is gone: the oldest that is left
}
