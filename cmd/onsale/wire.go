package main

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"time"

	"github.com/onsale-dev/onsale/config"
	"github.com/onsale-dev/onsale/sale"
	"github.com/onsale-dev/onsale/sources"
	"github.com/onsale-dev/onsale/sources/cloudwatch"
	"github.com/onsale-dev/onsale/sources/sqs"
	"github.com/onsale-dev/onsale/sources/waitingroom"
)

// How far back a source fills the charts when it is first read; longer windows fill as time
// passes. CloudWatch bills a metric and not its points, so there it is three hours. The step of
// Prometheus' history is three of the shortest periods that a figure's age is judged by: coarser
// points could not prove that a breach has lasted, and a check has nothing but history to prove it.
const (
	cloudwatchHistory = 3 * time.Hour
	prometheusHistory = time.Hour
	prometheusStep    = 15 * time.Second
)

// sourcesNeeded are the names of the sources that each sale needs.
func sourcesNeeded(cfg *config.Config) map[sale.ID][]string {
	needed := map[sale.ID][]string{}
	add := func(id sale.ID, source string) {
		if !slices.Contains(needed[id], source) {
			needed[id] = append(needed[id], source)
		}
	}
	for i := range cfg.Sales {
		for _, read := range cfg.Sales[i].Reads {
			add(cfg.Sales[i].ID, read.Source)
		}
	}
	for i := range cfg.Sources {
		for _, id := range cfg.IncidentSales(&cfg.Sources[i]) {
			add(id, cfg.Sources[i].Name)
		}
	}
	return needed
}

// assemble makes the sources of a config and the store that they fill. It sends nothing, but it
// may read credential files.
func (p *program) assemble(cfg *config.Config, log *slog.Logger) (*cockpit, error) {
	c := &cockpit{config: cfg, reads: sourcesNeeded(cfg), log: log, chronicle: &chronicle{config: cfg}}
	var infos []sale.SourceInfo
	for i := range cfg.Sources {
		src, err := p.source(c, &cfg.Sources[i])
		if err != nil {
			return nil, fmt.Errorf("source %s: %w", cfg.Sources[i].Name, err)
		}
		if src == nil {
			continue // nothing reads from it
		}
		c.sources = append(c.sources, bounded(src, &cfg.Sources[i]))
		infos = append(infos, src.Info())
	}
	if len(c.sources) == 0 {
		return nil, errNoSources
	}
	c.store = sale.NewStore(declared(cfg), infos, cfg.Limits, time.Now())
	return c, nil
}

// source makes one source with everything that the sales read from it, or nil when they read nothing.
func (p *program) source(c *cockpit, s *config.Source) (sources.Source, error) {
	cfg := c.config
	if s.TellsOfIncidents() {
		return p.incidentSource(cfg, s, c.chronicle.known)
	}
	if s.Kind == config.KindCalendar {
		return p.calendar(s, p.takeCalendar)
	}
	if !isRead(cfg, s.Name) && !s.ReadsAlarms() {
		return nil, nil
	}
	switch s.Kind {
	case config.KindPrometheus:
		return p.prometheus(cfg, s)
	case config.KindCloudWatch:
		return p.cloudwatch(cfg, s)
	case config.KindSQS:
		return p.sqs(cfg, s)
	case config.KindWaitingRoom:
		return p.waitingRoom(cfg, s)
	case config.KindAutoScaling:
		return p.autoscaling(cfg, s)
	case config.KindECS:
		return p.ecs(cfg, s)
	case config.KindRDS:
		return p.rds(cfg, s)
	case config.KindKubernetes:
		return p.kubernetes(cfg, s)
	case config.KindHTTPJSON:
		return p.httpJSON(cfg, s)
	case config.KindRedis:
		return p.redis(cfg, s)
	case config.KindCloudWatchAlarms, config.KindPrometheusAlerts, config.KindAlertmanagerAlerts:
		return p.alarms(cfg, s)
	}
	return nil, fmt.Errorf("no reader for kind %q", s.Kind)
}

