package cloudwatch

import (
	"testing"
	"time"
)

func TestTheWindowHoldsOnlySettledPeriodsAndIsNeverNarrow(t *testing.T) {
	minute := cadence{period: time.Minute, settle: time.Minute, lookback: 5 * time.Minute, history: 3 * time.Hour, series: 10}
	five := cadence{period: 5 * time.Minute, settle: time.Minute, lookback: 25 * time.Minute, history: 3 * time.Hour, series: 10}
	ten := cadence{period: 10 * time.Second, settle: 20 * time.Second, lookback: 50 * time.Second, history: time.Hour, series: 500}
	for _, c := range []struct {
		name          string
		cadence       cadence
		now, readTo   string
		from, to      string
		nothingToRead bool
	}{
		// 10:08:22 less a minute is 10:07:22: the minute 10:06–10:07 is the newest settled one.
		{"the newest minute is left out until a minute after its end", minute, "10:08:22", "10:06:00", "10:02:00", "10:07:00", false},
		{"a minute that settles this very second is read", minute, "10:08:00", "10:06:00", "10:02:00", "10:07:00", false},
		{"a second before that it is not", minute, "10:07:59", "10:06:00", "", "", true},
		{"a second poll within the minute asks nothing", minute, "10:08:59", "10:07:00", "", "", true},
		{"after three missed minutes the window reaches back over them and four periods more", minute, "10:11:22", "10:06:00", "10:02:00", "10:10:00", false},
		{"after a long outage it reaches back no farther than the history", minute, "18:00:30", "10:06:00", "14:59:00", "17:59:00", false},
		{"the first poll reads the history, from a five-minute mark", minute, "10:08:22", "", "07:05:00", "10:07:00", false},
		{"five minutes are read once they are closed and settled", five, "10:06:00", "10:00:00", "09:40:00", "10:05:00", false},
		{"five minutes are not asked for in between", five, "10:09:59", "10:05:00", "", "", true},
		{"ten seconds lie on their own grid", ten, "10:08:22", "10:07:50", "10:07:10", "10:08:00", false},
		// 100,800 points / 500 series = 201 periods = 33 min 30 s, then down to a mark of five minutes
		{"a first read that would not fit into a page is cut", ten, "10:08:22", "", "09:30:00", "10:08:00", false},
		{"a clock that was set back an hour does not stop the reading", minute, "09:08:22", "10:07:00", "09:02:00", "09:07:00", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			var readTo time.Time
			if c.readTo != "" {
				readTo = utc(c.readTo)
			}
			w, due := c.cadence.window(utc(c.now), readTo, utc(c.now))
			if due == c.nothingToRead {
				t.Fatalf("due = %v", due)
			}
			if !due {
				return
			}
			if !w.from.Equal(utc(c.from)) || !w.to.Equal(utc(c.to)) {
				t.Errorf("window %s – %s, want %s – %s", w.from.Format("15:04:05"), w.to.Format("15:04:05"), c.from, c.to)
			}
		})
	}
}

func TestAQuietSeriesIsLookedForFartherBack(t *testing.T) {
	c := cadence{period: time.Minute, settle: time.Minute, lookback: 5 * time.Minute, history: 3 * time.Hour, series: 10}
	for newest, from := range map[string]string{"10:02:00": "10:02:00", "10:01:00": "09:52:00", "00:00:00": "09:52:00"} {
		w, due := c.window(utc("10:08:22"), utc("10:06:00"), utc(newest))
		if !due || !w.from.Equal(utc(from)) || !w.to.Equal(utc("10:07:00")) {
			t.Errorf("newest %s: %v", newest, w)
		}
	}
}

func TestPeriodsLieOnTheEpochsGridWhateverTheZone(t *testing.T) {
	zone := time.FixedZone("UTC+05:30", 5*3600+1800)
	got := alignDown(time.Date(2026, 12, 4, 10, 59, 59, 5, zone), time.Hour)
	if want := time.Date(2026, 12, 4, 5, 0, 0, 0, time.UTC); !got.Equal(want) {
		t.Errorf("got %s, want %s", got, want)
	}
	if got := alignDown(time.Unix(-1, 0), time.Minute); got.Unix() != -60 {
		t.Errorf("before the epoch: %d", got.Unix())
	}
}
