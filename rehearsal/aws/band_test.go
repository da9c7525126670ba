package aws

import (
	"context"
	"strings"
	"testing"
	"time"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"

	"github.com/onsale-dev/onsale/rehearsal/telemetry"
)

// trainedOn is two hours of a metric that goes up and down between 90 and 110.
func trainedOn(m telemetry.Metric) []telemetry.Minute {
	var all []telemetry.Minute
	for i := range 120 {
		v := 90 + float64(i%2)*20
		all = append(all, telemetry.Minute{Start: noon().Add(time.Duration(i-125) * time.Minute), Sum: v, Min: v, Max: v, Count: 1, Unit: "Count"})
	}
	return all
}

func TestABandIsTwoSeriesOfOneIdWhereAModelWasTrainedAndNoDatapointWhereNot(t *testing.T) {
	queue, edge, young := key("AWS/SQS", "NumberOfMessagesSent", "QueueName", "orders"), key("AWS/CloudFront", "Requests"), key("AWS/RDS", "CPUUtilization")
	p := &platform{minutes: map[telemetry.Metric][]telemetry.Minute{
		requests: trainedOn(requests), queue: trainedOn(queue), edge: trainedOn(edge), young: trainedOn(young)[110:],
	}}
	c := cloudWatchOf(t, p)
	for _, k := range []struct {
		name   string
		metric telemetry.Metric
		band   string
		want   string
	}{
		{"two deviations", requests, "ANOMALY_DETECTION_BAND(m, 2)", "[120 120 120] [80 80 80]"},
		{"one and a half", requests, "ANOMALY_DETECTION_BAND(m, 1.5)", "[115 115 115] [85 85 85]"},
		{"two without a number", requests, "ANOMALY_DETECTION_BAND(m)", "[120 120 120] [80 80 80]"},
		{"a queue that nobody trained a model of", queue, "ANOMALY_DETECTION_BAND(m, 2)", "[] []"},
		{"the edge", edge, "ANOMALY_DETECTION_BAND(m, 2)", "[] []"},
		{"too little to train on", young, "ANOMALY_DETECTION_BAND(m, 2)", "[] []"},
	} {
		t.Run(k.name, func(t *testing.T) {
			out := ask(t, c, 3*time.Minute, hidden(metricQueryFor("m", k.metric, "Sum", 60)), expressionFor("e", k.band))
			var got []string
			for _, r := range out.MetricDataResults {
				if *r.Id != "e" || r.StatusCode != types.StatusCodeComplete {
					t.Errorf("id %s, status %s", *r.Id, r.StatusCode)
				}
				got = append(got, numbers(r))
			}
			if s := strings.Join(got, " "); s != k.want {
				t.Errorf("%s, want %s", s, k.want)
			}
		})
	}
}

func TestABandOfNoMetricIsRefused(t *testing.T) {
	c := cloudWatchOf(t, busy())
	for _, band := range []string{"ANOMALY_DETECTION_BAND()", "ANOMALY_DETECTION_BAND(2, 2)", "ANOMALY_DETECTION_BAND(m, 0)", "ANOMALY_DETECTION_BAND(m, m)", "ANOMALY_DETECTION_BAND(m, 2, 3)", "ANOMALY_DETECTION_BAND(other, 2)"} {
		_, err := c.GetMetricData(context.Background(), &cloudwatch.GetMetricDataInput{
			StartTime: awssdk.Time(noon().Add(-time.Hour)), EndTime: awssdk.Time(noon()),
			MetricDataQueries: []types.MetricDataQuery{metricQueryFor("m", requests, "Sum", 60), expressionFor("e", band)},
		})
		if err == nil || !strings.Contains(err.Error(), "Error in expression 'e'") {
			t.Errorf("%s: %v", band, err)
		}
	}
}
