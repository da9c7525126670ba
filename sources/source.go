// Package sources reads the systems behind a sale. A Source turns one system's wire into
// sale.Batch values; the Poller asks each on its own cadence, under a deadline and a budget.
//
// The promises every source keeps, held by sourcetest: it returns within its context's
// deadline; it never panics on what a system sends and never holds more than MaxBody of it;
// it delivers no NaN, no Inf, no zero in place of a missing value; keys and units are the
// declared ones on every poll; foreign text in it has passed sale.Clean; a failure of some
// signals is listed in Missing and does not hide the others.
package sources

import (
	"context"
	"time"

	"github.com/onsale-dev/onsale/sale"
)

// MaxBody is the most that a source reads of one answer, in bytes. A longer answer is a
// sale.BadData problem.
const MaxBody = 16 << 20

// Source is one system that is read. Read asks it once for everything that all sales need
// of it and never returns an error apart: what went wrong is in the batch. The poller fills
// in Batch.Source, Seq, Started and Finished.
//
// Read is never called again before it returned, so a source may keep state without locks.
type Source interface {
	Info() sale.SourceInfo
	Read(ctx context.Context, now time.Time) sale.Batch
}

// Budgeted is a source whose provider limits its calls. The poller skips a poll that the
// budget can't carry and says so as sale.Throttled.
type Budgeted interface {
	// Budget returns the calls that reading may use per window; what the provider grants
	// beyond it stays in reserve for people and actions.
	Budget() (calls int, window time.Duration)
}
