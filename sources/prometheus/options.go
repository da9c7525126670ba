package prometheus

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/onsale-dev/onsale/sale"
	"github.com/prometheus/common/config"
	"github.com/prometheus/sigv4"
)

// Kind is the source's kind in a config.
const Kind = "prometheus"

// Query is one signal and the PromQL expression that gives it. The expression must yield one
// number: a scalar or a vector of one series.
type Query struct {
	sale.Key
	Unit sale.Unit
	Expr string
}

// Options declare a source. Name, URL and Queries are needed.
type Options struct {
	Name string
	// URL is where the API begins, without /api/v1: "https://mimir.example/prometheus". A user
	// and password in it are sent as basic auth.
	URL string
	// Every is the cadence of the polls; 0 is 5 s.
	Every time.Duration
	// Lookback is sent as lookback_delta: how old a sample may be to count as now. 0 leaves it
	// to the server, whose usual is 5 minutes. It must be longer than two scrape intervals.
	Lookback time.Duration

	// HTTP holds credentials, TLS and headers as Prometheus' own config does; nil is none.
	HTTP *config.HTTPClientConfig
	// SigV4 signs requests for AWS; its ServiceName is "aps" unless set ("monitoring" is
	// CloudWatch). nil does not sign.
	SigV4 *sigv4.SigV4Config
	// RoundTripper replaces HTTP and SigV4, for a caller with a transport of its own.
	RoundTripper http.RoundTripper
	// Secrets never appear in a text, beside those that HTTP, SigV4 and URL hold.
	Secrets []string
	// Version is onsale's own, for the User-Agent.
	Version string

	Queries []Query
	// History is how far back to read once; 0 is not at all.
	History time.Duration
	// Step is the spacing of the points of the history; 0 is a 240th of it, at least Every.
	Step time.Duration
}

// normal checks the options and fills in the defaults. Nothing of the caller's is changed.
func (o Options) normal() (Options, *url.URL, error) {
	if o.Name == "" {
		return o, nil, errors.New("prometheus: a source needs a name")
	}
	u, err := url.Parse(o.URL)
	if err != nil {
		return o, nil, fmt.Errorf("prometheus: source %s: the url is not one: write https://host/path", o.Name) // err would repeat the url, and a password in it
	}
	if (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" {
		return o, nil, fmt.Errorf("prometheus: source %s: the url must begin with http:// or https:// and name a host", o.Name)
	}
	u.Path = strings.TrimSuffix(strings.TrimRight(u.Path, "/"), "/api/v1")
	u.Fragment = ""
	if o.Every <= 0 {
		o.Every = 5 * time.Second
	}
	if o.History > 0 && o.Step <= 0 {
		o.Step = max(o.Every, o.History/240)
	}
	o.Step = wholeSeconds(o.Step)
	seen := make(map[sale.Key]bool, len(o.Queries))
	for _, q := range o.Queries {
		switch {
		case strings.TrimSpace(q.Expr) == "":
			return o, nil, fmt.Errorf("prometheus: source %s: %s of %s has an empty query", o.Name, q.Signal, q.Sale)
		case seen[q.Key]:
			return o, nil, fmt.Errorf("prometheus: source %s: %s of %s is declared twice", o.Name, q.Signal, q.Sale)
		}
		seen[q.Key] = true
	}
	return o, u, nil
}

// wholeSeconds rounds a step up, so that its multiples stay aligned in every cache.
func wholeSeconds(d time.Duration) time.Duration {
	return max((d + time.Second - 1).Truncate(time.Second), time.Second)
}

// Permissions lists what IAM must allow for a server that is asked with Signature Version 4: "aps" is
// Amazon Managed Service for Prometheus, on its workspace, "monitoring" CloudWatch's PromQL, on all
// resources. Any other server has permissions of its own.
func Permissions(service string) []string {
	switch service {
	case "aps":
		return []string{"aps:QueryMetrics"}
	case "monitoring":
		return []string{"cloudwatch:GetMetricData", "cloudwatch:ListMetrics"}
	}
	return nil
}
