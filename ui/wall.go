package ui

import (
	"fmt"
	"log/slog"
	"time"

	"github.com/onsale-dev/onsale/sale"
	"github.com/onsale-dev/onsale/views"
)

const (
	wallIntent      Intent = "wall"
	leaveWallIntent Intent = "leave-wall"
)

// noHands is why nothing can be done from the wall.
const noHands = "the wall has no hands: leave it first"

func wallRows() []row {
	return []row{
		{
			Binding: Binding{Intent: wallIntent, Keys: []string{"w"}, Scopes: []Scope{ScreensScope}, Label: "wall", Group: "screens", Help: "the war room's screen, legible from far off; no key acts there, esc or q comes back"},
			footer:  true, off: (*model).offWall, run: func(m *model, _ press) { m.openWall() },
		},
		{
			Binding: Binding{Intent: leaveWallIntent, Keys: []string{"q", "esc", "w"}, Scopes: []Scope{WallScope}, Label: "leave", Group: "screens", Help: "leave the wall: back to the screen before, or to the shell from onsale wall", Fixed: true},
			hidden:  true, run: func(m *model, _ press) { m.leaveWall() },
		},
	}
}

func firstScreen(o Options) views.Screen {
	if o.Wall {
		return views.WallScreen
	}
	return views.OverviewScreen
}

// onWall reports whether this session shows the wall now. It then has no hands: no key reaches an
// action, no panel opens, and a new figure waits for the next second.
func (m *model) onWall() bool { return m.screen == views.WallScreen }

// offWall keeps the wall from hiding an action that is not settled.
func (m *model) offWall() string { return m.offQuit() }

func (m *model) openWall() { m.goTo(views.WallScreen) }

func (m *model) leaveWall() {
	if m.opts.Wall {
		m.quit()
		return
	}
	m.back()
}

// wallLogGap is how often the log hears that the picture of the wall fails.
const wallLogGap = time.Minute

// contained is content, but for the wall: nobody sits there to start it again, so a mistake in
// drawing costs the picture of one second, says so in its place, and is tried again at the next.
func (m *model) contained() (picture string) {
	if !m.onWall() {
		return m.content()
	}
	defer func() {
		if r := recover(); r != nil {
			picture = m.withoutPicture(r)
		}
	}()
	return m.content()
}

func (m *model) withoutPicture(value any) (picture string) {
	why := sale.Clean(fmt.Sprint(value), 200)
	if m.opts.Logs != nil && m.now.Sub(m.wallFailed) >= wallLogGap {
		m.wallFailed = m.now
		slog.New(m.opts.Logs).Error("the wall's picture failed", "why", why)
	}
	defer func() {
		if recover() != nil {
			picture = m.now.Format(time.TimeOnly) + " NO PICTURE"
		}
	}()
	return m.paint.WallBroken(views.Frame{Now: m.now, Width: m.width, Height: m.height, Theme: m.theme.current}, why)
}
