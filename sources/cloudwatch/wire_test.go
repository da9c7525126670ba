package cloudwatch

import (
	"context"
	"io"
	"math"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/smithy-go/encoding/cbor"

	"github.com/onsale-dev/onsale/sale"
	"github.com/onsale-dev/onsale/sources"
	"github.com/onsale-dev/onsale/sources/sourcetest"
)

// wire answers GetMetricData in RPC v2 CBOR: every series has a value for every period,
// except those that silent names.
type wire struct {
	silent string                          // series whose name holds it
	dress  func(result, answer cbor.Map)   // changes what goes out; may be nil
	check  func(t *testing.T, in cbor.Map) // looks at the request
	t      *testing.T
}

func (h wire) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	decoded, err := cbor.Decode(body)
	in, ok := decoded.(cbor.Map)
	if err != nil || !ok || r.URL.Path != "/service/GraniteServiceVersion20100801/operation/GetMetricData" {
		fail(w, r, http.StatusBadRequest, "SerializationException")
		return
	}
	if h.check != nil {
		h.check(h.t, in)
	}
	answer := cbor.Map{}
	var results cbor.List
	for _, q := range in["MetricDataQueries"].(cbor.List) {
		query := q.(cbor.Map)
		if want, ok := query["ReturnData"].(cbor.Bool); ok && !bool(want) {
			continue
		}
		period, name := int64(60), "expression"
		if stat, ok := query["MetricStat"].(cbor.Map); ok {
			period = int64(stat["Period"].(cbor.Uint))
			name = string(stat["Metric"].(cbor.Map)["MetricName"].(cbor.String))
		}
		result := cbor.Map{"Id": query["Id"], "Label": cbor.String(name), "StatusCode": cbor.String("Complete")}
		times, values := cbor.List{}, cbor.List{}
		if h.silent == "" || !strings.Contains(name, h.silent) {
			for at := seconds(in["EndTime"]) - period; at >= seconds(in["StartTime"]); at -= period {
				times = append(times, &cbor.Tag{ID: 1, Value: cbor.Float64(at)})
				values = append(values, cbor.Float64(42))
			}
		}
		result["Timestamps"], result["Values"] = times, values
		if h.dress != nil {
			h.dress(result, answer)
		}
		results = append(results, result)
	}
	answer["MetricDataResults"] = results
	header(w)
	_, _ = w.Write(cbor.Encode(answer))
}

func seconds(v cbor.Value) int64 {
	switch s := v.(*cbor.Tag).Value.(type) {
	case cbor.Float64:
		return int64(s)
	case cbor.Uint:
		return int64(s)
	}
	return 0
}

func header(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "application/cbor")
	w.Header().Set("Smithy-Protocol", "rpc-v2-cbor")
}

// fail writes an error as CloudWatch does; message is the code when it has no blank.
func fail(w http.ResponseWriter, _ *http.Request, status int, message string) {
	code := map[int]string{
		401: "UnrecognizedClientException", 403: "AccessDeniedException", 404: "ResourceNotFoundException",
		429: "ThrottlingException", 500: "InternalServiceFault", 503: "ServiceUnavailable",
	}[status]
	if code == "" {
		code = message
	}
	header(w)
	w.WriteHeader(status)
	_, _ = w.Write(cbor.Encode(cbor.Map{"__type": cbor.String("com.amazonaws.cloudwatch#" + code), "message": cbor.String(message)}))
}

func client(url string) API {
	return NewClient(aws.Config{
		Region:      "eu-central-1",
		Credentials: credentials.NewStaticCredentialsProvider("AKIDEXAMPLE", sourcetest.Secret, ""),
	}, url, nil)
}

// later is a source whose every poll comes a minute after the one before, as the poller's do:
// a poll with nothing new to read would send nothing.
type later struct {
	*Source
	minutes int
}

func (l *later) Read(ctx context.Context, now time.Time) sale.Batch {
	l.minutes++
	return l.Source.Read(ctx, now.Add(time.Duration(l.minutes)*time.Minute))
}

func TestTheContractOfASource(t *testing.T) {
	queries := []Query{connections("arena"), errorsRatio("arena", "app/arena"), oldest("arena"), connections("club")}
	want := map[sale.Key]sale.Unit{}
	for _, q := range queries {
		want[q.Key] = q.Unit
	}
	hostile := func(result, answer cbor.Map) {
		note := cbor.Map{"Code": cbor.String(sourcetest.Escape), "Value": cbor.String(sourcetest.Escape + sourcetest.Secret)}
		result["Label"] = cbor.String(sourcetest.Escape)
		result["StatusCode"] = cbor.String("Complete")
		if result["Id"] == cbor.String("e1") {
			result["StatusCode"], result["Values"], result["Timestamps"] = cbor.String(sourcetest.Escape), cbor.List{}, cbor.List{}
		}
		result["Messages"] = cbor.List{note}
		answer["Messages"] = cbor.List{note}
	}
	sourcetest.Contract(t, sourcetest.Harness{
		New: func(t *testing.T, url string) sources.Source {
			return &later{Source: newSource(t, client(url), func(o *Options) { o.Secrets = []string{sourcetest.Secret} }, queries...)}
		},
		Healthy:        wire{},
		Want:           want,
		Partial:        wire{silent: "expression"},
		PartialMissing: []sale.Key{queries[1].Key},
		Hostile:        wire{dress: hostile},
		Fail:           fail,
		Header:         http.Header{"Content-Type": {"application/cbor"}, "Smithy-Protocol": {"rpc-v2-cbor"}},
		WrongTypes: [][]byte{
			cbor.Encode(cbor.Map{}),
			cbor.Encode(cbor.List{}),
			cbor.Encode(cbor.String("text")),
			cbor.Encode(&cbor.Nil{}),
			cbor.Encode(cbor.Map{"MetricDataResults": cbor.String("none")}),
			cbor.Encode(cbor.Map{"MetricDataResults": cbor.List{cbor.Map{"Id": cbor.Uint(7)}}}),
			cbor.Encode(cbor.Map{"MetricDataResults": cbor.List{cbor.Map{"Id": cbor.String("m1"), "StatusCode": cbor.String("Complete"), "Values": cbor.List{cbor.String("42")}}}}),
			cbor.Encode(cbor.Map{"MetricDataResults": cbor.List{cbor.Map{"Id": cbor.String("m1"), "StatusCode": cbor.String("Complete"), "Values": cbor.List{cbor.Float64(math.NaN())}, "Timestamps": cbor.List{cbor.String("now")}}}}),
			{},
			{0xff},
		},
		Binary:       true,
		CallsPerPoll: 1,
	})
}
