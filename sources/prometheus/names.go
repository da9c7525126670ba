package prometheus

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/onsale-dev/onsale/sale"
	"github.com/onsale-dev/onsale/sources"
)

// Names is what a server has, for whoever writes a config for it. It asks for the last hour: what
// was scraped long ago is no help.
type Names struct{ wire *wire }

// NewNames makes one of the same options as a source; queries are not needed.
func NewNames(o Options) (*Names, error) {
	o, u, err := o.normal()
	if err != nil {
		return nil, err
	}
	w, err := newWire(o, u)
	if err != nil {
		return nil, err
	}
	return &Names{w}, nil
}

// Metrics lists the names of all metrics, sorted. An error is a *sale.Problem.
func (n *Names) Metrics(ctx context.Context) ([]string, error) { return n.Values(ctx, "__name__") }

// Values lists the values of a label, of the series that a selector matches or of all, sorted.
func (n *Names) Values(ctx context.Context, label string, selectors ...string) ([]string, error) {
	now := time.Now()
	values, _, _, err := n.wire.api.LabelValues(ctx, label, selectors, now.Add(-time.Hour), now)
	if err != nil {
		return nil, n.failed(err)
	}
	names := make([]string, 0, len(values))
	for _, v := range values {
		names = append(names, sale.Clean(string(v), 0))
	}
	slices.Sort(names)
	return names, nil
}

// Labels lists the labels of the series that a selector matches, sorted.
func (n *Names) Labels(ctx context.Context, selector string) ([]string, error) {
	now := time.Now()
	labels, _, _, err := n.wire.api.LabelNames(ctx, []string{selector}, now.Add(-time.Hour), now)
	if err != nil {
		return nil, n.failed(err)
	}
	names := make([]string, 0, len(labels))
	for _, l := range labels {
		names = append(names, sale.Clean(fmt.Sprint(l), 0))
	}
	slices.Sort(names)
	return names, nil
}

func (n *Names) failed(err error) error {
	p := classify(err, sources.About{Secrets: n.wire.secrets})
	return &p
}
