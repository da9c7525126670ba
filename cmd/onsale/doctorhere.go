package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/charmbracelet/x/term"

	"github.com/onsale-dev/onsale/actions/journal"
	"github.com/onsale-dev/onsale/config"
	"github.com/onsale-dev/onsale/ui"
)

// This file looks at the machine that onsale runs on.

// readConfig tells of the config, and returns it unless it can't be used.
func (d *doctor) readConfig() *config.Config {
	bad := func(text, mend string) { d.say(symptom{"here", "config", "", fails, text, mend}) }
	cfg, err := d.program.readConfig()
	var mistakes *config.Errors
	switch {
	case errors.As(err, &mistakes):
		first, _, _ := strings.Cut(mistakes.Mistakes[0].Error(), "\n")
		bad(fmt.Sprintf("%d mistakes, the first: %s", len(mistakes.Mistakes), first), "onsale config validate says all of them, each with a fix")
		return nil
	case err != nil:
		first, _, _ := strings.Cut(err.Error(), "\n")
		bad(first, "onsale config init writes one")
		return nil
	}
	for _, err := range ui.ValidateKeys(cfg.Keys) {
		bad("keys: "+err.Error(), "see keys in the config")
	}
	for _, wrong := range webhookMistakes(cfg) {
		bad(wrong, "see the webhook in the config")
	}
	for _, w := range cfg.Warnings {
		first, rest, _ := strings.Cut(w.Error(), "\n")
		mend := "see the config"
		if _, fix, ok := strings.Cut(rest, "fix: "); ok {
			mend, _, _ = strings.Cut(fix, "\n")
		}
		d.say(symptom{"here", "config", "", warns, first, mend})
	}
	if len(cfg.Warnings) == 0 {
		d.say(symptom{"here", "config", "", fine, fmt.Sprintf("%s is valid: %s, %s, %s", cfg.Path, counted(len(cfg.Sales), "sale"), counted(len(cfg.Sources), "source"), counted(len(cfg.Controls), "control")), ""})
	}
	return cfg
}

// terminal tells whether the screen can be drawn here. Without a terminal only the locale counts:
// checks run in pipes.
func (d *doctor) terminal() {
	p := d.program
	var wrong []string
	warn := func(text, mend string) {
		wrong = append(wrong, text)
		d.say(symptom{"here", "terminal", "", warns, text, mend})
	}
	if p.ascii() && !p.asciiFlag {
		warn("the locale is not UTF-8, so everything is drawn in ASCII", "export LC_ALL=C.UTF-8")
	}
	out, ok := p.stdout.(*os.File)
	if !ok || !term.IsTerminal(out.Fd()) {
		if len(wrong) == 0 {
			d.say(symptom{"here", "terminal", "", fine, "UTF-8; standard output is no terminal, so its size was not looked at", ""})
		}
		return
	}
	if name := p.env("TERM"); name == "" || name == "dumb" {
		warn(fmt.Sprintf("TERM is %q: the cockpit can't draw", name), "export TERM=xterm-256color, or use onsale check")
	}
	w, h, err := term.GetSize(out.Fd())
	switch {
	case err != nil:
		warn("its size is not known: "+err.Error(), "resize it once")
	case w < 80 || h < 24:
		warn(fmt.Sprintf("it has %dx%d cells: sales are cut to one line each", w, h), "make it 80x24 or more")
	case len(wrong) == 0:
		d.say(symptom{"here", "terminal", "", fine, fmt.Sprintf("UTF-8, %s, %dx%d", p.env("TERM"), w, h), ""})
	}
}

