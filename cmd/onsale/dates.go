package main

import (
	"bytes"
	"context"
	"errors"
	"sync"
	"time"

	"github.com/onsale-dev/onsale/config"
	"github.com/onsale-dev/onsale/sources"
	"github.com/onsale-dev/onsale/sources/calendar"
)

// dates holds the calendars that are fetched, so that reading the config waits for the network once
// at most: after that a calendar comes by its own poll.
type dates struct {
	mu   sync.Mutex
	held map[string][]byte // the newest calendar of an address
	bell chan struct{}     // of one: a calendar came that is another than before
}

// changed rings when a calendar came that is another than the one before.
func (d *dates) changed() <-chan struct{} {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.ringer()
}

func (d *dates) ringer() chan struct{} {
	if d.bell == nil {
		d.bell = make(chan struct{}, 1)
	}
	return d.bell
}

func (d *dates) get(address string) ([]byte, bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	text, ok := d.held[address]
	return text, ok
}

// keep holds a calendar, and reports whether it is another than before.
func (d *dates) keep(address string, text []byte) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if was, ok := d.held[address]; ok && bytes.Equal(was, text) {
		return false
	}
	if d.held == nil {
		d.held = map[string][]byte{}
	}
	d.held[address] = text
	return true
}

// take holds a calendar, and rings and reports if it is another than before.
func (d *dates) take(address string, text []byte) bool {
	if !d.keep(address, text) {
		return false
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	select {
	case d.ringer() <- struct{}{}:
	default:
	}
	return true
}

// calendar makes the source that a calendar's address is.
func (p *program) calendar(s *config.Source, take func(address string, text []byte)) (sources.Source, error) {
	of := s.Calendar
	trust, err := tlsOf(of.TLS)
	if err != nil {
		return nil, err
	}
	address := of.URL.Reveal()
	o := calendar.Options{
		Name: s.Name, URL: address, Every: s.Every, Bearer: of.Bearer.Reveal(), Headers: map[string]string{},
		Client: sources.NewClient(sources.ClientOptions{Version: buildVersion(), MaxBody: calendar.MaxBytes, TLS: trust}),
		Took:   func(text []byte) { take(address, text) },
	}
	if of.Basic != nil {
		o.User, o.Password = of.Basic.Username, of.Basic.Password.Reveal()
	}
	for name, value := range of.Headers {
		o.Headers[name] = value.Reveal()
	}
	return calendar.New(o)
}

// calendarText is a calendar for whoever reads the config: the newest that came, or one that is
// fetched now, or the copy of an earlier run together with why it could not be fetched.
func (p *program) calendarText(s *config.Source) ([]byte, error) {
	address := s.Calendar.URL.Reveal()
	if text, ok := p.dates.get(address); ok {
		return text, nil
	}
	if p.offline {
		return p.copiedCalendar(address, errors.New("it is not fetched for a completion"))
	}
	var came []byte
	src, err := p.calendar(s, func(_ string, text []byte) { came = text })
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(context.Background(), s.Timeout)
	defer cancel()
	if b := src.Read(ctx, time.Now()); b.Problem != nil {
		return p.copiedCalendar(address, b.Problem)
	}
	p.dates.keep(address, came) // the config is being read with it: nothing rings
	p.copyCalendar(address, came)
	return came, nil
}
