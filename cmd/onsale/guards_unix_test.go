//go:build !windows

package main

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/charmbracelet/x/ansi"

	"github.com/onsale-dev/onsale/actions"
	"github.com/onsale-dev/onsale/actions/journal"
	"github.com/onsale-dev/onsale/rehearsal"
)

// counted is the platform's config with every control led to a provider that only counts, and with
// another policy.
func (n *night) counted(policy string) (file string, calls *atomic.Int64) {
	n.t.Helper()
	calls = &atomic.Int64{}
	provider := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		calls.Add(1)
		w.WriteHeader(http.StatusTeapot)
	}))
	n.t.Cleanup(provider.Close)
	file = n.with(policy)
	text, err := os.ReadFile(file)
	if err != nil {
		n.t.Fatal(err)
	}
	before, rest, _ := strings.Cut(string(text), "\ncontrols:")
	controls, after, ok := strings.Cut(rest, "\npolicy:")
	secret := filepath.Join(n.t.TempDir(), "address") // an address that is a secret stays a reference
	if err := os.WriteFile(secret, []byte(provider.URL), 0o600); err != nil {
		n.t.Fatal(err)
	}
	led := regexp.MustCompile(`((?:url|endpoint|api_url): )[^"\s]\S+|((?:url|endpoint|api_url): )"[^$]\S+`).ReplaceAllString(controls, "${1}${2}"+provider.URL)
	led = regexp.MustCompile(`(url: )"\$\{file:[^"]+"`).ReplaceAllString(led, `${1}"$${file:`+secret+`}"`)
	if !ok || led == controls {
		n.t.Fatal("the platform's config has no controls")
	}
	if err := os.WriteFile(file, []byte(before+"\ncontrols:"+led+"\npolicy:"+after), 0o600); err != nil {
		n.t.Fatal(err)
	}
	return file, calls
}

// refusals are those in the journal of a state home.
func refusals(t *testing.T, dir string) (of map[string]int) {
	t.Helper()
	of = map[string]int{}
	for _, r := range list(t, dir) {
		if r.Kind != journal.Refused {
			t.Errorf("more than a refusal: %+v", r)
		}
		of[r.Action]++
	}
	return of
}

func TestAViewerWhoTriesEveryKeyCommandAndClickReachesNoProvider(t *testing.T) {
	t.Parallel()
	n := startNight(t, rehearsal.Options{Seed: 7, Scenario: "calm"})
	state := t.TempDir()
	file, calls := n.counted("{role: viewer, second_person: pause, break_glass: {verbs: [pause, rate], lifts: [freeze, second_person]}}")
	s := takeSeatIn(t, []string{"XDG_STATE_HOME=" + state, "ONSALE_OPERATOR=zoran"}, 36, 120, "-c", file)
	s.sees("viewer zoran", "READ-ONLY", "viewer: reads, cannot act")
	for key := 33; key < 127; key++ { // every key, and what could be behind it
		if key == 'q' || key == ':' || key == '/' {
			continue
		}
		s.types(string(rune(key)))
		time.Sleep(15 * time.Millisecond) // as a hand does, or it would count as a burst and not as a try
		s.types("\r")
		if key%6 == 0 {
			s.types("\x1b")
		}
	}
	for x := 1; x < 120; x += 9 { // every place, by the mouse
		for y := 1; y < 36; y += 4 {
			s.types(fmt.Sprintf("\x1b[<0;%d;%dM\x1b[<0;%d;%dm\x1b[<64;%d;%dM", x, y, x, y, x, y))
		}
	}
	s.types("\x1b")
	s.types("\x1b")
	for _, words := range []string{"pause", "resume", "rate up", "rate down", "scale up", "scale back", "open incident", "acknowledge", "resolve", "undo", "note", "break the glass", "approve", "decline", "withdraw", "play"} {
		s.types(":")
		time.Sleep(30 * time.Millisecond)
		s.types(words)
		time.Sleep(30 * time.Millisecond)
		s.types("\r")
		s.types("\x1b")
	}
	s.types("\x1b[200~P\ry\r\x1b[201~") // a pasted script
	s.sees("READ-ONLY")
	s.types("q")
	s.types("q")
	s.exits(0)
	for _, args := range [][]string{
		{"pause"},
		{"resume"},
		{"rate", "--to", "300"},
		{"scale-up"},
		{"scale-back"},
		{"incident"},
		{"acknowledge"},
		{"resolve"},
		{"note", "--text", "x"},
		{"undo"},
		{"play", "x"},
		{"pause", "--break-glass"},
		{"pause", "--dry-run"},
	} {
		out := runIn(t, map[string]string{"XDG_STATE_HOME": state, "USER": "zoran"}, append(append([]string{"act", "lantern"}, args...), "--reason", "x", "--confirm", "lantern", "-c", file)...)
		if out.code != 1 && out.code != exitUnknown {
			t.Errorf("%v exits %d: %s%s", args, out.code, out.stdout, out.stderr)
		}
	}
	if n := calls.Load(); n != 0 {
		t.Errorf("%d calls reached a provider", n)
	}
	of := refusals(t, filepath.Join(state, "onsale", "journal"))
	for _, verb := range []actions.Verb{actions.Pause, actions.Resume, actions.Rate, actions.ScaleUp, actions.ScaleBack, actions.Incident, actions.Acknowledge, actions.Resolve, actions.Undo, actions.AddNote} {
		if of[string(verb)] == 0 {
			t.Errorf("no refusal of %s is recorded: %v", verb, of)
		}
	}
}

