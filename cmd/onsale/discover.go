package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsscaling "github.com/aws/aws-sdk-go-v2/service/autoscaling"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	cwtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	awssqs "github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/onsale-dev/onsale/config"
	"github.com/onsale-dev/onsale/sale"
	"github.com/onsale-dev/onsale/sources"
	"github.com/onsale-dev/onsale/sources/autoscaling"
	cwsource "github.com/onsale-dev/onsale/sources/cloudwatch"
	"github.com/onsale-dev/onsale/sources/prometheus"
	sqssource "github.com/onsale-dev/onsale/sources/sqs"
	"github.com/onsale-dev/onsale/sources/waitingroom"
)

// found is what discovery saw. Every list is sorted; an empty one is also what could not be asked, which
// was said as it happened.
type found struct {
	signals []exported // that Prometheus can give
	alerts  bool       // Prometheus has alerts
	jobs    []string   // of what it scrapes

	balancers, databases, groups, queues, distributions []string
	services                                            []string // "cluster/service"
	alarms                                              bool     // CloudWatch has alarms
	rooms                                               []string
}

// seeker asks the systems of a first config what there is, with the credentials that the config names.
type seeker struct {
	program *program
	config  *config.Config
	note    func(format string, args ...any)
}

// discoverWithin bounds one system's part.
const discoverWithin = 20 * time.Second

// seek asks every system that is named. One that can't be asked is said and left out: the others are
// still worth having.
func (s *seeker) seek(ctx context.Context) (f found) {
	for i := range s.config.Sources {
		src := &s.config.Sources[i]
		within, cancel := context.WithTimeout(ctx, discoverWithin)
		switch {
		case src.Kind == config.KindPrometheus:
			s.prometheus(within, src, &f)
		case src.Kind == config.KindCloudWatch && src.Name == "edge":
			s.edge(within, src, &f)
		case src.Kind == config.KindCloudWatch:
			s.cloudwatch(within, src, &f)
		case src.Kind == config.KindAutoScaling:
			s.groups(within, src, &f)
		case src.Kind == config.KindSQS:
			s.queues(within, src, &f)
		case src.Kind == config.KindWaitingRoom:
			s.rooms(within, src, &f)
		}
		cancel()
	}
	return f
}

// failed says why a system could not be asked, and what mends it.
func (s *seeker) failed(what string, err error, about sources.About) {
	p := sources.Classify(err, about)
	text := what + ": " + p.Text
	if p.Hint != "" {
		text += "; " + p.Hint
	}
	s.note("  ! %s", text)
}

func (s *seeker) prometheus(ctx context.Context, src *config.Source, f *found) {
	s.note("asking Prometheus at %s", src.Prometheus.URL)
	var names *prometheus.Names
	o, err := s.program.prometheusOptions(ctx, src)
	if err == nil {
		names, err = prometheus.NewNames(o)
	}
	if err != nil {
		s.failed("prometheus", err, sources.About{})
		return
	}
	metrics, err := names.Metrics(ctx)
	if err != nil {
		s.failed("its metrics", err, sources.About{})
		return
	}
	var labels []string
	if hasAll(metrics, []string{"http_requests_total"}) {
		if labels, err = names.Labels(ctx, "http_requests_total"); err != nil {
			s.failed("the labels of http_requests_total", err, sources.About{})
		}
	}
	f.signals, f.alerts = signalsIn(metrics, labels), hasAll(metrics, []string{"ALERTS"})
	if f.jobs, err = names.Values(ctx, "job"); err != nil {
		s.failed("its jobs", err, sources.About{})
	}
	s.note("  %d metrics; %d of them tell of a sale", len(metrics), len(f.signals))
	for _, e := range f.signals {
		s.note("  %s from %s", e.signal, e.by)
	}
}

