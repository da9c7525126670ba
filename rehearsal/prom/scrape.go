package prom

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
)

// Target is what a server scrapes.
type Target struct {
	URL           string
	Job, Instance string
	Every         time.Duration // between scrapes; a scrape's deadline too
	Now           func() time.Time
}

// Scraper reads one target into a database, again and again.
type Scraper struct {
	db     *DB
	target Target
	client *http.Client

	mu   sync.Mutex // one scrape at a time
	flat Flattener
	last []Sample // what the last good scrape gave; ends when a scrape fails
	up   Sample
}

// NewScraper makes a scraper; nothing is read before Run, Scrape or Backfill.
func NewScraper(db *DB, target Target) *Scraper {
	return &Scraper{
		db: db, target: target,
		client: &http.Client{Transport: &http.Transport{MaxIdleConns: 1, Proxy: nil}},
		flat:   Flattener{Job: target.Job, Instance: target.Instance},
		up:     Sample{Labels: labels.FromStrings(model.MetricNameLabel, "up", "instance", target.Instance, "job", target.Job)},
	}
}

// Backfill stores families as if they had been scraped at a time in the past. Calls must go
// forward in time and come before the first scrape.
func (s *Scraper) Backfill(at time.Time, families []*dto.MetricFamily) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.store(at, families)
}

// Run scrapes until the context ends. A failed scrape is no error: like in any Prometheus it sets
// "up" to 0 and ends the target's series. An error of the database itself ends Run.
func (s *Scraper) Run(ctx context.Context) error {
	defer s.client.CloseIdleConnections()
	tick := time.NewTicker(s.target.Every)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
			if err := s.Scrape(ctx); err != nil && ctx.Err() == nil {
				return err
			}
		}
	}
}

// Scrape reads the target once and stores what it said, or that it did not answer, as of now. It
// does nothing while the time has not moved since the last sample.
func (s *Scraper) Scrape(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	at := s.target.Now()
	if at.UnixMilli() <= s.db.newest() {
		return nil
	}
	families, err := s.fetch(ctx)
	if err == nil {
		return s.store(at, families)
	}
	if ctx.Err() != nil {
		return nil
	}
	s.up.Value = 0
	down := append(stale(s.last), s.up)
	s.last = nil
	return s.db.Append(at, down)
}

func (s *Scraper) store(at time.Time, families []*dto.MetricFamily) error {
	s.last = s.flat.Flatten(families)
	for _, f := range families {
		s.db.describe(f.GetName(), metadata{Type: strings.ToLower(f.GetType().String()), Help: f.GetHelp(), Unit: f.GetUnit()})
	}
	if err := s.db.Append(at, s.last); err != nil {
		return err
	}
	s.up.Value = 1
	return s.db.Append(at, []Sample{s.up})
}

// accept asks for the one exposition that carries native histograms.
const accept = "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited"

const maxScrape = 16 << 20

func (s *Scraper) fetch(ctx context.Context) ([]*dto.MetricFamily, error) {
	ctx, cancel := context.WithTimeout(ctx, s.target.Every)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.target.URL, nil)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Accept", accept)
	resp, err := s.client.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("scrape %s: %s", s.target.URL, resp.Status)
	}
	format := expfmt.ResponseFormat(resp.Header)
	if format.FormatType() == expfmt.TypeUnknown {
		return nil, fmt.Errorf("scrape %s: not an exposition: %q", s.target.URL, resp.Header.Get("Content-Type"))
	}
	dec := expfmt.NewDecoder(io.LimitReader(resp.Body, maxScrape), format)
	var families []*dto.MetricFamily
	for {
		f := new(dto.MetricFamily)
		if err := dec.Decode(f); errors.Is(err, io.EOF) {
			return families, nil
		} else if err != nil {
			return nil, fmt.Errorf("scrape %s: %w", s.target.URL, err)
		}
		if !model.UTF8Validation.IsValidMetricName(f.GetName()) {
			return nil, fmt.Errorf("scrape %s: bad metric name %q", s.target.URL, f.GetName())
		}
		families = append(families, f)
	}
}
