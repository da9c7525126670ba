package sshd

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"
)

func TestOneConnectionHasFourSessionsHoweverManyItAsksFor(t *testing.T) {
	d := open(t)
	c := d.enter(d.ivana)
	opened, short := 0, 0
	for range 200 {
		_, err := c.NewSession()
		var no *ssh.OpenChannelError
		switch {
		case err == nil:
			opened++
		case errors.As(err, &no) && no.Reason == ssh.ResourceShortage:
			short++
		default:
			t.Fatal(err)
		}
	}
	if opened != mostSessions || short != 200-mostSessions {
		t.Errorf("%d opened, %d refused for want of room", opened, short)
	}
}

func TestTheClientsEnvironmentSaysHowItsTerminalShowsTextAndNothingElse(t *testing.T) {
	d := open(t)
	s, err := d.enter(d.ivana).NewSession()
	if err != nil {
		t.Fatal(err)
	}
	for name, taken := range map[string]bool{
		"LANG": true, "LC_ALL": true, "COLORTERM": true, "NO_COLOR": true,
		"LD_PRELOAD": false, "PATH": false, "TERM": false, "ONSALE_CONFIG": false, "TEA_TRACE": false, "HOME": false, "SSH_CONNECTION": false,
	} {
		if err := s.Setenv(name, "hr_HR.UTF-8"); (err == nil) != taken {
			t.Errorf("%s: %v, want taken: %v", name, err, taken)
		}
	}
	for _, value := range []string{"\x1b[2J", "a\nb", strings.Repeat("x", 300), "\u202e"} {
		if s.Setenv("LANG", value) == nil {
			t.Errorf("LANG=%q was taken", value)
		}
	}
}

func TestWhoAsksForTooMuchIsShownOut(t *testing.T) {
	d := open(t)
	c := d.enter(d.ivana)
	s, err := c.NewSession()
	if err != nil {
		t.Fatal(err)
	}
	for i := range 5000 {
		if _, err := s.SendRequest("env", true, ssh.Marshal(struct{ Name, Value string }{"LANG", fmt.Sprint(i)})); err != nil {
			break
		}
	}
	_ = c.Wait()
	until(t, "it is gone", func() bool { return d.Counts().Connections == 0 })
	d.shows(d.sit(d.enter(d.ivana)), "hello ivana")
}

func TestACommandRunsWithItsExitCodeAndATerminalNeverTurnsItIntoAScreen(t *testing.T) {
	d := open(t)
	c := d.enter(d.marko)
	run := func(command string, terminal bool) (out string, code int) {
		t.Helper()
		s, err := c.NewSession()
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = s.Close() }()
		var b bytes.Buffer
		s.Stdout = &b
		if terminal {
			if err := s.RequestPty("xterm", 24, 80, ssh.TerminalModes{}); err != nil {
				t.Fatal(err)
			}
		}
		err = s.Run(command)
		var exit *ssh.ExitError
		if errors.As(err, &exit) {
			code = exit.ExitStatus()
		} else if err != nil {
			code = -1
		}
		return b.String(), code
	}
	if out, code := run("check lantern --output json", false); out != "ran check lantern --output json\n" || code != 2 {
		t.Errorf("%q, exit %d", out, code)
	}
	if out, code := run("check lantern", true); out != "ran check lantern\r\n" || code != 2 {
		t.Errorf("with a terminal: %q, exit %d", out, code)
	}
	if _, code := run("sh -c id", true); code != 3 {
		t.Errorf("another command: exit %d", code)
	}
	for _, command := range []string{strings.Repeat("x", 100_000), "check\nlantern", "check \x1b[2J", "check \xff"} {
		if out, code := run(command, false); code != -1 || out != "" {
			t.Errorf("a command of %d bytes ran: %q, exit %d", len(command), out, code)
		}
	}
	if n := d.Counts(); n.Screens != 0 || n.Commands != 3 {
		t.Errorf("%d screens, %d commands", n.Screens, n.Commands)
	}
}

func TestThereIsNothingBehindTheDoorButTheCockpit(t *testing.T) {
	d := open(t)
	c := d.enter(d.ivana)
	if _, err := c.Dial("tcp", "127.0.0.1:22"); err == nil {
		t.Error("forwards a connection (-L, -D)")
	}
	if _, err := c.Listen("tcp", "127.0.0.1:0"); err == nil {
		t.Error("listens for a client (-R)")
	}
	if _, err := c.ListenUnix("/tmp/onsale-test.sock"); err == nil {
		t.Error("listens on a socket")
	}
	s, err := c.NewSession()
	if err != nil {
		t.Fatal(err)
	}
	if err := agent.RequestAgentForwarding(s); err == nil {
		t.Error("takes an agent (-A)")
	}
	if ok, _ := s.SendRequest("x11-req", true, nil); ok {
		t.Error("takes X11 (-X)")
	}
	for _, name := range []string{"sftp", "netconf", ""} {
		if s.RequestSubsystem(name) == nil {
			t.Errorf("has a subsystem %q", name)
		}
	}
	if out, err := s.CombinedOutput("check"); err == nil || string(out) != "ran check\n" {
		t.Errorf("after all that, check says %q, %v", out, err)
	}
}

