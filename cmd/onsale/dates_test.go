package main

import (
	"fmt"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/onsale-dev/onsale/config"
	"github.com/onsale-dev/onsale/sale"
)

func TestACalendarIsFetchedByItsOwnPollAndWhatItMovesIsSaidOnTheSale(t *testing.T) {
	t.Parallel()
	n := startLive(t)
	opens := n.until("the first reading", func(s *sale.Snapshot) bool {
		return s.Sale("lantern").Verdict != sale.Unknown
	}).Sale("lantern").Sale.Opens
	var asked atomic.Int32
	var others atomic.Value // the calendar's other events
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		at := opens
		if asked.Add(1) > 1 { // it is moved after the config was read and before the first poll
			at = opens.Add(time.Minute)
		}
		_, _ = fmt.Fprintf(w, "%sBEGIN:VEVENT\r\nUID:lantern@tickets\r\nSUMMARY:The Lantern\r\nDTSTART:%s\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n", others.Load(), at.UTC().Format("20060102T150405Z"))
	}))
	t.Cleanup(server.Close)

	section := regexp.MustCompile(`(?m)^calendar: \{file: "([^"]+)"\}.*$`)
	theirs := section.FindStringSubmatch(n.text)
	if theirs == nil {
		t.Fatal("the demo has no calendar any more")
	}
	dated, err := os.ReadFile(theirs[1])
	if err != nil {
		t.Fatal(err)
	}
	others.Store(strings.TrimSuffix(string(dated), "END:VCALENDAR\r\n"))
	n.text = section.ReplaceAllLiteralString(n.text, "calendar: {url: \""+server.URL+"/private-4711.ics\"}")
	start := strings.Index(n.text, `- id: "lantern"`)
	if start < 0 {
		start = strings.Index(n.text, "- id: lantern")
	}
	own := regexp.MustCompile(`\n    opens: .*`).FindStringIndex(n.text[start:])
	n.write(n.text[:start+own[0]] + n.text[start+own[1]:])

	snap := n.until("the sale to be moved", func(s *sale.Snapshot) bool {
		st := s.Sale("lantern")
		return st != nil && st.Sale.Opens.Equal(opens.Add(time.Minute).Truncate(time.Second))
	})
	said := false
	for _, r := range snap.Sale("lantern").Reasons {
		said = said || r.Source == "calendar" && r.Verdict == sale.Watch && strings.Contains(r.Text, "the calendar moved the opening from")
	}
	if !said || n.loud() != "" {
		t.Errorf("the reasons are %+v; the screen says %q", snap.Sale("lantern").Reasons, n.loud())
	}
	for _, s := range snap.Sources {
		if s.Name == "calendar" && (s.Kind != "calendar" || s.LastOK.IsZero() || s.Calls == 0) {
			t.Errorf("the source is %+v", s)
		}
	}
	for _, line := range n.said() {
		if strings.Contains(line, "private-4711") {
			t.Errorf("the private address is in the log: %q", line)
		}
	}
}

func TestACalendarThatIsDownIsReadFromTheCopyOfTheLastRun(t *testing.T) {
	t.Parallel()
	const text = "BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n"
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = fmt.Fprint(w, text) }))
	s := &config.Source{Name: "calendar", Kind: config.KindCalendar, Timeout: 5 * time.Second, Calendar: &config.CalendarSource{URL: config.NewSecret(server.URL + "/private-4711.ics")}}
	home := t.TempDir()
	run := func() *program {
		return &program{lookup: func(name string) (string, bool) { return home, name == "HOME" }}
	}
	if got, err := run().calendarText(s); err != nil || string(got) != text {
		t.Fatalf("%q %v", got, err)
	}
	server.Close()
	got, err := run().calendarText(s)
	if err == nil || string(got) != text || !strings.Contains(err.Error(), "the copy of 2") || strings.Contains(err.Error(), "private-4711") {
		t.Errorf("%q %v", got, err)
	}
	offline := run()
	offline.offline = true
	if got, _ := offline.calendarText(s); string(got) != text {
		t.Errorf("a completion has %q", got)
	}
	home = t.TempDir()
	if got, err := run().calendarText(s); err == nil || got != nil {
		t.Errorf("without a copy: %q %v", got, err)
	}
	_ = filepath.WalkDir(home, func(path string, _ fs.DirEntry, _ error) error {
		if strings.Contains(path, "private") {
			t.Errorf("the address is in %s", path)
		}
		return nil
	})
}
