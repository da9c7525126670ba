package main

import (
	"context"
	"fmt"
	"strings"

	promconfig "github.com/prometheus/common/config"

	"github.com/onsale-dev/onsale/config"
	"github.com/onsale-dev/onsale/sale"
	"github.com/onsale-dev/onsale/sources"
	"github.com/onsale-dev/onsale/sources/prometheus"
)

func (p *program) prometheus(cfg *config.Config, s *config.Source) (sources.Source, error) {
	return withLogin(s, config.KindPrometheus, func(ctx context.Context) (sources.Source, error) {
		o, err := p.prometheusOptions(ctx, s)
		if err != nil {
			return nil, err
		}
		o.Lookback, o.History, o.Step = s.Prometheus.Lookback, prometheusHistory, max(prometheusStep, s.Every)
		o.Dedup, o.PartialResponse = s.Prometheus.Dedup, s.Prometheus.PartialResponse
		o.WarnSamples, o.MostSamples = s.Prometheus.WarnSamples, s.Prometheus.MaxSamples
		eachRead(cfg, s.Name, func(key sale.Key, r config.Read) {
			o.Queries = append(o.Queries, prometheus.Query{Key: key, Unit: r.Unit, Expr: r.Prometheus.Query})
		})
		return prometheus.New(o)
	})
}

// prometheusOptions are how to reach a server, whatever is asked of it. What signs for AWS
// shares its credentials with the other sources of the same login.
func (p *program) prometheusOptions(ctx context.Context, s *config.Source) (prometheus.Options, error) {
	o := prometheus.Options{Name: s.Name, URL: s.Prometheus.URL, Every: s.Every, HTTP: prometheusHTTP(s.Prometheus), Version: buildVersion()}
	if v4 := s.Prometheus.SigV4; v4 != nil {
		aws, err := p.loadAWS(ctx, v4.AWS)
		if err != nil {
			return o, err
		}
		o.Signing = &prometheus.Signing{Credentials: aws.Credentials, Region: v4.Region, Service: v4.Service}
		o.Secrets = awsSecrets(v4.AWS)
	}
	return o, nil
}

// prometheusHTTP is how to log in and whom to trust, in the words of Prometheus' own config.
func prometheusHTTP(s *config.PrometheusSource) *promconfig.HTTPClientConfig {
	c := promconfig.DefaultHTTPClientConfig
	if s.Basic != nil {
		c.BasicAuth = &promconfig.BasicAuth{Username: s.Basic.Username, Password: promconfig.Secret(s.Basic.Password.Reveal())}
	}
	if token := s.Bearer.Reveal(); token != "" {
		c.Authorization = &promconfig.Authorization{Type: "Bearer", Credentials: promconfig.Secret(token)}
	}
	headers := map[string]promconfig.Header{}
	for name, value := range s.Headers {
		headers[name] = promconfig.Header{Secrets: []promconfig.Secret{promconfig.Secret(value.Reveal())}}
	}
	if len(s.Tenants) > 0 { // several are one header: a|b
		headers["X-Scope-OrgID"] = promconfig.Header{Values: []string{strings.Join(s.Tenants, "|")}}
	}
	if len(headers) > 0 {
		c.HTTPHeaders = &promconfig.Headers{Headers: headers}
	}
	c.TLSConfig = trust(s.TLS)
	return &c
}

// unfitQueries are the expressions that the AWS service behind a source will never answer.
func unfitQueries(cfg *config.Config) []string {
	var wrong []string
	for i := range cfg.Sources {
		s := &cfg.Sources[i]
		if s.Kind != config.KindPrometheus || s.Prometheus == nil || s.Prometheus.SigV4 == nil {
			continue
		}
		eachRead(cfg, s.Name, func(key sale.Key, r config.Read) {
			if p := prometheus.Unfit(s.Prometheus.SigV4.Service, r.Prometheus.Query); p != nil {
				at := cfg.At("sales", string(key.Sale), "signals", string(key.Signal), "query")
				wrong = append(wrong, fmt.Sprintf("%s:%d:%d: signal %q of %s: %s; %s", at.File, at.Line, at.Column, key.Signal, key.Sale, p.Text, p.Hint))
			}
		})
	}
	return wrong
}
