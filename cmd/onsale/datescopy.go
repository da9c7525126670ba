package main

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/onsale-dev/onsale/actions/journal"
)

// This file keeps a copy of each calendar that was fetched, so that a cockpit opens with the dates of
// the last run where the calendar's server is down on the night.

// takeCalendar is what a poll of a calendar brought.
func (p *program) takeCalendar(address string, text []byte) {
	if p.dates.take(address, text) {
		p.copyCalendar(address, text)
	}
}

// copyPath is where the copy of an address is kept, beside the journal. Its name does not tell the
// address.
func (p *program) copyPath(address string) (string, error) {
	dir, err := journal.DefaultDir(p.env)
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256([]byte(address))
	return filepath.Join(filepath.Dir(dir), "calendars", hex.EncodeToString(sum[:8])+".ics"), nil
}

// copyCalendar keeps a calendar in one step. Where it can't be kept the next start needs the server.
func (p *program) copyCalendar(address string, text []byte) {
	path, err := p.copyPath(address)
	if err != nil || os.MkdirAll(filepath.Dir(path), 0o700) != nil {
		return
	}
	tmp, err := os.CreateTemp(filepath.Dir(path), ".calendar-*") // of mode 0600
	if err != nil {
		return
	}
	_, err = tmp.Write(text)
	if closed := tmp.Close(); err != nil || closed != nil || os.Rename(tmp.Name(), path) != nil {
		_ = os.Remove(tmp.Name())
	}
}

// copiedCalendar is the copy of an address, if there is one, and why it must do.
func (p *program) copiedCalendar(address string, why error) ([]byte, error) {
	path, err := p.copyPath(address)
	if err != nil {
		return nil, why
	}
	info, err := os.Stat(path)
	if err != nil {
		return nil, why
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, why
	}
	return text, fmt.Errorf("%w; the copy of %s is used until it can", why, info.ModTime().UTC().Format(time.RFC3339))
}
