package views

import (
	"testing"
	"time"
)

// BenchmarkScreens draws each screen at 200x50. "again" is a second frame within the same
// second, which finds its panes drawn; "tick" is the frame of the next second.
func BenchmarkScreens(b *testing.B) {
	theme := NewTheme(Options{Dark: true})
	for _, name := range []string{"overview", "sale", "sources", "logs", "help"} {
		f := worldFrame(200, 50, theme)
		b.Run(name+"/again", func(b *testing.B) {
			b.ReportAllocs()
			draw := screens(NewRenderer())[name]
			for b.Loop() {
				draw(f)
			}
			b.ReportMetric(float64(len(draw(f))), "bytes/frame")
		})
		b.Run(name+"/tick", func(b *testing.B) {
			b.ReportAllocs()
			draw := screens(NewRenderer())[name]
			for b.Loop() {
				f.Now = f.Now.Add(time.Second)
				f.Snapshot.At = f.Now
				draw(f)
			}
		})
	}
}

func BenchmarkOverviewOverSSH(b *testing.B) {
	f := worldFrame(80, 24, NewTheme(Options{Dark: true, Profile: Color256}))
	r := NewRenderer()
	b.ReportAllocs()
	for b.Loop() {
		f.Now = f.Now.Add(time.Second)
		r.Overview(f)
	}
}
