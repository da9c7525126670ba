package main

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/onsale-dev/onsale/config"
	"github.com/onsale-dev/onsale/rehearsal"
	"github.com/onsale-dev/onsale/sale"
	"github.com/onsale-dev/onsale/ui"
)

// liveNight is a cockpit without a screen on a rehearsal platform.
type liveNight struct {
	*night
	*live
	text string // the config as the platform wrote it
	logs *ui.LogRing
}

func startLive(t *testing.T) *liveNight {
	t.Helper()
	n := &liveNight{night: startNight(t, rehearsal.Options{Seed: 3, Scenario: "calm"}), logs: ui.NewLogRing(200, nil, slog.LevelInfo)}
	data, err := os.ReadFile(n.night.config)
	if err != nil {
		t.Fatal(err)
	}
	n.text = string(data)
	p := &program{stdin: strings.NewReader(""), lookup: func(string) (string, bool) { return "", false }, configFlag: n.night.config, journalAt: t.TempDir()}
	cfg, err := p.readConfig()
	if err != nil {
		t.Fatal(err)
	}
	if n.live, err = p.newLive(cfg, slog.New(n.logs), n.logs.Hide); err != nil {
		t.Fatal(err)
	}
	h, closeJournal, err := p.openHands(n.cockpit, n.live.log)
	if err != nil {
		t.Fatal(err)
	}
	n.desk = h.desk
	ctx, stop := context.WithCancel(t.Context())
	var running sync.WaitGroup
	for _, loop := range n.loops() {
		running.Go(func() { loop(ctx) })
	}
	running.Go(func() { h.watch(ctx) })
	t.Cleanup(func() {
		stop()
		running.Wait() // nothing is left behind
		closeJournal()
	})
	return n
}

// write changes the file as an editor does: by a new one in its place.
func (n *liveNight) write(text string) {
	n.t.Helper()
	if err := os.WriteFile(n.night.config+".new", []byte(text), 0o600); err != nil {
		n.t.Fatal(err)
	}
	if err := os.Rename(n.night.config+".new", n.night.config); err != nil {
		n.t.Fatal(err)
	}
}

// until waits for news until something is so.
func (n *liveNight) until(what string, is func(*sale.Snapshot) bool) *sale.Snapshot {
	n.t.Helper()
	bell, hangUp := n.cockpit.store.Subscribe()
	defer hangUp()
	logged, hangUpLogs := n.logs.Subscribe()
	defer hangUpLogs()
	late := time.After(20 * time.Second)
	for {
		if snap := n.cockpit.store.Snapshot(); is(snap) {
			return snap
		}
		select {
		case <-bell:
		case <-logged:
		case <-late:
			n.t.Fatalf("%s: not within 20 s; the log says %q", what, n.said())
		}
	}
}

func (n *liveNight) said() (all []string) {
	for _, l := range n.logs.Lines() {
		all = append(all, l.Text)
	}
	return all
}

func TestAChangedFileReplacesSalesAndSourcesAndABadOneNothing(t *testing.T) {
	n := startLive(t)
	points := func(snap *sale.Snapshot) int {
		k, _ := snap.Sale("lantern").Signal(sale.AdmissionRate)
		return k.History.Len()
	}
	calls := func(snap *sale.Snapshot, name string) int {
		for _, s := range snap.Sources {
			if s.Name == name {
				return s.Calls
			}
		}
		return -1
	}
	before := n.until("the first readings", func(s *sale.Snapshot) bool { return points(s) > 5 && calls(s, "cluster") > 0 })

	n.write(strings.Replace(n.text, "opens:", "opnes:", 1))
	n.until("the mistake on the screen", func(*sale.Snapshot) bool { return n.loud() != "" })
	if why := n.loud(); !strings.Contains(why, "CONFIG NOT TAKEN") || !strings.Contains(why, ": onsale.yaml:") {
		t.Errorf("the screen says %q", why)
	}
	if got := n.cockpit.store.Snapshot(); len(got.Sales) != len(before.Sales) || points(got) < points(before) {
		t.Error("a file with a mistake has changed what is known")
	}

	// A sale goes, a threshold moves, a source is read at another pace; the rest is as it was.
	changed := dropSale(t, n.text, "cobalt")
	changed = strings.Replace(changed, "kind: prometheus, url:", "kind: prometheus, every: 1s, url:", 1)
	changed = strings.Replace(changed, ", every: 2s}", "}", 1)
	n.write(changed)
	after := n.until("the sale to go", func(s *sale.Snapshot) bool { return s.Sale("cobalt") == nil })
	if n.loud() != "" {
		t.Errorf("the screen still says %q", n.loud())
	}
	if points(after) < points(before) {
		t.Errorf("lantern had %d points and has %d", points(before), points(after))
	}
	if c := calls(after, "cluster"); c < calls(before, "cluster") {
		t.Errorf("the calls of a source that stays fell from %d to %d", calls(before, "cluster"), c)
	}
	if h := n.desk.hands(n.live.config.Load(), n.cockpit.store, n.program.actor(n.live.config.Load(), "local")); len(h.Offers(t.Context(), "cobalt")) != 0 {
		t.Error("something can still be done on a sale that is gone")
	}

	n.write(n.text)
	n.until("the sale to come again and to be read", func(s *sale.Snapshot) bool {
		st := s.Sale("cobalt")
		return st != nil && slices.ContainsFunc(st.Signals, func(k sale.Known) bool { return k.Has && k.Spec.Constant == nil })
	})
	if d := n.cockpit.store.Snapshot().Sale("lantern").Sale.Digit; d != before.Sale("lantern").Sale.Digit {
		t.Errorf("lantern's digit is %d and was %d", d, before.Sale("lantern").Sale.Digit)
	}
}

