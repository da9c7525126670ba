// Package calendar fetches the calendar that sales come from. It reads no figures: what it brings is
// handed to whoever declares the sales, and its own state says how old that is.
//
// A calendar that did not change is asked for with its ETag and costs an answer without a body
// (RFC 9110, section 13.1.2). What does not begin as one, such as the page of a login, is refused: it
// must not look like a calendar without sales.
package calendar

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"github.com/onsale-dev/onsale/sale"
	"github.com/onsale-dev/onsale/sources"
)

// MaxBytes is the longest calendar that is read, in bytes.
const MaxBytes = 4 << 20

const kind = "calendar"

// Options are what a source needs. Name and URL are required.
type Options struct {
	Name  string
	URL   string // http or https; its path and query are never shown
	Every time.Duration

	User, Password string
	Bearer         string
	Headers        map[string]string

	// Client sends the requests, as sources.NewClient makes it with MaxBytes; nil makes one.
	Client *http.Client
	// Took is handed every calendar that comes, also one that is the same as before; nil: nobody. It
	// must not wait.
	Took func(text []byte)
}

// Source fetches one calendar.
type Source struct {
	opts    Options
	login   string
	secrets []string
	tag     string // ETag of what was read last
}

// New makes a source. Nothing is sent.
func New(o Options) (*Source, error) {
	u, err := url.Parse(o.URL)
	if o.Name == "" || err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" || u.User != nil {
		return nil, fmt.Errorf("calendar source %q: a name is needed, and an http or https address without a login", o.Name) // err would repeat the address
	}
	if o.Every <= 0 {
		o.Every = 5 * time.Minute
	}
	if o.Client == nil {
		o.Client = sources.NewClient(sources.ClientOptions{MaxBody: MaxBytes})
	}
	s := &Source{opts: o, secrets: []string{o.URL, u.Path, u.RawPath, u.RawQuery, o.Password, o.Bearer}}
	switch {
	case o.Bearer != "":
		s.login = "Bearer " + o.Bearer
	case o.User != "":
		pair := base64.StdEncoding.EncodeToString([]byte(o.User + ":" + o.Password))
		s.login, s.secrets = "Basic "+pair, append(s.secrets, pair)
	}
	for _, value := range o.Headers {
		s.secrets = append(s.secrets, value)
	}
	return s, nil
}

// Info implements sources.Source.
func (s *Source) Info() sale.SourceInfo {
	return sale.SourceInfo{
		Name: s.opts.Name, Kind: kind, Every: s.opts.Every, Cadence: sale.Cadence{Period: s.opts.Every},
		Gives: "the dates of sales", Limit: "none known",
	}
}

// Read implements sources.Source.
func (s *Source) Read(ctx context.Context, _ time.Time) sale.Batch {
	ctx, meter := sources.Metered(ctx)
	text, err := s.fetch(ctx)
	b := sale.Batch{Calls: meter.Calls()}
	if err != nil {
		p := sources.Classify(err, sources.About{Meter: meter, Secrets: s.secrets})
		b.Problem = &p
		return b
	}
	if text != nil && s.opts.Took != nil {
		s.opts.Took(text)
	}
	return b
}

// fetch returns the calendar, or nil when it is the one that was read last.
func (s *Source) fetch(ctx context.Context) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.opts.URL, nil)
	if err != nil {
		return nil, errors.New("the address can't be asked") // err would repeat it
	}
	req.Header.Set("Accept", "text/calendar")
	for name, value := range s.opts.Headers {
		req.Header.Set(name, value)
	}
	if s.login != "" {
		req.Header.Set("Authorization", s.login)
	}
	if s.tag != "" {
		req.Header.Set("If-None-Match", s.tag)
	}
	resp, err := s.opts.Client.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close() //nolint:errcheck // nothing was written
	if resp.StatusCode == http.StatusNotModified && s.tag != "" {
		return nil, nil
	}
	if err := sources.CheckStatus(resp); err != nil {
		return nil, err
	}
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, err
	}
	if !begins(text) {
		return nil, &sale.Problem{
			Class: sale.BadData, Text: "not a calendar: the answer does not begin with BEGIN:VCALENDAR",
			Hint: "see that the address is the calendar's own export (.ics), not a page or a login in front of it",
		}
	}
	if !ends(text) {
		return nil, &sale.Problem{
			Class: sale.BadData, Text: "half a calendar: the answer does not end with END:VCALENDAR", Hint: "it was cut short on its way; it is fetched again",
		}
	}
	s.tag = resp.Header.Get("ETag")
	return text, nil
}

func begins(text []byte) bool {
	const first = "BEGIN:VCALENDAR"
	text = bytes.TrimLeft(bytes.TrimPrefix(text, []byte("\ufeff")), "\r\n")
	return len(text) >= len(first) && bytes.EqualFold(text[:len(first)], []byte(first))
}

func ends(text []byte) bool {
	const last = "END:VCALENDAR"
	text = bytes.TrimRight(text, " \t\r\n\x00")
	return len(text) >= len(last) && bytes.EqualFold(text[len(text)-len(last):], []byte(last))
}

var _ sources.Source = (*Source)(nil)
