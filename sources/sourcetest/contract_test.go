package sourcetest_test

import (
	"context"
	"encoding/json"
	"io"
	"math"
	"net/http"
	"testing"
	"time"

	"github.com/onsale-dev/onsale/sale"
	"github.com/onsale-dev/onsale/sources"
	"github.com/onsale-dev/onsale/sources/sourcetest"
)

// counter is the smallest source there can be: one GET, one JSON object of numbers.
type counter struct {
	url    string
	keys   map[sale.Key]sale.Unit
	client *http.Client
}

func (c *counter) Info() sale.SourceInfo {
	return sale.SourceInfo{
		Name: "counter", Kind: "counter", Gives: "2 numbers",
		Every: time.Second, Cadence: sale.Cadence{Period: time.Second},
	}
}

func (c *counter) Read(ctx context.Context, now time.Time) sale.Batch {
	ctx, meter := sources.Metered(ctx)
	numbers, note, err := c.ask(ctx)
	b := sale.Batch{Calls: meter.Calls()}
	if err != nil {
		p := sources.Classify(err, sources.About{Meter: meter, Secrets: []string{sourcetest.Secret}})
		b.Problem = &p
		return b
	}
	for key, unit := range c.keys {
		v, ok := numbers[string(key.Signal)]
		if !ok || math.IsNaN(v) {
			b.Missing = append(b.Missing, sale.Missing{Key: key, Problem: sale.Problem{Class: sale.NotFound, Text: "no such number"}})
			continue
		}
		b.Readings = append(b.Readings, sale.Reading{Key: key, Value: v, Unit: unit, At: now, FetchedAt: time.Now()})
	}
	if note != "" {
		b.Warnings = append(b.Warnings, sale.Clean(note, 80))
	}
	return b
}

func (c *counter) ask(ctx context.Context) (map[string]float64, string, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.url, nil)
	if err != nil {
		return nil, "", err
	}
	req.Header.Set("Authorization", "Bearer "+sourcetest.Secret)
	resp, err := c.client.Do(req)
	if err != nil {
		return nil, "", err
	}
	defer resp.Body.Close()
	if err := sources.CheckStatus(resp); err != nil {
		return nil, "", err
	}
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, "", err
	}
	var answer struct {
		Numbers map[string]float64 `json:"numbers"`
		Note    string             `json:"note"`
	}
	if err := json.Unmarshal(body, &answer); err != nil {
		return nil, "", err
	}
	if answer.Numbers == nil {
		return nil, "", &sale.Problem{Class: sale.BadData, Text: "an answer without numbers", Hint: "see the address"}
	}
	return answer.Numbers, answer.Note, nil
}

func body(text string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, text)
	})
}

func TestTheSmallestSourceKeepsTheContract(t *testing.T) {
	waiting, holds := sale.Key{Sale: "harbour", Signal: sale.Waiting}, sale.Key{Sale: "harbour", Signal: sale.Holds}
	want := map[sale.Key]sale.Unit{waiting: sale.Users, holds: sale.Count}
	hostile, err := json.Marshal(map[string]any{"numbers": map[string]float64{"waiting": 1, "holds": 2}, "note": sourcetest.Escape})
	if err != nil {
		t.Fatal(err)
	}
	sourcetest.Contract(t, sourcetest.Harness{
		New: func(_ *testing.T, url string) sources.Source {
			return &counter{url: url, keys: want, client: sources.NewClient(sources.ClientOptions{})}
		},
		Healthy:        body(`{"numbers": {"waiting": 12400, "holds": 310}}`),
		Want:           want,
		Partial:        body(`{"numbers": {"waiting": 12400}}`),
		PartialMissing: []sale.Key{holds},
		Hostile:        body(string(hostile)),
		WrongTypes:     [][]byte{[]byte(`{"numbers": {"waiting": "many"}}`), []byte(`{"numbers": 7}`)},
		CallsPerPoll:   1,
	})
}
