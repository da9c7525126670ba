package ui

import (
	"context"
	"errors"
	"io"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/onsale-dev/onsale/sale"
)

// farSeat is a session over a line in virtual time.
type farSeat struct {
	keys  *io.PipeWriter
	out   *syncBuffer
	sizes chan Size
	ended chan error
	stop  context.CancelFunc
	guard *Guard
}

// stuck is a terminal that takes so many writes and then no more, until it is freed.
type stuck struct {
	io.Writer
	left atomic.Int64
	free chan struct{}
}

func (s *stuck) Write(p []byte) (int, error) {
	if s.left.Add(-1) < 0 {
		<-s.free
		return 0, io.ErrClosedPipe
	}
	return s.Writer.Write(p)
}

func sitFar(t *testing.T, change func(*Options, *Line)) *farSeat {
	t.Helper()
	f := &farSeat{out: &syncBuffer{}, sizes: make(chan Size, 1), ended: make(chan error, 1), guard: NewGuard()}
	in, keys := io.Pipe()
	f.keys = keys
	o := Options{Feed: newFeed(world(3, time.Now(), nil)), Guard: f.guard, Env: []string{"TERM=xterm-256color"}, Theme: ThemeDark, Zone: time.UTC}
	l := Line{In: in, Out: f.out, Size: Size{100, 30}, Sizes: f.sizes}
	if change != nil {
		change(&o, &l)
	}
	ctx, stop := context.WithCancel(context.Background())
	f.stop = stop
	go func() {
		f.ended <- RunRemote(ctx, o, l)
		_ = in.CloseWithError(io.EOF) // the owner closes the line
	}()
	return f
}

func TestAnIdleSessionEndsThoughTheScreenIsRepaintedAllTheTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := sitFar(t, func(_ *Options, l *Line) { l.Idle = 2 * time.Minute })
		time.Sleep(80 * time.Second)
		if strings.Contains(f.out.String(), "ANY KEY") {
			t.Error("the end is spoken of long before it")
		}
		time.Sleep(30 * time.Second)
		if !strings.Contains(f.out.String(), "THIS SESSION ENDS IN") || !strings.Contains(f.out.String(), "ANY KEY KEEPS IT") {
			t.Error("nobody was told that the session is about to end")
		}
		if _, err := f.keys.Write([]byte("j")); err != nil {
			t.Fatal(err)
		}
		time.Sleep(110 * time.Second)
		select {
		case err := <-f.ended:
			t.Fatalf("ended within two minutes of a key: %v", err)
		default:
		}
		began := time.Now()
		if err := <-f.ended; !errors.Is(err, ErrIdle) {
			t.Errorf("ended with %v", err)
		}
		if waited := time.Since(began); waited > 12*time.Second {
			t.Errorf("ended %s later than it should", waited-10*time.Second)
		}
		if !strings.HasSuffix(f.out.String(), popTitle) {
			t.Error("the terminal is not as it was found")
		}
		f.guard.Wait()
	})
}

func TestAWallIsNeverIdle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := sitFar(t, func(o *Options, l *Line) { o.Wall, l.Idle = true, time.Minute })
		time.Sleep(3 * time.Minute)
		select {
		case err := <-f.ended:
			t.Fatal(err)
		default:
		}
		f.stop()
		<-f.ended
		f.guard.Wait()
	})
}

// In real time: what waits for the renderer's lock does not wait in the sense of a bubble.
func TestATerminalThatTakesNothingEndsItsSessionAndNothingElse(t *testing.T) {
	s := &stuck{Writer: io.Discard, free: make(chan struct{})}
	s.left.Store(3)
	feed := newFeed(world(3, time.Now(), nil))
	f := sitFar(t, func(o *Options, l *Line) { l.Out, o.Feed, l.Stalled = s, feed, 200*time.Millisecond })
	verdicts := []sale.Verdict{sale.Bad, sale.OK}
	for i := 0; ; i++ { // whoever feeds is never held up
		feed.set(world(3, time.Now(), map[sale.ID]sale.Verdict{"sale-1": verdicts[i%2]}))
		select {
		case err := <-f.ended:
			if !errors.Is(err, ErrStalled) {
				t.Errorf("ended with %v", err)
			}
			close(s.free) // its owner closes the line
			f.guard.Wait()
			return
		case <-time.After(5 * time.Millisecond):
		}
	}
}

func TestALineThatIsClosedEndsItsSession(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := sitFar(t, nil)
		time.Sleep(2 * time.Second)
		_ = f.keys.Close()
		if err := <-f.ended; !errors.Is(err, ErrTerminalLost) {
			t.Errorf("ended with %v", err)
		}
		f.guard.Wait()
	})
}

func TestASizeOverTheLineIsDrawnAndAStormOfThemIsOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := sitFar(t, nil)
		time.Sleep(time.Second)
		drawn := len(f.out.String())
		for i := range 2000 {
			select {
			case <-f.sizes:
			default:
			}
			f.sizes <- Size{60 + i%60, 20 + i%20}
		}
		f.sizes <- Size{500_000, 65535}
		time.Sleep(3 * time.Second)
		if grown := len(f.out.String()) - drawn; grown > 1<<20 {
			t.Errorf("a storm of sizes cost %d bytes", grown)
		}
		f.stop()
		<-f.ended
		f.guard.Wait()
	})
}

func TestOverALineCtrlZStopsNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := sitFar(t, nil)
		time.Sleep(time.Second)
		for range 3 {
			_, _ = f.keys.Write([]byte{26})
			time.Sleep(time.Second)
		}
		_, _ = f.keys.Write([]byte("q"))
		if err := <-f.ended; err != nil {
			t.Errorf("ended with %v", err)
		}
		f.guard.Wait()
	})
}

func TestOverALineAScreenReaderGetsLinesToo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := sitFar(t, func(o *Options, _ *Line) { o.Env = append(o.Env, "ACCESSIBLE=1") })
		time.Sleep(2 * time.Second)
		if strings.Contains(f.out.String(), "\x1b") || !strings.Contains(f.out.String(), "OK harbour Velvet Harbour") || strings.Contains(strings.ReplaceAll(f.out.String(), "\r\n", ""), "\n") {
			t.Errorf("it wrote %q", f.out.String())
		}
		_, _ = f.keys.Write([]byte{3})
		if err := <-f.ended; err != nil {
			t.Errorf("ctrl+c: %v", err)
		}
		f.guard.Wait()
	})
}
