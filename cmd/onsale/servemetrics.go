package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/onsale-dev/onsale/sale"
)

// serveMetrics opens the loopback address on which the cockpit tells of its own health, for
// Prometheus; nil when none is declared. Nobody is asked who they are there, and nothing that could
// act, or is a secret, is told.
func (s *served) serveMetrics() (func(context.Context), error) {
	if s.config.Load().Serve.Metrics == "" {
		return nil, nil
	}
	l, err := net.Listen("tcp", s.config.Load().Serve.Metrics)
	if err != nil {
		return nil, fmt.Errorf("serve.metrics: %w", err)
	}
	registry := prometheus.NewRegistry()
	if err := registry.Register(health{s}); err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(registry, promhttp.HandlerOpts{MaxRequestsInFlight: 4, Timeout: 5 * time.Second}))
	server := &http.Server{Handler: mux, ReadTimeout: 5 * time.Second, WriteTimeout: 10 * time.Second, IdleTimeout: time.Minute, MaxHeaderBytes: 16 << 10}
	s.log.Info("metrics", "listen", l.Addr().String())
	return func(ctx context.Context) {
		go func() {
			<-ctx.Done()
			_ = server.Close()
		}()
		if err := server.Serve(l); err != nil && !errors.Is(err, http.ErrServerClosed) {
			s.log.Error("metrics are not served any more", "why", err.Error())
		}
	}, nil
}

// health is what the cockpit tells of itself. It is worked out when it is asked for, so that an idle
// cockpit does nothing for it.
type health struct{ *served }

func desc(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc("onsale_"+name, help, labels, nil)
}

var (
	descBuild     = desc("build_info", "1; the version is a label.", "version")
	descStarted   = desc("start_time_seconds", "When the server started, in Unix seconds.")
	descJudged    = desc("judged_timestamp_seconds", "When the sales were last judged, in Unix seconds. It stands still when the cockpit hangs.")
	descCalls     = desc("source_calls_total", "Requests sent to a source since the start.", "source", "kind")
	descFailures  = desc("source_failures", "Polls of a source that failed in a row; 0: the last one succeeded.", "source", "kind")
	descUp        = desc("source_live", "1 when the source is live, 0 when it is late, stale, failing or has no data.", "source", "kind")
	descNewest    = desc("source_newest_timestamp_seconds", "The newest instant that a source's samples describe, in Unix seconds; absent when nothing was read.", "source", "kind")
	descTook      = desc("source_poll_seconds", "How long the last poll of a source took.", "source", "kind")
	descCost      = desc("source_cost_usd_total", "What the requests to a source have cost at list price since the start.", "source", "kind")
	descVerdict   = desc("sale_verdict", "1 for the verdict that a sale has now.", "sale", "verdict")
	descSessions  = desc("ssh_sessions", "Open SSH sessions.")
	descConns     = desc("ssh_connections", "Open SSH connections, those that have not logged in included.")
	descLogins    = desc("ssh_connections_total", "SSH connections, by what became of them.", "outcome")
	descPanics    = desc("ssh_session_panics_total", "Sessions that a mistake in the program ended.")
	descFrames    = desc("frames_total", "Frames that terminals have taken.")
	descSlow      = desc("frames_slow_total", "Frames that a terminal took more than a second to take.")
	descFrameTime = desc("frame_write_seconds_total", "How long terminals took to take their frames, altogether.")
	descFrameMax  = desc("frame_write_worst_seconds", "The longest that a terminal took to take a frame since the last scrape.")
	descActions   = desc("actions_total", "Actions of this server's sessions since its start, by how they ended.", "action", "outcome")
	descJournal   = desc("journal_writable", "1 when the journal can be written; 0: no key acts.")
	descHead      = desc("journal_records", "The number of the journal's newest record.")
	descReload    = desc("config_reload_ok", "1 when the config could be read the last time that it changed; 0: who may come in stays as it was.")
	descDriver    = desc("driver", "1 when somebody holds control.")
)

// Describe lists nothing, as sources and sales come from the config.
func (h health) Describe(chan<- *prometheus.Desc) {}

// Collect tells everything.
func (h health) Collect(out chan<- prometheus.Metric) {
	gauge := func(d *prometheus.Desc, v float64, labels ...string) {
		out <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	counter := func(d *prometheus.Desc, v float64, labels ...string) {
		out <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, v, labels...)
	}
	gauge(descBuild, 1, buildVersion())
	gauge(descStarted, unixSeconds(h.started))
	h.known(gauge, counter)
	h.people(gauge, counter)
	if h.desk != nil {
		h.done(gauge, counter)
	}
	gauge(descReload, bit(h.loud() == ""))
}

type tell func(d *prometheus.Desc, v float64, labels ...string)

// known tells of what is read and judged.
func (h health) known(gauge, counter tell) {
	snap := h.cockpit.store.Snapshot()
	gauge(descJudged, unixSeconds(snap.At))
	for i := range snap.Sources {
		src := &snap.Sources[i]
		labels := []string{src.Name, src.Kind}
		counter(descCalls, float64(src.Calls), labels...)
		counter(descCost, src.CostUSD, labels...)
		gauge(descFailures, float64(src.Failures), labels...)
		gauge(descUp, bit(src.Condition == sale.SourceLive), labels...)
		if !src.LastTry.IsZero() {
			gauge(descTook, src.Took.Seconds(), labels...)
		}
		if !src.Newest.IsZero() { // an age that is not known is not zero
			gauge(descNewest, unixSeconds(src.Newest), labels...)
		}
	}
	for _, st := range snap.Sales {
		for _, v := range []sale.Verdict{sale.OK, sale.Watch, sale.Bad, sale.Unknown} {
			gauge(descVerdict, bit(st.Verdict == v), string(st.Sale.ID), string(v))
		}
	}
}

// people tells of who looks.
func (h health) people(gauge, counter tell) {
	n := h.server.Counts()
	gauge(descSessions, float64(n.Sessions))
	gauge(descConns, float64(n.Connections))
	counter(descLogins, float64(n.Admitted), "admitted")
	counter(descLogins, float64(n.TurnedAway), "turned_away")
	counter(descLogins, float64(n.Refused), "refused")
	counter(descPanics, float64(n.Panics))
	counter(descFrames, float64(h.frames.drawn.Load()))
	counter(descSlow, float64(h.frames.slow.Load()))
	counter(descFrameTime, time.Duration(h.frames.lagged.Load()).Seconds())
	gauge(descFrameMax, time.Duration(h.frames.worst.Swap(0)).Seconds())
}

// done tells of what was done.
func (h health) done(gauge, counter tell) {
	gauge(descJournal, bit(h.desk.recorder.Err() == nil))
	gauge(descHead, float64(h.desk.recorder.Head().Seq))
	gauge(descDriver, bit(h.wheel.held()))
	for k, n := range h.desk.outcomes.counts() {
		counter(descActions, float64(n), k.action, k.outcome)
	}
}

func bit(yes bool) float64 {
	if yes {
		return 1
	}
	return 0
}

func unixSeconds(at time.Time) float64 { return float64(at.UnixNano()) / 1e9 }
