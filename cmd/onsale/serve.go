package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/crypto/ssh"

	"github.com/onsale-dev/onsale/cmd/onsale/login"
	"github.com/onsale-dev/onsale/config"
	"github.com/onsale-dev/onsale/ui"
	"github.com/onsale-dev/onsale/ui/sshd"
)

type serveFlags struct{ newHostKey, listen string }

func (p *program) serveCommand() *cobra.Command {
	var flags serveFlags
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "The cockpit over SSH: one poller, many viewers",
		Long: `serve lets people into one cockpit by their SSH keys: ssh -p 2222 cockpit.example. The systems are read once,
however many look. Who may come in, and as what, stands under serve: in the config and is read again when the file
changes, with the rest of it: a key or a role that was taken out is gone from open sessions within five seconds.

There is no password and no other way in. A session shows the cockpit or, for 'screen: wall', the wall; the
commands 'check' and 'journal list' work without a terminal, with their exit codes. Nothing else can be asked for.

SIGHUP reads the config again, SIGTERM says good bye to everybody and stops. The log goes to standard error.`,
		Example: `  onsale serve --new-host-key /etc/onsale/host_ed25519
  onsale serve --config /etc/onsale/onsale.yaml
  ssh -p 2222 cockpit.example
  ssh -p 2222 cockpit.example check lantern --output json`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if flags.newHostKey != "" {
				return p.newHostKey(flags.newHostKey)
			}
			return p.serve(cmd.Context(), flags)
		},
	}
	cmd.Flags().StringVar(&flags.newHostKey, "new-host-key", "", "make a host key in this new file, print its fingerprint, and exit")
	cmd.Flags().StringVar(&flags.listen, "listen", "", "listen here instead of at serve.listen")
	_ = cmd.MarkFlagFilename("new-host-key")
	return cmd
}

func (p *program) newHostKey(path string) error {
	key, err := sshd.NewHostKey(path)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(p.stdout, "%s %s\n", sshd.Fingerprint(key), key.Type())
	return err
}

// served is one cockpit that many look at.
type served struct {
	*program
	*live
	wheel    *wheel // nil: nothing acts
	logs     *ui.LogRing
	guard    *ui.Guard // of what all sessions lean on
	register *sshd.Register
	server   *sshd.Server
	frames   frames
	dir      string // of the journal
	started  time.Time
}

func (p *program) serve(ctx context.Context, flags serveFlags) error {
	if v := p.env("RUNEWIDTH_EASTASIAN"); v != "" && v != "0" {
		return errors.New("RUNEWIDTH_EASTASIAN is set, which would shift the columns of everybody's screen: unset it for the server")
	}
	cfg, err := p.readConfig()
	if err != nil {
		return err
	}
	if cfg.Serve == nil {
		return fmt.Errorf("%s has no serve: say where to listen and who may come in:\n\nserve:\n  listen: 0.0.0.0:2222\n  host_key: host_ed25519   # onsale serve --new-host-key host_ed25519\n  users:\n    - {name: ivana, role: operator, keys: [ssh-ed25519 AAAA…]}", cfg.Path)
	}
	hostKey, err := sshd.LoadHostKey(cfg.Serve.HostKey)
	if err != nil {
		return err
	}
	s, closeAll, err := p.prepare(cfg)
	if err != nil {
		return err
	}
	defer closeAll()
	if s.server, err = s.door(hostKey); err != nil {
		return err
	}
	address := cfg.Serve.Listen
	if flags.listen != "" {
		address = flags.listen
	}
	l, err := net.Listen("tcp", address)
	if err != nil {
		return fmt.Errorf("serve: %w", err)
	}
	if _, err := fmt.Fprintf(p.stdout, "host key %s\nlistening on %s\n", sshd.Fingerprint(hostKey.PublicKey()), l.Addr()); err != nil {
		return err
	}
	return s.run(ctx, l)
}

