package prom

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/tsdb"
)

// DB holds the samples of the last Retention. It is safe for many goroutines.
type DB struct {
	head      *tsdb.Head
	dir       string
	retention time.Duration

	mu      sync.Mutex // guards what follows: one writer at a time
	refs    map[uint64]storage.SeriesRef
	cut     int64 // the newest time truncated to, ms
	closed  bool
	known   map[string]metadata
	written int64 // newest sample, ms
}

// chunkRange is how much time the head keeps in one piece; a shorter one makes truncation finer.
const chunkRange = 30 * time.Minute

// OpenDB makes an empty database whose chunk files live in dir. Close removes them.
func OpenDB(dir string, retention time.Duration) (*DB, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("prometheus storage: %w", err)
	}
	opts := tsdb.DefaultHeadOptions()
	opts.ChunkRange = chunkRange.Milliseconds()
	opts.ChunkDirRoot = dir
	opts.StripeSize = 512 // a thousand series, not millions
	opts.EnableExemplarStorage = false
	head, err := tsdb.NewHead(nil, nil, nil, nil, opts, tsdb.NewHeadStats())
	if err != nil {
		return nil, errors.Join(fmt.Errorf("prometheus storage: %w", err), os.RemoveAll(dir))
	}
	if err := head.Init(0); err != nil {
		return nil, errors.Join(fmt.Errorf("prometheus storage: %w", err), head.Close(), os.RemoveAll(dir))
	}
	return &DB{
		head: head, dir: dir, retention: retention,
		refs: make(map[uint64]storage.SeriesRef), known: make(map[string]metadata),
	}, nil
}

// Close drops all samples and removes their files. Queries that still run end with an error.
func (db *DB) Close() error {
	db.mu.Lock()
	defer db.mu.Unlock()
	if db.closed {
		return nil
	}
	db.closed = true
	return errors.Join(db.head.Close(), os.RemoveAll(db.dir))
}

// Querier opens the samples between two times in milliseconds. It implements storage.Queryable.
func (db *DB) Querier(mint, maxt int64) (storage.Querier, error) {
	db.mu.Lock()
	closed := db.closed
	db.mu.Unlock()
	if closed {
		return nil, errors.New("the database is closed")
	}
	return tsdb.NewBlockQuerier(tsdb.NewRangeHead(db.head, mint, maxt), mint, maxt)
}

// Series returns the number of series that the database holds.
func (db *DB) Series() uint64 { return db.head.NumSeries() }

// Append stores samples, all of time at, in one transaction: all or none. Times must not run back.
func (db *DB) Append(at time.Time, samples []Sample) error {
	db.mu.Lock()
	defer db.mu.Unlock()
	if db.closed {
		return errors.New("the database is closed")
	}
	t := at.UnixMilli()
	app := db.head.Appender(context.Background())
	for i := range samples {
		if err := db.append(app, t, &samples[i]); err != nil {
			return errors.Join(fmt.Errorf("append %s: %w", samples[i].Labels, err), app.Rollback())
		}
	}
	if err := app.Commit(); err != nil {
		return fmt.Errorf("append: %w", err)
	}
	db.written = max(db.written, t)
	return db.truncate(t)
}

func (db *DB) append(app storage.Appender, t int64, s *Sample) error {
	ref := s.ref
	if ref == 0 {
		ref = db.refs[s.Labels.Hash()]
	}
	var err error
	if s.Histogram != nil {
		ref, err = app.AppendHistogram(ref, s.Labels, t, nil, s.Histogram)
	} else {
		ref, err = app.Append(ref, s.Labels, t, s.Value)
	}
	if err != nil {
		return err
	}
	if s.ref == 0 {
		db.refs[s.Labels.Hash()] = ref
		s.ref = ref
	}
	return nil
}

// newest returns the time of the newest sample in milliseconds.
func (db *DB) newest() int64 {
	db.mu.Lock()
	defer db.mu.Unlock()
	return db.written
}

// truncate drops what is older than the retention, in steps of a quarter of the chunk range.
func (db *DB) truncate(now int64) error {
	mint := now - db.retention.Milliseconds()
	if mint-db.cut < (chunkRange / 4).Milliseconds() {
		return nil
	}
	if db.cut == 0 && db.head.MinTime() > mint { // nothing to drop yet
		return nil
	}
	db.cut = mint
	if err := db.head.Truncate(mint); err != nil {
		return fmt.Errorf("drop samples past the retention: %w", err)
	}
	db.refs = make(map[uint64]storage.SeriesRef) // a series without samples is gone, and its number with it
	return nil
}

// metadata is what a target says about one of its metrics.
type metadata struct {
	Type string `json:"type"`
	Help string `json:"help"`
	Unit string `json:"unit"`
}

// describe remembers what a target said about its metrics.
func (db *DB) describe(name string, m metadata) {
	db.mu.Lock()
	db.known[name] = m
	db.mu.Unlock()
}

func (db *DB) described() map[string]metadata {
	db.mu.Lock()
	defer db.mu.Unlock()
	out := make(map[string]metadata, len(db.known))
	for name, m := range db.known {
		out[name] = m
	}
	return out
}