var asksForLetter = regexp.MustCompile(`press\s+([a-z])\s+to (send|ask)`)

// letter waits for the letter that a panel asks for.
func (s *seat) letter(does string) string {
	s.t.Helper()
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		s.mu.Lock()
		drawn := ansi.Strip(s.out.String())
		s.mu.Unlock()
		for _, found := range asksForLetter.FindAllStringSubmatch(drawn, -1) {
			if found[2] == does {
				return found[1]
			}
		}
	}
	s.t.Fatalf("no panel asks for a letter to %s", does)
	return ""
}

// hears waits for a text without touching a key, which an armed panel would take for its own.
func (s *seat) hears(text string) {
	s.t.Helper()
	drawn := ""
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		s.mu.Lock()
		drawn = ansi.Strip(s.out.String())
		s.mu.Unlock()
		if strings.Contains(drawn, text) {
			return
		}
	}
	s.t.Fatalf("%q did not come within %s; there is:\n%s", text, patience, drawn)
}

func TestTheScreenAsksASecondPersonAndAnotherShellAgrees(t *testing.T) {
	t.Parallel()
	n := startNight(t, rehearsal.Options{Seed: 7, Scenario: "calm"})
	state := t.TempDir()
	n.config = n.with("{role: operator, reason: optional, second_person: pause}")
	dir := filepath.Join(state, "onsale", "journal")
	s := takeSeatIn(t, []string{"XDG_STATE_HOME=" + state, "ONSALE_OPERATOR=ivana"}, 40, 130, "-c", n.config)
	s.sees("READ-ONLY (a key arms one action for 8 s)", "pause admission", "data "+n.allLive()) // a phase that is still being found out disarms
	alone := func(key string) {                                                                 // not in one burst with the key by which a frame was asked for
		time.Sleep(actions.DeafFor + 200*time.Millisecond)
		s.types(key)
	}
	alone("P")
	letter := s.letter("ask")
	alone(letter)
	s.hears("nobody has answered yet")
	id := strings.Fields(n.as("marko", "approve", "--journal", dir).stdout)[0]
	sale := ""
	for _, r := range list(t, dir) {
		sale = r.Sale
	}
	s.mu.Lock()
	s.out.Reset()
	s.mu.Unlock()
	if out := n.as("marko", "approve", id, "--confirm", sale, "--journal", dir); out.code != 0 {
		t.Fatalf("exit %d: %s%s", out.code, out.stdout, out.stderr)
	}
	letter = s.letter("send")
	alone(letter)
	s.hears("DONE")
	intents, err := journal.List(dir, journal.Filter{Kinds: []journal.Kind{journal.Intent}})
	if err != nil || len(intents) != 1 || intents[0].Approver == nil || intents[0].Approver.Name != "marko" || intents[0].Actor.Name != "ivana" {
		t.Errorf("%v %+v", err, intents)
	}
	// What another shell does is news here, and disarms nothing of its own.
	if out := n.as("marko", "act", sale, "note", "--text", "called the provider", "--confirm", sale, "--journal", dir); out.code != 0 {
		t.Fatalf("exit %d: %s%s", out.code, out.stdout, out.stderr)
	}
	s.sees("note", "by marko")
	alone("q")
	s.exits(0)
}