// cloudwatch asks by the metrics that there are: it takes one permission for everything, and what sends
// no metrics could not be read anyway.
func (s *seeker) cloudwatch(ctx context.Context, src *config.Source, f *found) {
	s.note("asking CloudWatch in %s", src.CloudWatch.Region)
	api, ok := s.metricsAPI(ctx, src)
	if !ok {
		return
	}
	f.databases = s.dimension(ctx, api, "AWS/RDS", "DatabaseConnections", "DBInstanceIdentifier")
	f.balancers = s.dimension(ctx, api, "AWS/ApplicationELB", "RequestCount", "LoadBalancer")
	f.services = s.dimension(ctx, api, "AWS/ECS", "CPUUtilization", "ClusterName", "ServiceName")
	alarms, err := api.DescribeAlarms(ctx, &cloudwatch.DescribeAlarmsInput{MaxRecords: aws.Int32(1)})
	if err != nil {
		s.failed("its alarms (cloudwatch:DescribeAlarms)", err, s.aboutAWS(src))
		return
	}
	if f.alarms = len(alarms.MetricAlarms)+len(alarms.CompositeAlarms) > 0; f.alarms {
		s.note("  alarms")
	}
}

func (s *seeker) edge(ctx context.Context, src *config.Source, f *found) {
	s.note("asking CloudWatch in us-east-1, where CloudFront's metrics are")
	if api, ok := s.metricsAPI(ctx, src); ok {
		f.distributions = s.dimension(ctx, api, "AWS/CloudFront", "Requests", "DistributionId")
	}
}

func (s *seeker) metricsAPI(ctx context.Context, src *config.Source) (api *cloudwatch.Client, ok bool) {
	login, err := s.program.loadAWS(ctx, src.CloudWatch.AWS)
	if err != nil {
		s.failed("the login", err, sources.About{})
		return nil, false
	}
	return cwsource.NewClient(login, src.CloudWatch.Endpoint, httpClient()), true
}

// mostPages bounds how long a list is followed; AWS gives 500 metrics a page.
const mostPages = 10

// dimension lists what a metric is there for: the values of exactly these dimensions, joined by "/".
func (s *seeker) dimension(ctx context.Context, api *cloudwatch.Client, space, metric string, names ...string) (all []string) {
	in := &cloudwatch.ListMetricsInput{Namespace: aws.String(space), MetricName: aws.String(metric)}
	for page := 0; page < mostPages; page++ {
		out, err := api.ListMetrics(ctx, in)
		if err != nil {
			s.failed(space+" (cloudwatch:ListMetrics)", err, sources.About{})
			return nil
		}
		for i := range out.Metrics {
			if value, ok := valuesOf(out.Metrics[i].Dimensions, names); ok && !slices.Contains(all, value) {
				all = append(all, value)
			}
		}
		if in.NextToken = out.NextToken; in.NextToken == nil {
			break
		}
	}
	slices.Sort(all)
	s.counted(space, all)
	return all
}

func valuesOf(dimensions []cwtypes.Dimension, names []string) (string, bool) {
	var parts []string
	for _, name := range names {
		for _, d := range dimensions {
			if aws.ToString(d.Name) == name {
				parts = append(parts, sale.Clean(aws.ToString(d.Value), 0))
			}
		}
	}
	others := 0
	for _, d := range dimensions { // CloudFront says Region=Global with everything
		if !slices.Contains(names, aws.ToString(d.Name)) && aws.ToString(d.Name) != "Region" {
			others++
		}
	}
	return strings.Join(parts, "/"), len(parts) == len(names) && others == 0
}

func (s *seeker) counted(what string, names []string) {
	switch n := len(names); {
	case n == 1:
		s.note("  %s: %s", what, names[0])
	case n > 1:
		s.note("  %s: %d, such as %s", what, n, names[0])
	}
}

