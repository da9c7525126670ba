package aws

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	cwtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	sqssdk "github.com/aws/aws-sdk-go-v2/service/sqs"
	sqstypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"
	stssdk "github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// callAll calls a service in trouble with its SDK client.
func callAll(t *testing.T, service, kind string) error {
	t.Helper()
	s := serve(t, Fault(service, kind))
	who := keys(AccessKey, testSecret)
	var err error
	switch service {
	case CloudWatch:
		_, err = cloudWatchAt(s.URL, who).GetMetricData(context.Background(), &cloudwatch.GetMetricDataInput{
			StartTime: awssdk.Time(noon()), EndTime: awssdk.Time(noon()), MetricDataQueries: []cwtypes.MetricDataQuery{},
		})
	case SQS:
		_, err = sqsAt(s.URL, who).GetQueueAttributes(context.Background(), &sqssdk.GetQueueAttributesInput{QueueUrl: awssdk.String("http://h/1/q")})
	case STS:
		_, err = stsAt(s.URL, who).GetCallerIdentity(context.Background(), &stssdk.GetCallerIdentityInput{})
	}
	return err
}

func TestAServiceInTroubleAnswersInItsOwnFormat(t *testing.T) {
	for _, k := range []struct {
		service, kind, code string
		status              int
		throttle            bool
	}{
		{CloudWatch, FaultError, "InternalServiceError", 500, false},
		{CloudWatch, FaultThrottle, "Throttling", 400, true},
		{SQS, FaultError, "InternalError", 500, false},
		{SQS, FaultThrottle, "RequestThrottled", 403, true},
		{STS, FaultError, "InternalFailure", 500, false},
		{STS, FaultThrottle, "Throttling", 400, true},
	} {
		t.Run(k.service+" "+k.kind, func(t *testing.T) {
			err := callAll(t, k.service, k.kind)
			if codeOf(err) != k.code {
				t.Fatalf("got %v, want %s", err, k.code)
			}
			if answer := (*smithyhttp.ResponseError)(nil); !errors.As(err, &answer) || answer.HTTPStatusCode() != k.status {
				t.Errorf("got %v, want the status %d", err, k.status)
			}
			throttles := retry.ThrottleErrorCode{Codes: retry.DefaultThrottleErrorCodes}
			if got := throttles.IsErrorThrottle(err) == awssdk.TrueTernary; got != k.throttle {
				t.Errorf("the SDK takes it for a throttle: %v, want %v", got, k.throttle)
			}
			if api := smithy.APIError(nil); errors.As(err, &api) && api.ErrorMessage() == "" {
				t.Error("it says nothing")
			}
		})
	}
}

func TestModelledFaultsComeOutTyped(t *testing.T) {
	if bad := (*cwtypes.InternalServiceFault)(nil); !errors.As(callAll(t, CloudWatch, FaultError), &bad) || bad.ErrorFault() != smithy.FaultServer {
		t.Error("CloudWatch's internal failure is no InternalServiceFault")
	}
	if bad := (*sqstypes.RequestThrottled)(nil); !errors.As(callAll(t, SQS, FaultThrottle), &bad) {
		t.Error("SQS's throttle is no RequestThrottled")
	}
}

func TestGarbageIsAnErrorOfDecodingAndNeverAnAnswer(t *testing.T) {
	for _, service := range []string{CloudWatch, SQS, STS} {
		t.Run(service, func(t *testing.T) {
			err := callAll(t, service, FaultGarbage)
			if bad := (*smithy.DeserializationError)(nil); !errors.As(err, &bad) {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestAnUnknownFaultSaysThatItIsAMistakeOfTheProgram(t *testing.T) {
	for _, k := range [][2]string{{"route53", FaultError}, {SQS, "down"}} {
		w := record(Fault(k[0], k[1]), http.MethodPost, "/", nil, nil)
		if w.Code != http.StatusNotImplemented || !strings.Contains(w.Body.String(), k[0]) || !strings.Contains(w.Body.String(), k[1]) {
			t.Errorf("%v: %d %s", k, w.Code, w.Body)
		}
	}
}
