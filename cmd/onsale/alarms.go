package main

import (
	"cmp"
	"context"
	"crypto/tls"
	"fmt"
	"slices"

	promconfig "github.com/prometheus/common/config"

	"github.com/onsale-dev/onsale/config"
	"github.com/onsale-dev/onsale/sale"
	"github.com/onsale-dev/onsale/sources"
	"github.com/onsale-dev/onsale/sources/alertmanager"
	"github.com/onsale-dev/onsale/sources/cloudwatch"
	"github.com/onsale-dev/onsale/sources/prometheus"
)

// alarms makes a source of what another system judges by itself.
func (p *program) alarms(cfg *config.Config, s *config.Source) (sources.Source, error) {
	whose := whoseOf(cfg, s)
	switch s.Kind {
	case config.KindCloudWatchAlarms:
		return withLogin(s, s.Kind, func(ctx context.Context) (sources.Source, error) {
			aws, err := p.loadAWS(ctx, s.CloudWatchAlarms.AWS)
			if err != nil {
				return nil, err
			}
			return cloudwatch.NewAlarms(cloudwatch.AlarmsOptions{
				Name: s.Name, Region: s.CloudWatchAlarms.Region, Profile: s.CloudWatchAlarms.Profile, Secrets: awsSecrets(s.CloudWatchAlarms.AWS),
				API: cloudwatch.NewClient(aws, s.CloudWatchAlarms.Endpoint, httpClient()), Every: s.Every, Prefix: s.CloudWatchAlarms.Prefix, Whose: whose,
			})
		})
	case config.KindPrometheusAlerts:
		return withLogin(s, s.Kind, func(ctx context.Context) (sources.Source, error) {
			o, err := p.prometheusOptions(ctx, s)
			if err != nil {
				return nil, err
			}
			return prometheus.NewAlerts(o, whose)
		})
	}
	am := s.AlertmanagerAlerts
	trust, err := tlsOf(am.TLS)
	if err != nil {
		return nil, err
	}
	o := alertmanager.Options{Name: s.Name, Peers: am.Peers, Every: s.Every, Bearer: am.Bearer.Reveal(), TLS: trust, Version: buildVersion(), Whose: whose}
	if am.Basic != nil {
		o.User, o.Password = am.Basic.Username, am.Basic.Password.Reveal()
	}
	return alertmanager.New(o)
}

// whoseOf writes the rules of a source out for every sale. Longer ids come first within a rule:
// "arena-2-cpu" is arena-2's, not arena's.
func whoseOf(cfg *config.Config, s *config.Source) sources.Whose {
	ids := make([]sale.ID, len(cfg.Sales))
	for i := range cfg.Sales {
		ids[i] = cfg.Sales[i].ID
	}
	slices.SortStableFunc(ids, func(a, b sale.ID) int { return cmp.Compare(len(b), len(a)) })
	var whose sources.Whose
	for i := range s.Whose {
		for _, id := range ids {
			if m, ok := s.Whose[i].For(id); ok {
				whose = append(whose, sources.Match{Sale: id, Name: m.Name, Labels: m.Labels, Tags: m.Tags})
			}
		}
	}
	return whose
}

// trust is whom to trust, in the words of Prometheus' own config.
func trust(t config.TLS) promconfig.TLSConfig {
	return promconfig.TLSConfig{CAFile: t.CA, CertFile: t.Cert, KeyFile: t.Key, ServerName: t.ServerName, InsecureSkipVerify: t.Insecure}
}

// tlsOf is whom to trust as a client takes it; nil is the system's trust.
func tlsOf(t config.TLS) (*tls.Config, error) {
	if t == (config.TLS{}) {
		return nil, nil
	}
	words := trust(t)
	cfg, err := promconfig.NewTLSConfig(&words)
	if err != nil {
		return nil, fmt.Errorf("tls: %w", err)
	}
	return cfg, nil
}