// prepare makes all that there is once, however many look.
func (p *program) prepare(cfg *config.Config) (*served, func(), error) {
	logs, closeLog, err := p.serveLog()
	if err != nil {
		return nil, nil, err
	}
	for _, secret := range cfg.Secrets() {
		logs.Hide(secret.Reveal())
	}
	log := slog.New(logs)
	p.book = login.NewBook(login.Options{Operator: p.operator(), Log: log}) // nobody sits here to be asked for a code
	l, err := p.newLive(cfg, log, logs.Hide)
	if err != nil {
		closeLog()
		return nil, nil, err
	}
	d, closeJournal, err := p.openDesk(l.cockpit, log)
	if err != nil {
		closeLog()
		return nil, nil, err
	}
	l.desk = d
	s := &served{program: p, live: l, logs: logs, guard: ui.NewGuard(), register: &sshd.Register{}, started: time.Now(), dir: p.journalAt}
	if d != nil {
		s.wheel = newWheel(d)
	}
	s.admit(cfg)
	l.fits, l.taken = s.fits, s.taken
	return s, func() { closeJournal(); closeLog() }, nil
}

// door makes the server that lets people in.
func (s *served) door(hostKey ssh.Signer) (*sshd.Server, error) {
	in := s.config.Load().Serve
	return sshd.New(sshd.Options{
		HostKey: hostKey, Register: s.register, Screen: s.screen, Exec: s.exec, Log: s.log,
		MaxConnections: in.MaxConnections, MaxPerAddress: in.MaxPerAddress, Longest: in.Longest,
	})
}

// serveLog is where a server's log goes: standard error, or --log; and the logs screen.
func (p *program) serveLog() (*ui.LogRing, func(), error) {
	if p.logFlag != "" {
		return p.logs()
	}
	return ui.NewLogRing(1000, p.stderr, slog.LevelInfo), func() {}, nil
}

// run serves until a signal comes or the context ends. Whatever breaks of what all sessions lean on
// ends the server: a cockpit that reads nothing any more must not look alive.
func (s *served) run(ctx context.Context, l net.Listener) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	signals := make(chan os.Signal, 4)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer signal.Stop(signals)
	var running sync.WaitGroup
	loops := s.loops()
	loops["logins"] = func(ctx context.Context) {
		s.lookAfterLogins(ctx, s.cockpit.store, s.config.Load, s.desk != nil, s.readNow)
	}
	if s.desk != nil {
		loops["desk"] = func(ctx context.Context) { s.desk.watch(ctx, s.cockpit.store) }
		loops["wheel"] = s.wheel.run
	} else {
		loops["journal"] = func(ctx context.Context) { s.followJournal(ctx, s.cockpit) }
	}
	metrics, err := s.serveMetrics()
	if err != nil {
		return err
	}
	if metrics != nil {
		loops["metrics"] = metrics
	}
	for name, loop := range loops {
		running.Add(1)
		s.guard.Go(name, func() { defer running.Done(); loop(ctx) })
	}
	served := make(chan error, 1)
	s.guard.Go("ssh", func() { served <- s.server.Serve(ctx, l) })
	s.log.Info("serving", "listen", l.Addr().String(), "version", buildVersion())
	for {
		var end error
		select {
		case err := <-served:
			return err
		case <-s.guard.Failed():
			end = s.guard.Err()
		case <-ctx.Done():
		case sig := <-signals:
			if sig == syscall.SIGHUP {
				_ = s.reload() // it has said in the log what is wrong
				continue
			}
			s.log.Info("stopping", "signal", sig.String())
		}
		stop()
		err := <-served
		waitAtMost(&running, time.Second)
		return errors.Join(end, err)
	}
}

// frames is what the sessions' terminals make of what is drawn.
type frames struct {
	drawn  atomic.Uint64
	slow   atomic.Uint64 // that took longer than slowFrame
	worst  atomic.Int64  // ns, since it was last asked for
	lagged atomic.Int64  // ns, of all
}

// slowFrame is from when on a frame is older than who looks would think.
const slowFrame = time.Second

func (f *frames) took(d time.Duration) {
	f.drawn.Add(1)
	f.lagged.Add(int64(d))
	if d > slowFrame {
		f.slow.Add(1)
	}
	for {
		worst := f.worst.Load()
		if int64(d) <= worst || f.worst.CompareAndSwap(worst, int64(d)) {
			return
		}
	}
}