func (s *seeker) groups(ctx context.Context, src *config.Source, f *found) {
	s.note("asking Auto Scaling in %s", src.AutoScaling.Region)
	login, err := s.program.loadAWS(ctx, src.AutoScaling.AWS)
	if err != nil {
		s.failed("the login", err, sources.About{})
		return
	}
	pages := awsscaling.NewDescribeAutoScalingGroupsPaginator(autoscaling.NewClient(login, src.AutoScaling.Endpoint, httpClient()), &awsscaling.DescribeAutoScalingGroupsInput{})
	for page := 0; pages.HasMorePages() && page < mostPages; page++ {
		out, err := pages.NextPage(ctx)
		if err != nil {
			s.failed("groups (autoscaling:DescribeAutoScalingGroups)", err, s.aboutAWS(src))
			return
		}
		for i := range out.AutoScalingGroups {
			f.groups = append(f.groups, sale.Clean(aws.ToString(out.AutoScalingGroups[i].AutoScalingGroupName), 0))
		}
	}
	slices.Sort(f.groups)
	s.counted("groups", f.groups)
}

func (s *seeker) queues(ctx context.Context, src *config.Source, f *found) {
	s.note("asking SQS in %s", src.SQS.Region)
	login, err := s.program.loadAWS(ctx, src.SQS.AWS)
	if err != nil {
		s.failed("the login", err, sources.About{})
		return
	}
	pages := awssqs.NewListQueuesPaginator(sqssource.NewClient(login, src.SQS.Endpoint, httpClient()), &awssqs.ListQueuesInput{MaxResults: aws.Int32(1000)})
	for page := 0; pages.HasMorePages() && page < mostPages; page++ {
		out, err := pages.NextPage(ctx)
		if err != nil {
			s.failed("queues (sqs:ListQueues)", err, s.aboutAWS(src))
			return
		}
		for _, url := range out.QueueUrls {
			f.queues = append(f.queues, sale.Clean(url[strings.LastIndex(url, "/")+1:], 0))
		}
	}
	slices.Sort(f.queues)
	s.counted("queues", f.queues)
}

func (s *seeker) rooms(ctx context.Context, src *config.Source, f *found) {
	s.note("asking Cloudflare for the waiting rooms of zone %s", src.WaitingRoom.Zone)
	rooms, err := waitingroom.Rooms(ctx, waitingroom.Options{
		Name: src.Name, BaseURL: src.WaitingRoom.URL, Zone: src.WaitingRoom.Zone, Token: src.WaitingRoom.Token.Reveal(), Client: httpClient(),
	})
	if err != nil {
		s.failed("waiting rooms", err, sources.About{Secrets: []string{src.WaitingRoom.Token.Reveal()}})
		return
	}
	f.rooms = rooms
	slices.Sort(f.rooms)
	s.counted("waiting rooms", f.rooms)
}

// aboutAWS hides what an answer of AWS may repeat.
func (s *seeker) aboutAWS(src *config.Source) sources.About {
	if in := awsLogin(src); in != nil {
		return sources.About{Secrets: awsSecrets(*in)}
	}
	return sources.About{}
}

// awsLogin is how a source logs in to AWS, or nil.
func awsLogin(s *config.Source) *config.AWS {
	switch {
	case s.CloudWatch != nil:
		return &s.CloudWatch.AWS
	case s.SQS != nil:
		return &s.SQS.AWS
	case s.AutoScaling != nil:
		return &s.AutoScaling.AWS
	case s.ECS != nil:
		return &s.ECS.AWS
	case s.CloudWatchAlarms != nil:
		return &s.CloudWatchAlarms.AWS
	case s.OpsItem != nil:
		return &s.OpsItem.AWS
	}
	return nil
}

// pick chooses one of what was found for a sale: the only one, the one that bears the sale's name, or
// what a person says. Without anybody to ask none is chosen: the wrong database would look like the right one.
func pick(names []string, id string, ask func(names []string) (int, error)) (name string, err error) {
	if len(names) == 0 {
		return "", nil
	}
	if len(names) == 1 {
		return names[0], nil
	}
	var like []string
	for _, n := range names {
		if strings.Contains(strings.ToLower(n), strings.ToLower(id)) {
			like = append(like, n)
		}
	}
	if len(like) == 1 {
		return like[0], nil
	}
	if ask == nil {
		return "", nil
	}
	i, err := ask(names)
	if err != nil {
		return "", fmt.Errorf("no choice: %w", err)
	}
	return names[i], nil
}
