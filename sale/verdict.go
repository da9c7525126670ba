package sale

import "time"

// Verdict is the cockpit's judgement of a signal or a sale.
type Verdict string

// The verdicts. Unknown is a verdict of its own: a sale that can't be seen is not OK.
const (
	OK      Verdict = "ok"
	Watch   Verdict = "watch"
	Unknown Verdict = "unknown"
	Bad     Verdict = "bad"
)

// Rank orders verdicts by how much they want a person: OK 0, Watch 1, Unknown 2, Bad 3.
// An unrecognised verdict ranks as Unknown.
func (v Verdict) Rank() int {
	switch v {
	case OK:
		return 0
	case Watch:
		return 1
	case Bad:
		return 3
	default:
		return 2
	}
}

// Worst returns the verdict with the highest rank, and Unknown for no verdicts at all.
func Worst(verdicts ...Verdict) Verdict {
	if len(verdicts) == 0 {
		return Unknown
	}
	worst := verdicts[0]
	for _, v := range verdicts[1:] {
		if v.Rank() > worst.Rank() {
			worst = v
		}
	}
	return worst
}

// Reason is one sentence of why a sale has its verdict, worst and oldest first.
type Reason struct {
	Signal  Signal
	Verdict Verdict
	Text    string    // "declines 5.8 % > 5.0 % for 40 s"; clean, one line
	Since   time.Time // when the breach or the blindness began
	Source  string
}

// Freshness says how old a value is, measured by its own source's cadence.
type Freshness string

// Live is within 1.5 periods (plus the publication delay), Late within 3, Stale beyond;
// NoData means that no value was ever read.
const (
	Fresh  Freshness = "live"
	Late   Freshness = "late"
	Stale  Freshness = "stale"
	NoData Freshness = "no_data"
)
