package sshd

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"strings"
	"sync"
	"time"

	libssh "charm.land/ssh"
	"golang.org/x/crypto/ssh"

	"github.com/onsale-dev/onsale/sale"
)

// Size is of a terminal in cells, as the client claims it, clamped.
type Size struct{ Width, Height int }

// The bounds of what a session may claim and ask for.
const (
	maxWidth, maxHeight = 500, 200
	mostRequests        = 400 // other than a change of the window's size
	mostVariables       = 32
	longestVariable     = 256
	longestCommand      = 4096
)

// Visit is one session: a screen, or one command.
type Visit struct {
	Terminal bool     // the client asked for one
	Env      []string // TERM, and of the client's own what is allowed, clean
	Client   string   // what it says that it is, clean
	Remote   string   // its address and port
	Size     Size     // at the beginning
	Sizes    <-chan Size
	In       io.Reader
	Out      io.Writer

	server  *Server
	conn    *conn
	channel ssh.Channel
	sizes   chan Size
	cancel  context.CancelCauseFunc
	ended   sync.Once
}

// Person is who sits here, as the register has it at this moment.
type Person struct {
	Name        string
	Role        string
	Wall        bool
	Fingerprint string // "SHA256:…" of the key, also that in a certificate
}

// Person looks up who sits here. The error says that nobody does any more: the session is about to end.
func (v *Visit) Person() (Person, error) {
	p, _, _, _ := v.conn.standing()
	e, err := v.server.opts.Register.find(p, time.Now())
	if err != nil {
		return Person{}, err
	}
	key, err := ssh.ParsePublicKey(p.key)
	if err != nil {
		return Person{}, err
	}
	return Person{Name: e.Name, Role: e.Role, Wall: e.Wall, Fingerprint: ssh.FingerprintSHA256(key)}, nil
}

// session is a channel of type session (RFC 4254, section 6).
func (s *Server) session(_ *libssh.Server, sshConn *ssh.ServerConn, fresh ssh.NewChannel, ctx libssh.Context) {
	c, ok := ctx.Value(connKey{}).(*conn)
	if !ok {
		_ = fresh.Reject(ssh.Prohibited, "no such connection")
		return
	}
	if err := c.prove(sshConn); err != nil {
		_ = fresh.Reject(ssh.Prohibited, "nothing was proved")
		_ = c.Close()
		return
	}
	running, cancel := context.WithCancelCause(context.Background())
	sizes := make(chan Size, 1)
	v := &Visit{
		Client: sale.Clean(string(sshConn.ClientVersion()), 60), Remote: sale.Clean(c.remote, 60),
		Sizes: sizes, server: s, conn: c, sizes: sizes, cancel: cancel,
	}
	defer cancel(ErrGone)
	if !c.enter(v) {
		_ = fresh.Reject(ssh.ResourceShortage, "as many sessions as one connection may have")
		return
	}
	defer c.leave(v)
	who, err := v.Person()
	if err != nil {
		_ = fresh.Reject(ssh.Prohibited, ErrRemoved.Error())
		return
	}
	channel, requests, err := fresh.Accept()
	if err != nil {
		return
	}
	v.channel, v.In, v.Out = channel, channel, channel
	defer func() { _ = channel.Close() }()
	log := s.log.With("who", who.Name, "key", who.Fingerprint, "from", v.Remote)
	v.serve(running, requests, log, sale.Clean(sshConn.User(), 40))
}

