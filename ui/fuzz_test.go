package ui

import (
	"image/color"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/onsale-dev/onsale/sale"
	"github.com/onsale-dev/onsale/views"
)

// FuzzUpdate plays random messages into a model that draws with the real screens: it must
// never panic and never draw a frame of another size.
func FuzzUpdate(f *testing.F) {
	f.Add([]byte("jjkl:gate\r/abc\r?\x1b"), uint8(6))
	f.Add([]byte{0, 1, 2, 3, 250, 251, 252, 253, 254, 255, 128, 129, 130}, uint8(0))
	f.Add([]byte("1zz\t]]]]]]]o"), uint8(30))
	f.Fuzz(func(t *testing.T, story []byte, n uint8) {
		if len(story) > 200 {
			story = story[:200]
		}
		feed := newFeed(world(int(n%40), time.Now(), map[sale.ID]sale.Verdict{"orbit": sale.Bad}))
		opts := Options{Feed: feed, Env: []string{"TERM=xterm"}, Mouse: true, MaxFPS: 30, Logs: NewLogRing(10, nil, nil)}
		o, keys, err := opts.withDefaults()
		if err != nil {
			t.Fatal(err)
		}
		m := newModel(o, keys, o.Guard)
		for i, b := range story {
			m.Update(randomMsg(feed, b, i, int(n)))
			m.draw = true
			m.View()
			if err := m.guard.Err(); err != nil {
				t.Fatalf("%v\n%s", err, m.guard.err.Stack)
			}
		}
	})
}

func randomMsg(feed *fakeFeed, b byte, i, n int) tea.Msg {
	names := []string{"enter", "esc", "tab", "shift+tab", "up", "down", "left", "right", "pgup", "pgdown", "home", "end", "backspace", "ctrl+u", "ctrl+w", "ctrl+l"}
	switch {
	case b < 16:
		return keyPress(names[b])
	case b >= 32 && b < 127:
		return keyPress(string(rune(b)))
	case b < 150:
		return tea.WindowSizeMsg{Width: int(b) * i % 260, Height: int(b) * (i + 3) % 90}
	case b < 170:
		return tea.MouseClickMsg{X: int(b) * i % 300, Y: i, Button: tea.MouseLeft}
	case b < 190:
		return tea.MouseWheelMsg{Button: []tea.MouseButton{tea.MouseWheelDown, tea.MouseWheelUp}[b%2]}
	case b < 200:
		return tea.PasteMsg{Content: "\x1b]0;x\x07\n" + string([]byte{b, 0xff, b})}
	case b < 215:
		feed.set(world((n+int(b))%20, time.Now(), map[sale.ID]sale.Verdict{"comet": sale.Unknown}))
		return lookMsg{}
	case b < 225:
		return tea.BackgroundColorMsg{Color: color.Gray{Y: b * 7}}
	case b < 235:
		lines := make([]views.LogLine, int(b)-225)
		return logMsg{lines}
	}
	return clockMsg{}
}