func TestWithoutATerminalThereAreWordsInPlaceOfAScreen(t *testing.T) {
	d := open(t)
	s, err := d.enter(d.ivana).NewSession()
	if err != nil {
		t.Fatal(err)
	}
	var words bytes.Buffer
	s.Stderr = &words
	if err := s.Shell(); err != nil {
		t.Fatal(err)
	}
	var exit *ssh.ExitError
	if err := s.Wait(); !errors.As(err, &exit) || exit.ExitStatus() != 3 || !strings.Contains(words.String(), "ssh -t") {
		t.Errorf("%v, %q", err, words.String())
	}
}

func TestASizeIsAClaimAndOnlyTheNewestCounts(t *testing.T) {
	d := open(t)
	s, err := d.enter(d.ivana).NewSession()
	if err != nil {
		t.Fatal(err)
	}
	seen := &lines{}
	s.Stdout = seen
	if err := s.RequestPty("evil\x1b]0;x\a", 1<<31-1, 65535, ssh.TerminalModes{}); err != nil {
		t.Fatal(err)
	}
	if _, err := s.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	if err := s.Shell(); err != nil {
		t.Fatal(err)
	}
	for i := range 2000 {
		if err := s.WindowChange(i, i); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.WindowChange(1<<20, 90); err != nil {
		t.Fatal(err)
	}
	until(t, "the last size", func() bool { return strings.Contains(seen.String(), "now 90x200") })
	if !strings.Contains(seen.String(), "500x200 TERM=dumb") {
		t.Errorf("the first: %q", seen.String()[:60])
	}
}

func TestWhatAClientSaysOfItselfIsCleanInTheLog(t *testing.T) {
	d := open(t)
	c, err := ssh.Dial("tcp", d.addr, &ssh.ClientConfig{
		User: "root\x1b[2J\nlevel=ERROR", ClientVersion: "SSH-2.0-\u202eevil", Auth: []ssh.AuthMethod{ssh.PublicKeys(d.ivana)}, HostKeyCallback: ssh.FixedHostKey(d.host),
	})
	if err != nil {
		t.Skipf("the client library refuses to say it: %v", err)
	}
	defer func() { _ = c.Close() }()
	d.shows(d.sit(c), "hello ivana")
	if log := d.log.String(); strings.ContainsAny(log, "\x1b\u202e") || strings.Contains(log, `\x1b`) || strings.Contains(log, `\u202e`) {
		t.Errorf("the log: %q", log)
	}
}

func TestAKeyThatIsTakenOutOfTheConfigIsGoneFromOpenSessions(t *testing.T) {
	d := open(t)
	ivana, marko := d.sit(d.enter(d.ivana)), d.sit(d.enter(d.marko))
	d.shows(ivana, "hello")
	d.shows(marko, "hello")
	d.register.Set([]Entry{entry("marko", "viewer", d.marko)}, nil)
	d.shows(ivana, ErrRemoved.Error())
	var exit *ssh.ExitError
	if err := ivana.Wait(); !errors.As(err, &exit) || exit.ExitStatus() == 0 {
		t.Errorf("ended with %v", err)
	}
	if c, err := d.dial(ssh.PublicKeys(d.ivana)); err == nil {
		_ = c.Close()
		t.Error("let in again")
	}
	_, _ = marko.keys.Write([]byte("q"))
	if err := marko.Wait(); err != nil {
		t.Errorf("the other session: %v", err)
	}
}

func TestARoleThatChangesIsAnotherInTheOpenSession(t *testing.T) {
	roles := make(chan string)
	d := open(t, func(o *Options) {
		o.Screen = func(ctx context.Context, v *Visit) error {
			for {
				p, err := v.Person()
				if err != nil {
					return err
				}
				select {
				case roles <- p.Role:
				case <-ctx.Done():
					return nil
				}
			}
		}
	})
	d.sit(d.enter(d.ivana))
	if got := <-roles; got != "operator" {
		t.Errorf("at first %s", got)
	}
	d.register.Set([]Entry{entry("ivana", "viewer", d.ivana)}, nil)
	<-roles // it was looked up before
	if got := <-roles; got != "viewer" {
		t.Errorf("then %s", got)
	}
}

func TestASessionLastsNoLongerThanOneMay(t *testing.T) {
	d := open(t)
	s := d.sit(d.enter(d.ivana))
	d.shows(s, "hello")
	d.lookAround(time.Now().Add(13 * time.Hour))
	d.shows(s, ErrLongest.Error())
}

func TestAConnectionThatAsksForNothingIsClosed(t *testing.T) {
	d := open(t)
	c := d.enter(d.ivana)
	until(t, "it is in", func() bool { return d.Counts().Connections == 1 })
	d.lookAround(time.Now().Add(5 * time.Minute))
	_ = c.Wait()
	until(t, "its place is free", func() bool { return d.Counts().Connections == 0 })
}

func TestAPanicInOneSessionIsNobodyElses(t *testing.T) {
	d := open(t, func(o *Options) {
		o.Screen = func(ctx context.Context, v *Visit) error {
			if p, _ := v.Person(); p.Name == "marko" {
				panic("of the test")
			}
			return screen(ctx, v)
		}
		o.Exec = func(context.Context, *Visit, string, io.Writer, io.Writer) int { panic("of the test") }
	})
	ivana := d.sit(d.enter(d.ivana))
	d.shows(ivana, "hello ivana")
	marko := d.enter(d.marko)
	s := d.sit(marko)
	d.shows(s, "internal error")
	if err := s.Wait(); err == nil {
		t.Error("it ended well")
	}
	c, _ := marko.NewSession()
	if err := c.Run("check"); err == nil {
		t.Error("the command ended well")
	}
	if err := ivana.WindowChange(30, 100); err != nil {
		t.Fatal(err)
	}
	d.shows(ivana, "now 100x30")
	if n := d.Counts().Panics; n != 2 {
		t.Errorf("%d panics counted", n)
	}
}

func TestASignalOfTheClientEndsItsSession(t *testing.T) {
	d := open(t)
	s := d.sit(d.enter(d.ivana))
	d.shows(s, "hello")
	_ = s.Signal(ssh.SIGUSR1)
	if err := s.WindowChange(30, 100); err != nil {
		t.Fatal(err)
	}
	d.shows(s, "now 100x30")
	_ = s.Signal(ssh.SIGTERM)
	d.shows(s, "ended by a signal")
}

func TestAServerThatStopsSaysGoodByeToEverybody(t *testing.T) {
	d := open(t)
	ivana, marko := d.sit(d.enter(d.ivana)), d.sit(d.enter(d.marko))
	d.shows(ivana, "hello")
	d.shows(marko, "hello")
	d.stop()
	d.shows(ivana, ErrStopping.Error())
	d.shows(marko, ErrStopping.Error())
	err := <-d.served
	d.served <- err
	if err != nil {
		t.Error(err)
	}
	if n := d.Counts(); n.Connections != 0 {
		t.Errorf("%d connections are left", n.Connections)
	}
}

// It comes and goes 500 times, or for as long as ONSALE_SOAK says: ONSALE_SOAK=1h go test -timeout 2h.
func TestComingAndGoingLeavesNothingBehind(t *testing.T) {
	d := open(t)
	c := d.enter(d.ivana)
	d.shows(d.sit(c), "hello")
	var end time.Time
	if soak := os.Getenv("ONSALE_SOAK"); soak != "" {
		lasts, err := time.ParseDuration(soak)
		if err != nil {
			t.Fatal(err)
		}
		end = time.Now().Add(lasts)
	}
	visits := 0
	comeAndGo := func(n int) {
		for range n {
			key := d.ivana
			if visits++; visits%2 == 0 {
				key = d.marko
			}
			other, err := d.dial(ssh.PublicKeys(key))
			if err != nil {
				t.Fatal(err)
			}
			s := d.sit(other)
			if visits%3 == 0 {
				d.shows(s, "hello")
			}
			_ = other.Close()
		}
		until(t, "their places are free", func() bool { return d.Counts().Connections == 1 && d.Counts().Sessions == 1 })
	}
	comeAndGo(20) // what is made once is made now
	goroutines, files, heap := runtime.NumGoroutine(), openFiles(), heapInUse()
	for comeAndGo(480); time.Now().Before(end); {
		comeAndGo(100)
	}
	until(t, "their goroutines are gone", func() bool { return runtime.NumGoroutine() <= goroutines })
	until(t, "their files are closed", func() bool { return openFiles() <= files })
	if now := heapInUse(); now > heap+8<<20 {
		t.Errorf("after %d visits the heap holds %d MiB, it held %d", visits, now>>20, heap>>20)
	}
}

// openFiles is how many files this process has open, 0 where nobody tells.
func openFiles() int {
	all, _ := os.ReadDir("/proc/self/fd")
	return len(all)
}

func heapInUse() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