// serve answers a session's requests until the channel closes. The session itself runs beside it: a
// screen that waits for its client must not keep the client's own requests waiting.
func (v *Visit) serve(ctx context.Context, requests <-chan *ssh.Request, log *slog.Logger, claimed string) {
	begun, count := false, 0
	var running sync.WaitGroup
	defer running.Wait()
	defer v.cancel(ErrGone)
	variables := 0
	for req := range requests {
		if req.Type != "window-change" {
			if count++; count > mostRequests {
				log.Info("ssh connection ended: it asked for too much", "client", v.Client)
				_ = v.conn.Close() // what is not read any more would hold up its other sessions
				return
			}
		}
		ok := false
		switch req.Type {
		case "pty-req":
			ok = !begun && !v.Terminal && v.terminal(req.Payload)
		case "env":
			if variables++; !begun && variables <= mostVariables {
				ok = v.variable(req.Payload)
			}
		case "window-change":
			ok = v.Terminal && v.resize(req.Payload)
		case "signal":
			v.signal(req.Payload)
			ok = true
		case "shell", "exec":
			if ok = !begun; !ok {
				break
			}
			begun = true
			command, readable := "", true
			if req.Type == "exec" {
				command, readable = commandIn(req.Payload)
			}
			if ok = readable; !ok {
				log.Info("ssh command refused: it is too long, or not text")
				break
			}
			_ = req.Reply(true, nil)
			exec := req.Type == "exec"
			log.Info("ssh session", "user", claimed, "client", v.Client, "terminal", v.Terminal, "command", sale.Clean(command, 200))
			running.Add(1)
			go func() {
				defer running.Done()
				v.run(ctx, log, exec, command)
			}()
			continue
		}
		// No subsystem, no agent, no X11, no break: there is nothing behind them here.
		if req.WantReply {
			_ = req.Reply(ok, nil)
		}
	}
}

// run runs what the session is for, and tells the client how it ended.
func (v *Visit) run(ctx context.Context, log *slog.Logger, exec bool, command string) {
	code, began := 1, time.Now()
	defer func() {
		v.goodbye(code)
		log.Info("ssh session over", "exit", code, "lasted", time.Since(began).Round(time.Second).String())
	}()
	defer v.server.caught("session", func() { _, _ = io.WriteString(v.channel.Stderr(), "onsale: internal error: this session ends\r\n") })
	if exec {
		v.server.counts.commands.Add(1)
		out, errOut := v.lines(v.channel), v.lines(v.channel.Stderr())
		code = v.server.opts.Exec(ctx, v, command, out, errOut)
		return
	}
	if !v.Terminal {
		_, _ = io.WriteString(v.channel.Stderr(), "onsale: no terminal: use ssh -t for the cockpit, or give a command: check, journal list\n")
		code = 3
		return
	}
	v.server.counts.sessions.Add(1)
	err := v.server.opts.Screen(ctx, v)
	if errors.Is(err, context.Canceled) || err == nil && ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	code = 0
	if err == nil || errors.Is(err, ErrGone) {
		return
	}
	code = 1
	var coded interface{ ExitCode() int }
	if errors.As(err, &coded) {
		code = coded.ExitCode()
	}
	log.Info("ssh session ended", "why", sale.Clean(err.Error(), 200))
	v.say("onsale: " + sale.Clean(err.Error(), 300))
}

// say writes a last line to the client, who may not be reading any more.
func (v *Visit) say(line string) {
	done := make(chan struct{})
	go func() {
		defer v.server.caught("last line", nil)
		defer close(done)
		_, _ = io.WriteString(v.Out, line+"\r\n")
	}()
	select {
	case <-done:
	case <-time.After(lastWords):
	}
}

const lastWords = time.Second

// goodbye ends the channel. A client that takes nothing any more is not waited for.
func (v *Visit) goodbye(code int) {
	v.ended.Do(func() {
		done := make(chan struct{})
		go func() {
			defer v.server.caught("good bye", nil)
			defer close(done)
			_, _ = v.channel.SendRequest("exit-status", false, ssh.Marshal(struct{ Status uint32 }{uint32(code & 0xff)}))
			_ = v.channel.CloseWrite()
			_ = v.channel.Close()
		}()
		select {
		case <-done:
		case <-time.After(lastWords):
			_ = v.conn.Close()
		}
	})
}

// lines is where a command writes: a terminal over a line has nobody who makes \r\n of \n.
func (v *Visit) lines(w io.Writer) io.Writer {
	if !v.Terminal {
		return w
	}
	return crlf{w}
}

type crlf struct{ io.Writer }

func (c crlf) Write(p []byte) (int, error) {
	if _, err := io.WriteString(c.Writer, strings.ReplaceAll(string(p), "\n", "\r\n")); err != nil {
		return 0, err
	}
	return len(p), nil
}
