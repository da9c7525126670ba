package shop

import (
	"math"
	"net/http/httptest"
	"strings"
	"testing"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
)

func exposition(t *testing.T, e *Exposition, accept string) map[string]*dto.MetricFamily {
	t.Helper()
	r := httptest.NewRequest("GET", "/metrics", nil)
	if accept != "" {
		r.Header.Set("Accept", accept)
	}
	w := httptest.NewRecorder()
	e.ServeHTTP(w, r)
	format := expfmt.ResponseFormat(w.Header())
	out := map[string]*dto.MetricFamily{}
	if format.FormatType() == expfmt.TypeTextPlain {
		parser := expfmt.NewTextParser(model.UTF8Validation)
		out, err := parser.TextToMetricFamilies(w.Body)
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	dec := expfmt.NewDecoder(w.Body, format)
	for {
		f := new(dto.MetricFamily)
		if err := dec.Decode(f); err != nil {
			return out
		}
		out[f.GetName()] = f
	}
}

func TestTheExpositionIsTextForPeopleAndProtobufForPrometheus(t *testing.T) {
	e := NewExposition()
	w, err := New(Options{Seed: 1, Start: start()}, e.Watch)
	if err != nil {
		t.Fatal(err)
	}
	for _, accept := range []string{"", "*/*", "text/html,*/*;q=0.8"} {
		got := exposition(t, e, accept)
		f := got["shop_tickets_left"]
		if f == nil || len(f.Metric) != 6 || f.Metric[2].GetGauge().GetValue() != w.byID[Main].now.Left {
			t.Errorf("with Accept %q the tickets left are %v", accept, f)
		}
	}
	got := exposition(t, e, "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited")
	h := got["shop_checkout_duration_seconds"].GetMetric()[2].GetHistogram()
	sum := 0.0
	for _, n := range h.GetPositiveCount() {
		sum += n
	}
	if h.GetSampleCountFloat() < 1000 || math.Abs(sum-h.GetSampleCountFloat()) > 1e-6*sum {
		t.Errorf("the native histogram holds %.1f in its buckets and counts %.1f", sum, h.GetSampleCountFloat())
	}
	for name, f := range got {
		if !strings.HasPrefix(name, "shop_") || f.GetHelp() == "" || len(f.GetMetric()) < 6 {
			t.Errorf("family %s: %v", name, f.GetHelp())
		}
	}
}

func TestNoCounterAndNoBucketEverFalls(t *testing.T) {
	e := NewExposition()
	w, err := New(Options{Seed: 1, Scenario: "db-exhausted", Start: start()}, e.Watch)
	if err != nil {
		t.Fatal(err)
	}
	read := func() map[string]float64 {
		out := map[string]float64{}
		for name, f := range exposition(t, e, "") {
			for _, m := range f.Metric {
				id := name
				for _, l := range m.Label {
					id += "," + l.GetName() + "=" + l.GetValue()
				}
				switch f.GetType() {
				case dto.MetricType_COUNTER:
					out[id] = m.GetCounter().GetValue()
				case dto.MetricType_HISTOGRAM:
					last := 0.0
					for _, b := range m.GetHistogram().GetBucket() {
						n := b.GetCumulativeCountFloat() + float64(b.GetCumulativeCount())
						if n < last-1e-6 {
							t.Errorf("%s: the bucket %g holds less than the one before", id, b.GetUpperBound())
						}
						last = n
						out[id+bucketName(b.GetUpperBound())] = n
					}
				}
			}
		}
		return out
	}
	before := read()
	for range 5 {
		for range 30 {
			w.Advance(2)
		}
		after := read()
		for id, n := range before {
			if after[id] < n {
				t.Errorf("%s fell from %g to %g", id, n, after[id])
			}
		}
		before = after
	}
	if len(before) < 300 {
		t.Errorf("only %d series were compared", len(before))
	}
}

func bucketName(v float64) string { return " le " + strings.TrimSpace(model.SampleValue(v).String()) }
