package prometheus

import (
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql/parser"

	"github.com/onsale-dev/onsale/sale"
	"github.com/onsale-dev/onsale/sources"
)

// What is peculiar to one of the systems that speak the Prometheus API.

// CloudWatch returns at most 500 series, an unlimited query included, and does not say that there
// were more. A joined query that could pass the limit by itself would be cut every time.
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch-PromQL-API-QueryMetrics.html
const (
	cloudWatchSeries = 500
	cloudWatchTerms  = 250
)

// errCut is an answer that the system cut at its limit of series: what is not in it may still be there.
var errCut = errors.New("the answer was cut at the limit of series")

// cut reports whether an answer reached the limit of series.
func (s *Source) cut(value model.Value) bool {
	vector, ok := value.(model.Vector)
	return ok && s.mostSeries > 0 && len(vector) >= s.mostSeries
}

// isNamed reports whether every selector names its metric, which CloudWatch asks for.
func isNamed(expr parser.Expr) bool {
	named := true
	parser.Inspect(expr, func(node parser.Node, _ []parser.Node) error {
		if vs, ok := node.(*parser.VectorSelector); ok {
			named = named && namesMetric(vs)
		}
		return nil
	})
	return named
}

func namesMetric(vs *parser.VectorSelector) bool {
	for _, m := range vs.LabelMatchers {
		if m.Name == model.MetricNameLabel && m.Type == labels.MatchEqual && m.Value != "" {
			return true
		}
	}
	return vs.Name != ""
}

func unnamed(expr string) *sale.Problem {
	return problem(sale.BadData, `select the metric by its name: {"http.server.active_requests"} or {__name__="…"}`,
		"CloudWatch selects series only by a metric's name: %s", excerpt(expr))
}

// Unfit says why the service of AWS that a source signs for will never answer an expression; nil
// means that nothing is known against it. service may be any, "" for a server that is not AWS's.
func Unfit(service, expr string) *sale.Problem {
	if service != CloudWatchService {
		return nil
	}
	if parsed, err := parse(expr); err == nil && !isNamed(parsed) {
		return unnamed(expr)
	}
	return nil
}

// overSamples reports that Amazon Managed Prometheus refused a query for its samples.
func overSamples(text string) bool {
	text = strings.ToLower(strings.ReplaceAll(text, "_", " "))
	return strings.Contains(text, "max samples processed") || strings.Contains(text, "samples processed") && strings.Contains(text, "threshold")
}

// ofGate knows refusals by what stands before the API: Mimir and Cortex of a tenant, in plain text,
// and AWS of a request that nobody signed.
func ofGate(err error, about sources.About) (sale.Problem, bool) {
	var status *sources.StatusError
	if !errors.As(err, &status) {
		return sale.Problem{}, false
	}
	said := string(status.Body)
	hint := ""
	switch {
	case status.Status == http.StatusUnauthorized && strings.Contains(said, "no org id"):
		hint = "the server keeps several tenants apart: name one with tenants: [NAME]"
	case strings.Contains(said, "multiple org IDs present"):
		hint = "this server does not answer for several tenants at once: name one, or switch tenant federation on there"
	case status.Status == http.StatusForbidden && strings.Contains(said, "issing Authentication Token"):
		hint = "this address wants requests that are signed for AWS: auth: {sigv4: {region: …}}"
	default:
		return sale.Problem{}, false
	}
	p := sources.Classify(err, about)
	p.Class, p.Hint = sale.Auth, hint
	return p, true
}

// partial makes a note for each sale whose figures may be too low, because the server said that a
// part of the data did not answer: Thanos' partial response, a remote read that failed. What
// Prometheus' engine remarks on a query itself begins with "PromQL", and says nothing of that; nor
// does the warning that a query is expensive.
func partial(name string, queries []Query, said, secrets []string) []sale.Note {
	for _, text := range warningsOf(said, secrets) {
		if strings.HasPrefix(text, "PromQL") || strings.Contains(strings.ToLower(text), "samples processed") {
			continue
		}
		var notes []sale.Note
		noted := map[sale.ID]bool{}
		for _, q := range queries {
			if !noted[q.Sale] {
				noted[q.Sale] = true
				notes = append(notes, sale.Note{Sale: q.Sale, Code: "partial", Text: sale.Clean(fmt.Sprintf("%s answers in part, its figures may be too low: %s", name, text), 240)})
			}
		}
		return notes
	}
	return nil
}
