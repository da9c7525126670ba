package views

import (
	"flag"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the golden files anew")

// screens draws every screen of the test world by name.
func screens(r *Renderer) map[string]func(Frame) string {
	logs := []LogLine{
		{worldNow, "warn", "slow terminal: a write took 1.2 s"},
		{worldNow.Add(-6e9), "error", "source metrics-st: dial tcp 10.20.3.9:9090: connection refused"},
		{worldNow.Add(-60e9), "info", "reading 6 sources for 6 sales"},
		{worldNow.Add(-61e9), "debug", "config onsale.yaml read in 4 ms"},
	}
	entries := []PaletteEntry{
		{Title: "open Harbour Hall · The Tin Lanterns", Keys: "3", Help: "open lanterns, BAD"},
		{Title: "copy the cause", Keys: "y", Off: "this terminal takes no copies"},
	}
	return map[string]func(Frame) string{
		"overview": r.Overview,
		"sale":     r.Sale,
		"dark-sale": func(f Frame) string {
			f.Focus = "volt"
			return r.Sale(f)
		},
		"zoom": func(f Frame) string {
			f.Zoomed, f.Panel = true, 5
			return r.Sale(f)
		},
		"sources": func(f Frame) string {
			f.Cursor = 1
			return r.Sources(f)
		},
		"logs": func(f Frame) string {
			f.Cursor = 1
			return r.Logs(f, logs)
		},
		"help": func(f Frame) string { return r.Help(f, worldKeys()) },
		"filter": func(f Frame) string {
			f.Header.Filter, f.Order = "pier", f.Order[2:3]
			return r.Overview(f)
		},
		"palette": func(f Frame) string { return r.Over(r.Overview(f), r.Palette(f, "op", entries, 0), f) },
	}
}

func themes() map[string]Options {
	return map[string]Options{
		"dark":     {Dark: true, Profile: TrueColor},
		"light":    {Profile: TrueColor},
		"dark256":  {Dark: true, Profile: Color256},
		"light256": {Profile: Color256},
		"dark16":   {Dark: true, Profile: Color16},
		"light16":  {Profile: Color16},
		"mono":     {Dark: true, Profile: Mono},
		"ascii":    {Dark: true, Profile: Mono, ASCII: true},
	}
}

func sizes() [][2]int {
	return [][2]int{{80, 24}, {120, 36}, {200, 50}, {160, 45}, {100, 30}, {60, 15}}
}

func TestScreensLookAsTheyDid(t *testing.T) {
	r := NewRenderer()
	for name, draw := range screens(r) {
		for _, size := range sizes() {
			compareGolden(t, name, size, "mono", draw)
		}
	}
	for theme := range themes() {
		for _, size := range sizes()[:3] {
			compareGolden(t, "overview", size, theme, screens(r)["overview"])
		}
		compareGolden(t, "sale", [2]int{120, 36}, theme, screens(r)["sale"])
		compareGolden(t, "sources", [2]int{80, 24}, theme, screens(r)["sources"])
	}
}

func compareGolden(t *testing.T, name string, size [2]int, theme string, draw func(Frame) string) {
	t.Helper()
	file := filepath.Join("testdata", name+"-"+strconv.Itoa(size[0])+"x"+strconv.Itoa(size[1])+"-"+theme+".golden")
	t.Run(file, func(t *testing.T) {
		got := draw(worldFrame(size[0], size[1], NewTheme(themes()[theme])))
		checkSize(t, got, size[0], size[1])
		if *update {
			if err := os.MkdirAll("testdata", 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(file, []byte(got+"\n"), 0o644); err != nil {
				t.Fatal(err)
			}
			return
		}
		want, err := os.ReadFile(file)
		if err != nil {
			t.Fatalf("%v; go test ./views -run TestScreensLookAsTheyDid -update writes it", err)
		}
		if got+"\n" == string(want) {
			return
		}
		wantLines := strings.Split(string(want), "\n")
		for i, line := range strings.Split(got, "\n") {
			if i >= len(wantLines) || line != wantLines[i] {
				t.Fatalf("line %d is\n%s\nand was\n%s", i+1, line, wantLines[min(i, len(wantLines)-1)])
			}
		}
	})
}
