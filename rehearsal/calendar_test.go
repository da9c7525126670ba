package rehearsal

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/onsale-dev/onsale/config"
)

func TestTheCalendarDatesASaleAsTheWorldHasIt(t *testing.T) {
	f := open(t, Options{Seed: 1, Dir: filepath.Join(t.TempDir(), `a "folder" with čudno ime`)})
	cfg, err := config.Load(f.ConfigPath(), config.Environment{
		Lookup: os.LookupEnv, Open: func(path string) (fs.File, error) { return os.Open(path) }, Now: f.clock.now,
	})
	if err != nil {
		t.Fatal(err)
	}
	if cfg.Calendar == nil || cfg.Calendar.Path != filepath.Join(f.Dir(), calendarFile) || len(cfg.Sales) != 6 || len(cfg.Warnings) > 0 {
		t.Fatalf("the calendar is %+v, of %d sales, with warnings %v", cfg.Calendar, len(cfg.Sales), cfg.Warnings)
	}
	for i, d := range f.world.Sales() { // in the file's order
		s := cfg.Sales[i]
		if string(s.ID) != d.ID || s.Name != d.Name || s.Venue != d.Venue || !s.Opens.Equal(d.Opens) || len(s.Notices) > 0 {
			t.Errorf("%s reads as %s, %s, %s at %s, with notices %v; it is %s, %s at %s", d.ID, s.ID, s.Name, s.Venue, s.Opens, s.Notices, d.Name, d.Venue, d.Opens)
		}
	}
	text, err := os.ReadFile(filepath.Join(f.Dir(), calendarFile))
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range bytes.SplitAfter(text, []byte("\n")) {
		if len(line) > 0 && !bytes.HasSuffix(line, []byte("\r\n")) || len(line) > 77 {
			t.Errorf("%q is no line of a calendar", line)
		}
	}
}
