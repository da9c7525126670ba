package prometheus

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/onsale-dev/onsale/sale"
	"github.com/prometheus/common/config"
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
	// Signing signs requests for AWS; nil does not sign.
	Signing *Signing
	// RoundTripper replaces HTTP and Signing, for a caller with a transport of its own.
	RoundTripper http.RoundTripper
	// Secrets never appear in a text, beside those that HTTP and URL hold.
	Secrets []string
	// Version is onsale's own, for the User-Agent.
	Version string

	// Dedup and PartialResponse are Thanos' own parameters of a query; nil leaves them to the
	// server. https://thanos.io/tip/components/query.md/#query-api-overview
	Dedup, PartialResponse *bool
	// WarnSamples and MostSamples are Amazon Managed Prometheus' thresholds for the samples that
	// one query processes: over the first it warns, over the second it refuses the query and does
	// not bill it. 0 sends none.
	// https://docs.aws.amazon.com/prometheus/latest/userguide/AMP-APIReference-QueryMetrics.html
	WarnSamples, MostSamples int64

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

// parameters are what every query carries beside those of Prometheus' own API.
func (o Options) parameters() url.Values {
	args := url.Values{}
	flag := func(name string, on *bool) {
		if on != nil {
			args.Set(name, strconv.FormatBool(*on))
		}
	}
	flag("dedup", o.Dedup)
	flag("partial_response", o.PartialResponse)
	count := func(name string, n int64) {
		if n > 0 {
			args.Set(name, strconv.FormatInt(n, 10))
		}
	}
	count("max_samples_processed_warning_threshold", o.WarnSamples)
	count("max_samples_processed_error_threshold", o.MostSamples)
	return args
}

// ofCloudWatch reports whether CloudWatch itself is asked, which has limits of its own.
func (o Options) ofCloudWatch() bool {
	return o.Signing != nil && o.Signing.Service == CloudWatchService
}

// Permissions lists what IAM must allow for a server that is asked with Signature Version 4: "aps" is
// Amazon Managed Service for Prometheus, on its workspace, "monitoring" CloudWatch's PromQL, on all
// resources. Any other server has permissions of its own.
func Permissions(service string) []string {
	switch service {
	case ManagedService:
		return []string{"aps:QueryMetrics"}
	case CloudWatchService:
		return []string{"cloudwatch:GetMetricData", "cloudwatch:ListMetrics"}
	}
	return nil
}

// RulePermissions lists what IAM must allow to read the alerting rules, as Permissions does.
// CloudWatch has none that its PromQL would tell.
func RulePermissions(service string) []string {
	if service == ManagedService {
		return []string{"aps:ListRules"}
	}
	return nil
}
