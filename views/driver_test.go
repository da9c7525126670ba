package views

import (
	"strings"
	"testing"
)

func TestWhoDrivesStandsOnEveryScreenHoweverNarrow(t *testing.T) {
	r := NewRenderer()
	for name, draw := range map[string]func(Frame) string{"overview": r.Overview, "sale": r.Sale, "sources": r.Sources, "alarms": r.Alarms, "wall": r.Wall} {
		for _, size := range [][2]int{{80, 24}, {120, 36}, {200, 50}} {
			f := worldFrame(size[0], size[1], NewTheme(themes()["mono"]))
			if strings.Contains(draw(f), "driver") {
				t.Errorf("%s %v names a driver where nobody else sits", name, size)
			}
			f.Header.Driver = "ivana"
			if screen := draw(f); !strings.Contains(screen, "driver ivana") {
				t.Errorf("%s %v: who drives is not there:\n%s", name, size, screen)
			}
		}
	}
}