func isRead(cfg *config.Config, source string) bool {
	for i := range cfg.Sales {
		if slices.ContainsFunc(cfg.Sales[i].Reads, func(r config.Read) bool { return r.Source == source }) {
			return true
		}
	}
	return false
}

// eachRead visits what the sales read from one source, in the order of the config.
func eachRead(cfg *config.Config, source string, visit func(key sale.Key, r config.Read)) {
	for i := range cfg.Sales {
		for _, r := range cfg.Sales[i].Reads {
			if r.Source == source {
				visit(sale.Key{Sale: cfg.Sales[i].ID, Signal: r.Signal}, r)
			}
		}
	}
}

func (p *program) cloudwatch(cfg *config.Config, s *config.Source) (sources.Source, error) {
	return withLogin(s, config.KindCloudWatch, func(ctx context.Context) (sources.Source, error) {
		aws, err := p.loadAWS(ctx, s.CloudWatch.AWS)
		if err != nil {
			return nil, err
		}
		o := cloudwatch.Options{
			Name: s.Name, Region: s.CloudWatch.Region, Profile: s.CloudWatch.Profile, Secrets: awsSecrets(s.CloudWatch.AWS),
			API:   cloudwatch.NewClient(aws, s.CloudWatch.Endpoint, httpClient()),
			Every: s.Every, Delay: s.CloudWatch.Delay, History: cloudwatchHistory,
		}
		eachRead(cfg, s.Name, func(key sale.Key, r config.Read) {
			o.Queries = append(o.Queries, cloudwatchQuery(key, r))
		})
		return cloudwatch.New(o)
	})
}

func cloudwatchQuery(key sale.Key, r config.Read) cloudwatch.Query {
	q := cloudwatch.Query{
		Key: key, Unit: r.Unit, Expression: r.CloudWatch.Expression, Period: r.CloudWatch.Period,
		MissingZero: r.CloudWatch.MissingZero, Band: r.CloudWatch.Band, Metrics: map[string]cloudwatch.Stat{},
	}
	for id, m := range r.CloudWatch.Metrics {
		q.Metrics[id] = cloudwatch.Stat{
			Namespace: m.Namespace, Metric: m.Metric, Dimensions: m.Dimensions,
			Statistic: m.Statistic, Account: m.Account, Region: r.CloudWatch.Region,
		}
	}
	return q
}

func (p *program) sqs(cfg *config.Config, s *config.Source) (sources.Source, error) {
	return withLogin(s, config.KindSQS, func(ctx context.Context) (sources.Source, error) {
		aws, err := p.loadAWS(ctx, s.SQS.AWS)
		if err != nil {
			return nil, err
		}
		o := sqs.Options{
			Name: s.Name, Region: s.SQS.Region, Profile: s.SQS.Profile, Secrets: awsSecrets(s.SQS.AWS),
			API: sqs.NewClient(aws, s.SQS.Endpoint, httpClient()), Every: s.Every,
		}
		eachRead(cfg, s.Name, func(key sale.Key, r config.Read) {
			o.Queries = append(o.Queries, sqs.Query{Key: key, Unit: r.Unit, Queue: r.SQS.Queue, Attribute: sqs.Attribute(r.SQS.Attribute)})
		})
		return sqs.New(o)
	})
}

func (p *program) waitingRoom(cfg *config.Config, s *config.Source) (sources.Source, error) {
	o := waitingroom.Options{
		Name: s.Name, BaseURL: s.WaitingRoom.URL, Zone: s.WaitingRoom.Zone, Token: s.WaitingRoom.Token.Reveal(),
		Every: s.Every, Client: httpClient(),
	}
	eachRead(cfg, s.Name, func(key sale.Key, r config.Read) {
		o.Queries = append(o.Queries, waitingroom.Query{Key: key, Unit: r.Unit, Room: r.WaitingRoom.Room, Field: waitingroom.Field(r.WaitingRoom.Field)})
	})
	return waitingroom.New(o)
}

func httpClient() *http.Client {
	return sources.NewClient(sources.ClientOptions{Version: buildVersion()})
}