// dropSale cuts one sale out of a config's text.
func dropSale(t *testing.T, text, id string) string {
	t.Helper()
	start := strings.Index(text, "  - id: "+id)
	if start < 0 {
		start = strings.Index(text, `  - id: "`+id)
	}
	if start < 0 {
		t.Fatalf("no sale %s in the config", id)
	}
	if next := strings.Index(text[start+5:], "\n  - id: "); next >= 0 {
		return text[:start] + text[start+5+next+1:]
	}
	return text[:start]
}

func TestAnotherEnvironmentIsAnotherCockpit(t *testing.T) {
	was := &config.Config{Path: "onsale.yaml", Environment: "staging", Account: "111122223333"}
	for _, now := range []config.Config{{Path: "onsale.yaml", Environment: "production", Account: "111122223333"}, {Path: "onsale.yaml", Environment: "staging"}} {
		if err := replaceable(was, &now); err == nil || !strings.Contains(err.Error(), "start it again") {
			t.Errorf("%s %s: %v", now.Environment, now.Account, err)
		}
	}
}

func TestASaleKeepsItsDigitAndANewOneTakesAFreeOne(t *testing.T) {
	at := time.Date(2026, 12, 1, 10, 0, 0, 0, time.UTC)
	one := func(id sale.ID, digit int, hours int) config.Sale {
		return config.Sale{Sale: sale.Sale{ID: id, Digit: digit, Opens: at.Add(time.Duration(hours) * time.Hour)}}
	}
	was := &config.Config{Sales: []config.Sale{one("arena", 1, 0), one("bay", 2, 1), one("cove", 3, 2)}}
	now := &config.Config{Sales: []config.Sale{one("early", 1, -2), one("dawn", 2, -3), one("arena", 3, 0), one("cove", 4, 2)}}
	keepDigits(was, now)
	got := map[sale.ID]int{}
	for _, s := range now.Sales {
		got[s.ID] = s.Digit
	}
	if got["arena"] != 1 || got["cove"] != 3 || got["dawn"] != 2 || got["early"] != 4 {
		t.Errorf("the digits are %v", got)
	}
}

func TestARotatedPasswordKeepsThePastAndAnotherServerDoesNot(t *testing.T) {
	prom := func(url string, every time.Duration, query string) *config.Config {
		return &config.Config{
			Sources: []config.Source{{Name: "metrics", Kind: config.KindPrometheus, Every: every, Prometheus: &config.PrometheusSource{URL: url}}},
			Sales: []config.Sale{{Sale: sale.Sale{ID: "arena"}, Reads: []config.Read{
				{Signal: sale.Waiting, Source: "metrics", Prometheus: &config.PrometheusRead{Query: query}},
			}}},
		}
	}
	key := sale.Key{Sale: "arena", Signal: sale.Waiting}
	was := prom("http://a", 5*time.Second, "queue")
	login := prom("http://a", 5*time.Second, "queue")
	login.Sources[0].Prometheus.Basic = &config.BasicAuth{Username: "reader"}
	for _, c := range []struct {
		name           string
		now            *config.Config
		reader, signal bool
	}{
		{"the same", prom("http://a", 5*time.Second, "queue"), true, true},
		{"another pace", prom("http://a", 9*time.Second, "queue"), false, true},
		{"another login", login, false, true},
		{"another query", prom("http://a", 5*time.Second, "queue_b"), false, false},
		{"another server", prom("http://b", 5*time.Second, "queue"), false, false},
	} {
		same := continuity{was, c.now}
		if same.reader("metrics") != c.reader || same.signal(key) != c.signal {
			t.Errorf("%s: the reader stays %v, the past stays %v", c.name, same.reader("metrics"), same.signal(key))
		}
	}
}

func TestAFileThatANewConfigNamesIsLookedAtFromItsFirstReadingOn(t *testing.T) {
	dir := t.TempDir()
	put := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	files := &opened{}
	env := files.watching(config.SystemEnvironment())
	read := func(path string) {
		f, err := env.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		_ = f.Close()
	}
	first := put("first", "a")
	read(first)
	put("first", "ab") // between the reading and the first look
	if sameMarks(files.first(), files.look()) {
		t.Error("a change before the first look is not seen")
	}
	taken := files.look()
	secret := put("secret", "s")
	read(secret)
	files.takeIn(taken)
	put("secret", "another")
	if sameMarks(taken, files.look()) {
		t.Error("a change of a file that was named later is not seen")
	}
}
