package cloudwatch

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"

	"github.com/onsale-dev/onsale/sale"
)

// The widths of a band that are taken, in standard deviations. AWS asks for a positive number; a
// band wider than this holds everything.
const (
	minBand = 0.5
	maxBand = 10
)

// noModel is said where CloudWatch answers without a band: it has not been told to train a model
// of this very metric and statistic, or has not seen enough of it.
const noModel = "no model"

func (q Query) checkBand() error {
	switch {
	case q.Band == 0:
		return nil
	case !(q.Band >= minBand && q.Band <= maxBand):
		return fmt.Errorf("band %g: give %g to %d standard deviations", q.Band, minBand, int(maxBand))
	case q.Expression != "" || len(q.Metrics) != 1:
		return errors.New("a band needs one metric without an expression: the model is of one metric and statistic")
	}
	return nil
}

// bandOf is the ask for the band around the one metric of another ask. It stands in the call of
// its metric, because they share it.
func bandOf(q Query, i int, of *ask) *ask {
	width := strconv.FormatFloat(q.Band, 'f', -1, 64)
	return &ask{
		stats: of.stats, from: []int{i}, label: of.label, band: true,
		expr: expression{parts: []part{
			{text: "ANOMALY_DETECTION_BAND(", input: -1}, {input: 0}, {text: ", " + width + ")", input: -1},
		}, rescales: true},
	}
}

// figures are the asks whose answers are values of signals.
func figures(asks []*ask) []*ask {
	if !slices.ContainsFunc(asks, func(a *ask) bool { return a.band }) {
		return asks
	}
	return slices.DeleteFunc(slices.Clone(asks), func(a *ask) bool { return a.band })
}

// edges is the band at the end of one period.
type edges struct {
	at        time.Time
	low, high float64
}

// paired makes the band of what came for one id. CloudWatch answers ANOMALY_DETECTION_BAND with two
// series of the same id and does not promise which comes first, so the lower value of an instant
// is its lower edge. An instant with one value, or with more than two, has no band. Oldest first.
func paired(raw []datapoint, period time.Duration, w window) []edges {
	at := map[time.Time][]float64{}
	for _, d := range raw {
		end := d.start.Add(period).UTC()
		if d.start.Before(w.from) || end.After(w.to) || math.IsNaN(d.value) || math.IsInf(d.value, 0) {
			continue
		}
		at[end] = append(at[end], d.value)
	}
	var out []edges
	for end, v := range at {
		if len(v) == 2 {
			out = append(out, edges{end, min(v[0], v[1]), max(v[0], v[1])})
		}
	}
	slices.SortFunc(out, func(a, b edges) int { return a.at.Compare(b.at) })
	return out
}

// band takes the answer of a band, or says why there is none. It never makes its signal missing.
func (p *poll) band(a *answer, ask *ask) {
	sr := a.series[ask]
	switch {
	case sr == nil && a.open[ask] != nil:
		p.noBand(ask, refusedBand(a.open[ask]))
		return
	case sr == nil && a.problem != nil:
		p.noBand(ask, "not read: "+a.problem.Text)
		return
	case sr == nil || sr.status == types.StatusCodeComplete && len(sr.points) == 0:
		note := ""
		if sr != nil {
			note = after(sr.note)
		}
		p.noBand(ask, noModel+note)
		return
	case sr.fault != "":
		p.noBand(ask, "not read: "+sr.fault)
		return
	case len(sr.points) == 0:
		p.noBand(ask, "not read: CloudWatch answered "+p.source.clean(string(sr.status))+after(sr.note))
		return
	}
	bands := paired(sr.points, a.call.period, a.window)
	if len(bands) == 0 {
		p.noBand(ask, "CloudWatch gave no band: a band is two values for each period")
		return
	}
	for _, i := range ask.from {
		for _, e := range bands {
			p.bands = append(p.bands, sale.BandReading{Key: p.source.opts.Queries[i].Key, At: e.at, Low: e.low, High: e.high})
		}
	}
}

// refusedBand is why a band that CloudWatch refuses is not there, with its own words.
func refusedBand(why *sale.Problem) string {
	if why.Class == sale.BadData || why.Class == sale.NotFound {
		return noModel + ": " + why.Text
	}
	return "not read: " + why.Text
}

func (p *poll) noBand(ask *ask, why string) {
	for _, i := range ask.from {
		p.bands = append(p.bands, sale.BandReading{Key: p.source.opts.Queries[i].Key, Why: sale.Clean(why, maxProblemText)})
	}
}
