//go:build !windows

package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/onsale-dev/onsale/actions"
)

// shown is what stands on the terminal now. Nothing is typed to see it: any key disarms.
func (s *seat) shown() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.model.text()
}

// waits looks until the terminal shows what is waited for, and returns the whole of it.
func (s *seat) waits(what string, holds func(shown string) bool) string {
	s.t.Helper()
	shown := ""
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		if shown = s.shown(); holds(shown) {
			return shown
		}
	}
	s.t.Fatalf("%s did not come within %s; the terminal shows:\n%s", what, patience, shown)
	return ""
}

// shows waits until all of the texts stand there together.
func (s *seat) shows(texts ...string) string {
	s.t.Helper()
	return s.waits(strings.Join(texts, ", "), func(shown string) bool { return containsAll(shown, texts) })
}

var (
	asksToSend  = regexp.MustCompile(`press\s+([a-z])\s+to send`)
	asksForName = regexp.MustCompile(`type\s+(\S+)\s+then enter`)
	undoSeen    = regexp.MustCompile(`EFFECT SEEN [0-9:]+ sale 3: undo 0/min → 800/min`)
	letIn       = regexp.MustCompile(`after \d+ s: admitted \S+ → [1-9]\d*/min`)
	counting    = regexp.MustCompile(`ARMED (?:[1-7]|1[0-9]) s`) // not from the full 8 s or 20 s: it hears keys now
)

// arms presses an action's key and waits until the panel hears. It returns the panel and what to type.
func (s *seat) arms(key string) (panel, gesture string) {
	s.t.Helper()
	pressed := time.Now()
	s.types(key)
	panel = s.waits("an armed panel", func(shown string) bool {
		if time.Since(pressed) > 2*time.Second && !strings.Contains(shown, "ARMED") && !strings.Contains(shown, "READING") {
			pressed = time.Now()
			s.types(key) // as anybody would: it was not known yet what can be done, or the key came right behind a disarmed panel
		}
		return counting.MatchString(shown) && (asksToSend.MatchString(shown) || asksForName.MatchString(shown))
	})
	if name := asksForName.FindStringSubmatch(panel); name != nil {
		return panel, name[1] + "\r"
	}
	return panel, asksToSend.FindStringSubmatch(panel)[1]
}

// sends makes a gesture: a name letter by letter, as hands do, for more than one key in a read disarms.
func (s *seat) sends(gesture string) {
	s.t.Helper()
	for i := range gesture {
		if i > 0 {
			typed := gesture[:i]
			s.shows("then enter:  " + typed)
			time.Sleep(2 * actions.BurstWithin) // no hand is faster
		}
		s.types(gesture[i : i+1])
	}
}

func TestPauseIsSeenAndUndoneOnASmallTerminal(t *testing.T) {
	t.Parallel()
	tmp := t.TempDir()
	s := takeSeatIn(t, []string{"TMPDIR=" + tmp, "USER=ivana"}, 24, 80, "demo", "--scenario", "payment-degrades", "--speed", "20", "--seed", "7")
	s.shows("Crna Lanterna", "READ-ONLY")
	s.types("3")
	s.shows("Crna Lanterna", "rate limit", "800/min", "admitted")

	panel, letter := s.arms("P")
	if !containsAll(panel, []string{"pause admission", "800/min → 0/min", "queue_all on", "esc disarms"}) && !containsAll(panel, []string{"pause admission", "800/min → 0/min", "queue_all on", "any other key"}) {
		t.Errorf("the panel says:\n%s", panel)
	}
	s.sends(letter)
	s.shows("EFFECT SEEN", "pause admission 800/min → 0/min") // on a busy machine it may stand there as soon as DONE does

	_, gesture := s.arms("U")
	s.sends(gesture)
	s.waits("people who are let in again", func(shown string) bool { // that it was read back before is in the journal
		return undoSeen.MatchString(shown) && letIn.MatchString(shown)
	})

	journals, err := filepath.Glob(filepath.Join(tmp, "*", "journal"))
	if err != nil || len(journals) != 1 {
		t.Fatalf("the demo's journal is %v, %v", journals, err)
	}
	verify := runIn(t, nil, "journal", "verify", "--dir", journals[0])
	list := runIn(t, nil, "journal", "list", "--dir", journals[0])
	if verify.code != 0 || strings.Count(list.stdout, " intent ") != 2 || strings.Count(list.stdout, "ivana operator") < 4 || strings.Count(list.stdout, "EFFECT SEEN") != 2 ||
		strings.Count(list.stdout, "read back") < 2 {
		t.Errorf("the journal: %s%s%s", verify.stdout, verify.stderr, list.stdout)
	}
	s.types("q")
	s.exits(0)
	if left, _ := os.ReadDir(tmp); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

func TestScalingByKeysOnEachKindAndWhatDisarms(t *testing.T) {
	t.Parallel()
	s := takeSeat(t, 50, 120, "demo", "--speed", "30", "--seed", "7")
	s.shows("ECS 24/24 max 60", "HPA 28/28 max 60", "KEDA 40/40 max 60", "ASG 24/24 max 32")
	s.types("2")
	s.shows("Żółta Łódka", "needed signals")
	for _, c := range []struct {
		sentence, says string
		do             func(letter string)
	}{
		{"esc disarms", "disarmed, esc", func(string) { s.types("\x1b") }},
		{"a wrong letter disarms", "disarmed, another key", func(letter string) { s.types(strings.ToUpper(letter)) }},
		{"a paste of the letter does not fire", "disarmed, text was pasted", func(letter string) { s.types("\x1b[200~" + letter + "\x1b[201~") }},
	} {
		_, letter := s.arms("S")
		c.do(letter)
		shown := s.shows(c.says)
		if strings.Contains(shown, "DONE") {
			t.Errorf("%s: it was sent", c.sentence)
		}
	}
	for _, c := range []struct {
		sale, name string
		panel      []string
		effect     string
	}{
		{"2", "Żółta Łódka", []string{"min 24 → 30, desired 24 → 30", "RegisterScalableTarget", "headroom", "+6 × $0.113", "starts take 1:00 to 2:00", "U sets MinCapacity 24 again", "reverts it"}, "ECS 24 → 30"},
		{"4", "Śnieżne Echo", []string{"min pods 28 → 35", "HorizontalPodAutoscaler", "headroom", "+7 × $0.098", "starts take 1:00 to 2:00", "U sets minReplicas 28 again", "reverts it"}, "HPA 28 → 35"},
	} {
		s.types(c.sale)
		s.shows(c.name, "needed signals")
		panel, letter := s.arms("S")
		for _, text := range c.panel {
			if !strings.Contains(panel, text) {
				t.Errorf("%s: %q is not in the panel:\n%s", c.name, text, panel)
			}
		}
		s.sends(letter)
		s.shows("DONE", "read back")
		s.shows("EFFECT SEEN", c.effect)
	}
	s.types("q")
	s.exits(0)
}