// journal tells whether what is done could be written down, and whether what was written is whole. A
// file is made beside it and taken away again at once; the journal itself is not touched.
func (d *doctor) journal(cfg *config.Config) {
	if len(cfg.Controls) == 0 {
		return // nothing is done from here
	}
	bad := func(text, mend string) { d.say(symptom{"act", "journal", "", fails, text, mend}) }
	dir := d.program.journalAt
	if dir == "" {
		found, err := journal.DefaultDir(d.program.env)
		if err != nil {
			bad(err.Error(), "set XDG_STATE_HOME or HOME")
			return
		}
		dir = found
	}
	parent := dir
	for {
		info, err := os.Stat(parent)
		if err == nil && info.IsDir() {
			break
		}
		if err == nil || !errors.Is(err, fs.ErrNotExist) || filepath.Dir(parent) == parent {
			bad(parent+" is no folder that can be written", "mend it, or set XDG_STATE_HOME")
			return
		}
		parent = filepath.Dir(parent)
	}
	probe, err := os.CreateTemp(parent, ".onsale-doctor-*")
	if err != nil {
		bad("it can't be written, so no key acts: "+err.Error(), "give this user the right to write in "+parent)
		return
	}
	_ = probe.Close()
	if err := os.Remove(probe.Name()); err != nil {
		bad("what is written can't be removed: "+err.Error(), "remove "+probe.Name())
		return
	}
	if parent != dir {
		d.say(symptom{"act", "journal", "", fine, dir + " can be made when the first action needs it", ""})
		return
	}
	report, err := journal.Verify(dir)
	switch {
	case err != nil:
		bad("it can't be read: "+err.Error(), "onsale journal verify")
	case !report.OK():
		bad(fmt.Sprintf("its chain is broken: %s", report.Problems[0].Text), "onsale journal verify; keep the file, it is evidence")
	default:
		d.say(symptom{"act", "journal", "", fine, fmt.Sprintf("can be written; %d records, the chain is whole", report.Records), ""})
	}
}

// The bounds of how far this machine's clock may be off: ages are judged by it, and AWS refuses a
// request that is five minutes off (AWS General Reference, "Signature Version 4: troubleshooting").
const (
	clockDoubt = 5 * time.Second
	clockWrong = 4 * time.Minute
)

// clock compares this machine's clock with what an HTTP server of the config says that it is.
func (d *doctor) clock(ctx context.Context, cfg *config.Config) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	for i := range cfg.Sources {
		url := dated(&cfg.Sources[i])
		if url == "" {
			continue
		}
		off, unsure, ok := clockOff(ctx, url)
		if !ok {
			continue // the source's own line says why it can't be reached
		}
		s := symptom{"here", "clock", "", fine, fmt.Sprintf("within %s of %s's", (off.Abs() + unsure).Round(100*time.Millisecond), cfg.Sources[i].Name), ""}
		if off.Abs()-unsure > clockDoubt {
			word := "ahead of"
			if off > 0 {
				word = "behind"
			}
			s.Result, s.Text, s.Mend = warns, fmt.Sprintf("%s %s %s's: every age is wrong by that", off.Abs().Round(time.Second), word, cfg.Sources[i].Name), "start chrony or systemd-timesyncd on this machine"
			if off.Abs() > clockWrong {
				s.Result = fails
			}
		}
		d.say(s)
		return
	}
}

// dated is where a source's server answers over HTTP, and so tells its time.
func dated(s *config.Source) string {
	switch {
	case s.Prometheus != nil:
		return s.Prometheus.URL
	case s.WaitingRoom != nil:
		return s.WaitingRoom.URL
	case s.HTTPJSON != nil:
		return s.HTTPJSON.URL
	}
	return ""
}

// clockOff is how far a server's clock is ahead of ours, and how unsure that is: its Date header has
// whole seconds, and the request takes its time. No credential is sent.
func clockOff(ctx context.Context, url string) (off, unsure time.Duration, ok bool) {
	req, err := http.NewRequestWithContext(ctx, http.MethodHead, url, nil)
	if err != nil {
		return 0, 0, false
	}
	began := time.Now()
	resp, err := httpClient().Do(req)
	if err != nil {
		return 0, 0, false
	}
	defer func() { _ = resp.Body.Close() }()
	took := time.Since(began)
	at, err := http.ParseTime(resp.Header.Get("Date"))
	if err != nil {
		return 0, 0, false
	}
	return at.Add(500 * time.Millisecond).Sub(began.Add(took / 2)), 500*time.Millisecond + took/2, true
}
